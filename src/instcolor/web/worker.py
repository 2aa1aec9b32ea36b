"""A worker process: reads one task a line as JSON from standard input, answers with lines of JSON.

    python -m instcolor.web.worker '{"colorizer": ..., "model": ..., "memory_bytes": ...}'

It runs under a memory limit and is killed when it takes too long, so that whatever a photo does to a decoder hurts that
photo alone. Answers: {"stage": name} on the way, then {"done": facts} or {"failed": [code, sentence]}. Only JSON comes
back, never objects, because a process that reads strangers' photos is not to be believed blindly.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any

from ..colorizer import Colorizer
from ..errors import InstcolorError, PhotoError
from . import tasks


def standard_colorizer(model: str, detector: str, threads: int, pixels: int) -> Colorizer:
    """The Colorizer that the command line has too."""
    return Colorizer(model, detector=detector, threads=threads, max_pixels=pixels)


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

    def tell(kind: str, value: Any) -> None:
        answers.write(json.dumps({kind: value}) + "\n")
        answers.flush()

    settings = json.loads(argument)
    limit_memory(settings["memory_bytes"])
    module, _, function = settings["colorizer"].partition(":")
    try:
        make: Callable[..., Colorizer] = getattr(import_module(module), function)
        colorizer = make(settings["model"], settings["detector"], settings["threads"], settings["pixels"]).load()
    except InstcolorError as error:
        tell("failed", ["model", str(error)])
        return
    tell("done", {})
    for line in sys.stdin:
        try:
            tell("done", tasks.run(colorizer, json.loads(line), lambda stage: tell("stage", stage)))
        except InstcolorError as error:
            tell("failed", ["bad_photo" if isinstance(error, PhotoError) else "failed", reason(error)])
        except MemoryError:
            tell("failed", ["bad_photo", "there is not enough memory for this photo"])


def reason(error: InstcolorError) -> str:
    """What an error says, without the name of the file on this machine."""
    text = str(error)
    return text.removeprefix("<bytes>: ")


if __name__ == "__main__":
    main(sys.argv[1])
