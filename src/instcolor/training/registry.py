"""What other packages add to the training under an entry point."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import entry_points
from typing import Any

from ..errors import InstcolorError


def find(what: str, name: str, own: Mapping[str, Any], group: str) -> Any:
    """The class of that name among our own, else among those registered as entry points of `group`.

    Raises InstcolorError where there is none, or it cannot be loaded.
    """
    if name in own:
        return own[name]
    points = {point.name: point for point in entry_points(group=group)}
    if name not in points:
        raise InstcolorError(f"no {what} {name!r}: {', '.join([*own, *sorted(points)])}")
    try:
        return points[name].load()
    except Exception as error:  # code of another package
        raise InstcolorError(f"{what} {name}: {' '.join(str(error).split()) or type(error).__name__}") from error
