"""A stand-in of GIMP 3's Python API: the documented names that the plug-in calls, over Pillow images.

GIMP 3 is not in every distribution. What stands here follows the API reference of GIMP 3.0 (developer.gimp.org); a call
that is not there, or has other arguments, is an error as it would be in GIMP.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum, Flag, auto
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

from PIL import Image as Pictures

RunMode = Enum("RunMode", "INTERACTIVE NONINTERACTIVE WITH_LAST_VALS")
LayerMode = Enum("LayerMode", "NORMAL LCH_COLOR")
Status = Enum("Status", "SUCCESS CANCEL EXECUTION_ERROR")


class Sensitivity(Flag):
    DRAWABLE = auto()
    DRAWABLES = auto()
    NO_DRAWABLES = auto()


@dataclass
class Layer:
    picture: Pictures.Image
    name: str = ""
    mode: LayerMode = LayerMode.NORMAL
    offsets: tuple[int, int] = (0, 0)
    mask: str | None = None

    def set_name(self, name: str) -> None:
        self.name = name

    def set_mode(self, mode: LayerMode) -> None:
        self.mode = mode

    def set_offsets(self, x: int, y: int) -> None:
        self.offsets = (x, y)

    def create_mask(self, kind: str) -> str:
        return kind

    def add_mask(self, mask: str) -> None:
        self.mask = mask


@dataclass
class Image:
    layers: list[Layer]
    selection: tuple[int, int, int, int] | None = None
    base: str = "GRAY"
    undo: list[str] = field(default_factory=list)
    deleted: bool = False

    def duplicate(self) -> Image:
        return Image([Layer(layer.picture.copy()) for layer in self.layers], self.selection, self.base)

    def flatten(self) -> None:
        self.layers = self.layers[:1]

    def crop(self, width: int, height: int, x: int, y: int) -> None:
        self.layers[0].picture = self.layers[0].picture.crop((x, y, x + width, y + height))

    def delete(self) -> None:
        self.deleted = True

    def undo_group_start(self) -> None:
        self.undo.append("start")

    def undo_group_end(self) -> None:
        self.undo.append("end")

    def get_base_type(self) -> str:
        return self.base

    def convert_rgb(self) -> None:
        self.base = "RGB"

    def insert_layer(self, layer: Layer, parent: None, position: int) -> None:
        self.layers.insert(position, layer)


@dataclass
class Procedure:
    """What `do_create_procedure` has told GIMP of itself."""

    name: str
    run: Any
    menu: str = ""
    arguments: dict[str, Any] = field(default_factory=dict)

    def set_image_types(self, types: str) -> None: ...

    def set_sensitivity_mask(self, mask: Sensitivity) -> None: ...

    def set_menu_label(self, label: str) -> None: ...

    def set_documentation(self, blurb: str, help: str, id: str) -> None: ...

    def set_attribution(self, author: str, copyright: str, date: str) -> None: ...

    def add_menu_path(self, path: str) -> None:
        self.menu = path

    def add_choice_argument(self, name: str, nick: str, blurb: str, choice: Choice, value: str, flags: int) -> None:
        assert value in choice.names
        self.arguments[name] = value

    def add_double_argument(
        self, name: str, nick: str, blurb: str, low: float, high: float, value: float, flags: int
    ) -> None:
        assert low <= value <= high
        self.arguments[name] = value

    def add_boolean_argument(self, name: str, nick: str, blurb: str, value: bool, flags: int) -> None:
        self.arguments[name] = value

    def add_string_argument(self, name: str, nick: str, blurb: str, value: str, flags: int) -> None:
        self.arguments[name] = value

    def new_return_values(self, status: Status, error: Exception | None) -> tuple[Status, Exception | None]:
        return status, error

    def call(self, image: Image, **settings: Any) -> tuple[Status, Exception | None]:
        """The procedure as a script in GIMP calls it."""
        given = {**self.arguments, **settings}
        config = SimpleNamespace(get_property=given.__getitem__)
        answer: tuple[Status, Exception | None] = self.run(self, RunMode.NONINTERACTIVE, image, [], config, None)
        return answer


@dataclass
class Choice:
    names: list[str] = field(default_factory=list)

    def add(self, nick: str, id: int, label: str, help: str) -> None:
        assert id == len(self.names)
        self.names.append(nick)


def _bounds(image: Image) -> tuple[bool, bool, int, int, int, int]:
    chosen = image.selection
    return (True, chosen is not None, *(chosen or (0, 0, *image.layers[0].picture.size)))


def _none(image: Image) -> None:
    image.selection = None


def _save(mode: RunMode, image: Image, file: Path, options: None) -> bool:
    image.layers[0].picture.save(file)
    return True


def _load(mode: RunMode, image: Image, file: Path) -> Layer:
    with Pictures.open(file) as picture:
        return Layer(picture.copy())


def _modules() -> dict[str, ModuleType]:
    gi, repository = ModuleType("gi"), ModuleType("gi.repository")
    vars(gi)["require_version"] = lambda name, version: None
    gimp = SimpleNamespace(
        PlugIn=type("PlugIn", (), {"error_quark": staticmethod(lambda: 0)}),
        ImageProcedure=SimpleNamespace(new=lambda plugin, name, kind, run, data: Procedure(name, run)),
        PDBProcType=SimpleNamespace(PLUGIN=0),
        ProcedureSensitivityMask=Sensitivity,
        Choice=SimpleNamespace(new=Choice),
        RunMode=RunMode,
        LayerMode=LayerMode,
        PDBStatusType=Status,
        ImageBaseType=SimpleNamespace(RGB="RGB", GRAY="GRAY"),
        AddMaskType=SimpleNamespace(SELECTION="selection"),
        Selection=SimpleNamespace(bounds=_bounds, none=_none),
        file_save=_save,
        file_load_layer=_load,
        progress_init=lambda text: True,
        displays_flush=lambda: None,
    )
    parts = {
        "Gimp": gimp,
        "GimpUi": SimpleNamespace(),
        "Gio": SimpleNamespace(File=SimpleNamespace(new_for_path=Path)),
        "GLib": SimpleNamespace(Error=SimpleNamespace(new_literal=lambda domain, text, code: RuntimeError(text))),
        "GObject": SimpleNamespace(ParamFlags=SimpleNamespace(READWRITE=3)),
    }
    for name, part in parts.items():
        setattr(repository, name, part)
    return {"gi": gi, "gi.repository": repository}


@contextmanager
def stand_in() -> Iterator[None]:
    """`import gi` finds the stand-in."""
    before = {name: sys.modules.get(name) for name in ("gi", "gi.repository")}
    sys.modules.update(_modules())
    try:
        yield
    finally:
        for name, module in before.items():
            if module is None:
                del sys.modules[name]
            else:
                sys.modules[name] = module
