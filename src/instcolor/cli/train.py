"""`instcolor train`: the stages of the training."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

ALL = "all"


def train(
    stage: Annotated[
        str,
        typer.Argument(help="full, instance, fusion, detector or masks; all: the first three, each from the last."),
    ],
    config: Annotated[
        str,
        typer.Option(help="A YAML file, or the name of a bundled one (lite-full); lite means lite-STAGE."),
    ],
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="Replaces a setting, as in --set optimizer.batch=8"),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="FOLDER", help="Run folders FOLDER/full, /instance, /fusion."),
    ] = None,
    tensorboard: Annotated[bool, typer.Option("--tensorboard", help="Log to TensorBoard too.")] = False,
    wandb: Annotated[bool, typer.Option("--wandb", help="Log to Weights & Biases too.")] = False,
) -> None:
    """Train color networks; the same command goes on after a stop.

    On several devices: torchrun --nproc-per-node 2 --no-python instcolor train ...
    """
    from .extras import needing
    from .report import Report

    report = Report()
    with report.setting_up():
        with needing("training"):
            from ..training.config import ORDER
            from ..training.loop import train as run
            from ..training.processes import rank
            from ..training.recipes import chain
        stages = ORDER if stage == ALL else (stage,)
        sinks = [name for name, wanted in (("tensorboard", tensorboard), ("wandb", wandb)) if wanted]
        for step in chain(config, stages, settings or (), out):
            weights = run(step, sinks=sinks)
            if rank() == 0:
                report.line(str(weights))
