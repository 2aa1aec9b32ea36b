"""A worker process: reads one task a line as JSON from standard input, answers with lines of JSON (see `messages`).

    python -m instcolor.web.worker '{"colorizer": ..., "model": ..., "memory_bytes": ...}'

It runs under a memory limit and is killed when it takes too long, so that whatever a photo does to a decoder hurts that
photo alone. Only JSON comes back, never objects, and it is checked on arrival, because a process that reads strangers'
photos is not to be believed blindly.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable
from importlib import import_module

from ..colorizer import Colorizer
from ..errors import DamagedError, InstcolorError, PhotoError, TooManyPixelsError
from .messages import TASK, Failure, Report, WorkerSettings
from .tasks import Tasks


def standard_colorizer(model: str, detector: str, threads: int, pixels: int, faces: bool) -> Colorizer:
    """The Colorizer that the command line has too."""
    return Colorizer(model, detector=detector, faces=faces, threads=threads, max_pixels=pixels)


def limit_memory(size: int) -> None:
    """Address space of this process; no core dumps with somebody's photo in them."""
    with contextlib.suppress(ImportError):  # not on Windows
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (size, size))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def main(argument: str) -> None:
    """Works until standard input ends."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what libraries print must not be taken for an answer

    def tell(report: Report) -> None:
        try:
            answers.write(report.model_dump_json(exclude_none=True) + "\n")
            answers.flush()
        except BrokenPipeError:  # the server was killed: nobody is left to tell
            os._exit(0)

    settings = WorkerSettings.model_validate_json(argument)
    limit_memory(settings.memory_bytes)
    module, _, function = settings.colorizer.partition(":")
    try:
        make: Callable[..., Colorizer] = getattr(import_module(module), function)
        asked = settings.model, settings.detector, settings.threads, settings.pixels, settings.faces
        colorizer = make(*asked).load()
    except InstcolorError as error:
        tell(Report(failed=Failure(code="model", sentence=str(error))))
        return
    tasks = Tasks(colorizer, settings.model)
    tell(Report(done={}))
    for line in sys.stdin:
        try:
            done = tasks.run(TASK.validate_json(line), lambda stage: tell(Report(stage=stage)))
            tell(Report(done=done.model_dump(mode="json")))
        except InstcolorError as error:
            tell(Report(failed=failure(error)))
        except MemoryError:
            tell(Report(failed=Failure(code="no_memory", sentence="there is not enough memory for this photo")))


def failure(error: InstcolorError) -> Failure:
    """What an error says, without the name of the file on this machine and without a decoder's words."""
    sentence = str(error).removeprefix("<bytes>: ")
    if isinstance(error, DamagedError):
        return Failure(code="damaged", sentence=sentence.partition(" (")[0])
    if isinstance(error, TooManyPixelsError):
        return Failure(code="too_many_pixels", sentence=sentence)
    return Failure(code="bad_photo" if isinstance(error, PhotoError) else "failed", sentence=sentence)


if __name__ == "__main__":
    main(sys.argv[1])
