"""Recipes: the configs that ship and those of users, found by name and chained over the stages."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from ..errors import InstcolorError
from .config import Config
from .settings import parse_overrides
from .stages import STAGES, check, not_taken

BUNDLED = Path(__file__).parent / "configs"


def chain(name: str, stages: Sequence[str], settings: Iterable[str] = (), out: Path | None = None) -> list[Config]:
    """The configs of stages that follow on each other: every one takes the weights of those before it.

    `name` is as for `find_config`, `settings` as for `parse_overrides`; of several stages each takes those that are its
    own. `out` gets all run folders. Raises InstcolorError for settings that cannot be.
    """
    if unknown := [stage for stage in stages if stage not in STAGES]:
        raise InstcolorError(f"no stage {unknown[0]!r}: {', '.join(STAGES)}")
    overrides = parse_overrides(settings)
    if len(stages) > 1 and "run" in overrides:
        raise InstcolorError("--set run=...: several stages cannot share a run folder; --out gives each its own")
    settled = {setting.removeprefix("weights.") for setting in overrides}
    configs: list[Config] = []
    taken: set[str] = set()
    for stage in stages:
        path = find_config(name, stage)
        config, used = _read(path, overrides, several=len(stages) > 1)
        taken |= used
        if config.stage != stage:
            raise InstcolorError(f"{path}: is for the stage {config.stage}, not {stage}")
        if out:
            config = config.in_folder(out, settled)
        else:
            config = config.after({c.stage: c.run for c in configs if c.stage not in settled})
        configs.append(config)
    if nobodys := overrides.keys() - taken:
        raise InstcolorError(f"--set {', '.join(sorted(nobodys))}: of none of the stages {', '.join(stages)}")
    return configs


def _read(path: Path, overrides: dict[str, Any], *, several: bool) -> tuple[Config, set[str]]:
    """A config that holds, and the overrides in it: of several stages' each leaves out what only others take."""
    config = Config.read(path, overrides)
    if several:
        others = not_taken(config)
        overrides = {k: v for k, v in overrides.items() if not any(f"{o}.".startswith(f"{k}.") for o in others)}
        config = Config.read(path, overrides)
    try:
        check(config)
    except InstcolorError as error:
        raise InstcolorError(f"{path}: {error}") from None
    return config, set(overrides)


def find_config(name: str, stage: str) -> Path:
    """The file of a config: a path, the name of a bundled one, or either without its `-STAGE.yaml`.

    Raises InstcolorError where there is none.
    """
    given = Path(name)
    for folder in (Path(), BUNDLED):
        for file in (given, given.with_name(f"{given.name}.yaml"), given.with_name(f"{given.name}-{stage}.yaml")):
            if (folder / file).is_file():
                return folder / file
    bundled = ", ".join(sorted(path.stem for path in BUNDLED.glob("*.yaml")))
    raise InstcolorError(f"{name}: no such config for the stage {stage}; bundled are {bundled}")
