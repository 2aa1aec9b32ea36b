"""Where a training's figures and pictures go: JSON lines always, TensorBoard and Weights & Biases on request."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..errors import InstcolorError
from .checkpoint import replace
from .config import Config
from .processes import rank, say

LOG = "log.jsonl"
PICTURES = "pictures"  # folder in the run's

Scalars = Mapping[str, float]
Pictures = Mapping[str, NDArray[np.uint8]]  # (H, W, 3)


class Sink(Protocol):
    """Takes what a training reports at a step."""

    def log(self, step: int, scalars: Scalars, pictures: Pictures | None = None) -> None:
        """Figures by name, and pictures (h, w, 3) uint8 by name, at a step."""
        ...

    def close(self) -> None:
        """Nothing more comes."""
        ...


class RunFolder:
    """log.jsonl and pictures/NAME-STEP.png. A disk that refuses costs lines, never the training."""

    def __init__(self, run: Path, step: int):
        """Goes on with a log from `step`: what a killed run wrote after its last checkpoint is dropped."""
        self.run = run
        self.refused = False
        self._try(lambda: self._begin(step))

    def log(self, step: int, scalars: Scalars, pictures: Pictures | None = None) -> None:
        def write() -> None:
            with (self.run / LOG).open("a", encoding="utf-8") as log:
                rounded = {k: v if isinstance(v, int) else float(f"{v:.6g}") for k, v in scalars.items()}
                log.write(json.dumps({"step": step, **rounded}) + "\n")
            for name, picture in (pictures or {}).items():
                path = self.run / PICTURES / f"{name}-{step:08}.png"
                path.parent.mkdir(exist_ok=True)
                replace(path, partial(Image.fromarray(picture).save, format="PNG"))

        self._try(write)

    def close(self) -> None:
        pass

    def _begin(self, step: int) -> None:
        path = self.run / LOG
        if path.exists():
            kept = [line for line in path.read_bytes().splitlines() if _step(line) <= step]
            replace(path, lambda file: file.writelines(line + b"\n" for line in kept))

    def _try(self, write: Any) -> None:
        try:
            write()
            self.refused = False
        except OSError as error:
            if not self.refused:  # once is enough
                say(f"{self.run / LOG}: not written ({error.strerror or error}); the training goes on")
            self.refused = True


def _step(line: bytes) -> float:
    """The step of a line of a log, infinity where it was torn."""
    try:
        return float(json.loads(line)["step"])
    except (ValueError, KeyError, TypeError):
        return float("inf")


class TensorBoard:
    """A folder `tensorboard` in that of the run; a run that goes on replaces what lies behind `step`."""

    def __init__(self, run: Path, step: int):
        _require("tensorboard", "--tensorboard")
        from torch.utils.tensorboard import SummaryWriter

        self.writer = SummaryWriter(str(run / "tensorboard"), purge_step=step + 1)

    def log(self, step: int, scalars: Scalars, pictures: Pictures | None = None) -> None:
        for name, value in scalars.items():
            self.writer.add_scalar(name, value, step)
        for name, picture in (pictures or {}).items():
            self.writer.add_image(name, picture, step, dataformats="HWC")
        self.writer.flush()

    def close(self) -> None:
        self.writer.close()


class Wandb:
    """Weights & Biases; what it may send and where, its own environment says (WANDB_MODE=offline sends nothing)."""

    def __init__(self, run: Path, step: int, config: Config):
        _require("wandb", "--wandb")
        import wandb  # type: ignore[import-not-found,unused-ignore]

        self.wandb: Any = wandb
        name = "-".join(run.resolve().parts[-2:])
        self.session = wandb.init(dir=str(run), project="instcolor", name=name, id=name, resume="allow")
        self.session.config.update(json.loads(json.dumps(config.settings())), allow_val_change=True)  # type: ignore[no-untyped-call]

    def log(self, step: int, scalars: Scalars, pictures: Pictures | None = None) -> None:
        drawn = {name: self.wandb.Image(picture) for name, picture in (pictures or {}).items()}
        self.session.log({**scalars, **drawn}, step=step)

    def close(self) -> None:
        self.session.finish()


@contextmanager
def opened(config: Config, wanted: Sequence[str], step: int) -> Iterator[list[Sink]]:
    """The sinks of a run; none in any process but the first."""
    with ExitStack() as stack:
        sinks: list[Sink] = []
        if rank() == 0:
            run = Path(config.run)
            sinks.append(RunFolder(run, step))
            if "tensorboard" in wanted:
                sinks.append(TensorBoard(run, step))
            if "wandb" in wanted:
                sinks.append(Wandb(run, step, config))
        for sink in sinks:
            stack.callback(sink.close)
        yield sinks


def _require(package: str, option: str) -> None:
    if find_spec(package) is None:
        raise InstcolorError(f"{option}: the package {package} is not installed: pip install {package}")


class Progress:
    """A bar on a terminal: steps, photos a second, time left, loss. Elsewhere nothing."""

    def __init__(self, title: str, step: int, total: int):
        self.bar: Any = None
        if rank() > 0 or not sys.stderr.isatty():
            return
        from rich.console import Console
        from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as Bar

        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.completed}/{task.total}"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[note]}"),
        )
        self.bar = Bar(*columns, console=Console(stderr=True))
        self.task = self.bar.add_task(title, total=total, completed=step, note="")

    def __enter__(self) -> Progress:
        if self.bar:
            self.bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.bar:
            self.bar.stop()

    def update(self, step: int, note: str | None = None) -> None:
        """Shows that `step` is done, with a note of figures where there is a new one."""
        if self.bar:
            self.bar.update(self.task, completed=step, **({} if note is None else {"note": note}))
