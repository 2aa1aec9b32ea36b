"""Commands that need packages which `pip install instcolor` alone does not bring."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ..errors import InstcolorError


@contextmanager
def needing_train(what: str) -> Iterator[None]:
    """Around what imports torch and the like: a package that is missing becomes a line that says how to get it."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise InstcolorError(f"{what} needs {error.name}: pip install instcolor[train]") from None
