"""Jobs in the place of coloring, which another process can import: quick, and they do what a photo's name says."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from instcolor.batch import Record, Task, Work
from instcolor.batch.jobs import OtherSuffix
from instcolor.cores import core_count
from instcolor.errors import InstcolorError
from instcolor.sources import FileItem, Item
from support.command_line import PNG, put


@dataclass(frozen=True)
class Copying:
    """Copies photos; "bad" ones fail, "deadly" ones end their process, "odd" ones turn out to be of another format,
    "slow" ones take a while, and those that "wait" take until there is a file called "go" beside them."""

    fault: str = ""

    def suffix(self, start: bytes) -> str:
        return ".png" if start else ""

    def facts(self) -> dict[str, Any]:
        return {"model": "copy", "sha256": {}, "options": {"fault": self.fault}}

    def load(self) -> Work:
        if self.fault:
            raise InstcolorError(self.fault)
        return self._copy

    def _copy(self, task: Task) -> Record:
        name = task.item.name
        if "bad" in name:
            raise ZeroDivisionError
        if "deadly" in name:
            os.kill(os.getpid(), signal.SIGKILL)
        if "odd" in name and task.suffix != ".tif":
            raise OtherSuffix(".tif")
        if "slow" in name:
            time.sleep(0.3)
        while "wait" in name and not task.item.path.with_name("go").exists():
            time.sleep(0.01)
        assert task.out is not None
        task.out.write_bytes(task.item.read())
        notes = (f"was copied by {os.getpid()} with {core_count()} cores",)
        return Record(str(task.item.path), task.item.label, out=str(task.out), notes=notes)


def photos(folder: Path, *names: str) -> list[Item]:
    """Files of these names."""
    return [FileItem(folder, put(folder / name, PNG).name) for name in names]
