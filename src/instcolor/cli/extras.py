"""Commands that need packages which `pip install instcolor` alone does not bring."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ..errors import InstcolorError


@contextmanager
def needing(what: str, extra: str = "train") -> Iterator[None]:
    """Around what imports the packages of an extra: one that is missing becomes a line that says how to get it."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise InstcolorError(f"{what} needs {error.name}: pip install instcolor[{extra}]") from None
