#!/usr/bin/env python3
"""GIMP 3: the image, or what is selected of it, colored by the command `instcolor`, as a layer above the original.

The layer is in the mode LCh Color, so the original stays as it is and its lightness stays its own. GIMP's own Python
needs no package for it: the command runs as a program by itself.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import gi

gi.require_version("Gimp", "3.0")
gi.require_version("GimpUi", "3.0")
from gi.repository import Gimp, GimpUi, Gio, GLib, GObject  # noqa: E402

NAME = "plug-in-instcolor"
STYLES = {"natural": "Natural", "faithful": "Faithful (calm)", "vivid": "Vivid"}
MISSING = "The command instcolor was not found. Install it (pip install instcolor), or give its place under Command."


def find_command(given: str) -> list[str]:
    """The words that start instcolor: as the setting says, else what PATH has, else a Python that has the package.

    Raises RuntimeError with a sentence for the user.
    """
    if given.strip():
        words = [given] if os.path.isfile(given) else shlex.split(given, posix=os.name != "nt")
        if not shutil.which(words[0]):
            raise RuntimeError(f"{words[0]} is not a program that can be run")
        return words
    if found := shutil.which("instcolor"):
        return [found]
    for python in ("python3", "python"):
        if (found := shutil.which(python)) and _ends_well([found, "-m", "instcolor", "--version"]):
            return [found, "-m", "instcolor"]
    raise RuntimeError(MISSING)


def color(command: list[str], gray: Path, out: Path, style: str, saturation: float, detector: str) -> None:
    """Runs the command from file to file. Raises RuntimeError with its own last words where it fails."""
    options = ["--style", style, "--saturation", str(saturation), "--detector", detector, "--quiet", "--overwrite"]
    words = [*command, "colorize", str(gray), "--out", str(out), *options]
    ended = subprocess.run(words, capture_output=True, text=True, errors="replace", stdin=subprocess.DEVNULL)
    if ended.returncode or not out.is_file():
        lines = ended.stderr.strip().splitlines() or [f"{command[0]} ended with code {ended.returncode}"]
        raise RuntimeError(lines[-1])


def color_layer(
    image: Gimp.Image, style: str = "natural", saturation: float = 1.0, objects: bool = True, command: str = ""
) -> Gimp.Layer:
    """The new layer, on top of the image; limited to the selection, if there is one. Raises RuntimeError."""
    words = find_command(command)
    _, selected, x0, y0, x1, y1 = Gimp.Selection.bounds(image)
    with tempfile.TemporaryDirectory(prefix="instcolor-") as folder:
        gray, out = Path(folder, "gray.png"), Path(folder, "color.png")
        flat = image.duplicate()
        try:
            Gimp.Selection.none(flat)
            flat.flatten()
            if selected:
                flat.crop(x1 - x0, y1 - y0, x0, y0)
            Gimp.file_save(Gimp.RunMode.NONINTERACTIVE, flat, Gio.File.new_for_path(str(gray)), None)
        finally:
            flat.delete()
        color(words, gray, out, style, saturation, "builtin" if objects else "none")
        image.undo_group_start()
        try:
            if image.get_base_type() != Gimp.ImageBaseType.RGB:
                image.convert_rgb()
            layer = Gimp.file_load_layer(Gimp.RunMode.NONINTERACTIVE, image, Gio.File.new_for_path(str(out)))
            layer.set_name(f"instcolor ({style})")
            layer.set_mode(Gimp.LayerMode.LCH_COLOR)
            image.insert_layer(layer, None, 0)
            if selected:
                layer.set_offsets(x0, y0)
                layer.add_mask(layer.create_mask(Gimp.AddMaskType.SELECTION))
        finally:
            image.undo_group_end()
    return layer


def _ends_well(words: list[str]) -> bool:
    return subprocess.run(words, capture_output=True, stdin=subprocess.DEVNULL).returncode == 0


class Instcolor(Gimp.PlugIn):
    """What GIMP asks a plug-in: its procedures, and what each is."""

    def do_query_procedures(self) -> list[str]:
        return [NAME]

    def do_set_i18n(self, name: str) -> bool:
        return False

    def do_create_procedure(self, name: str) -> Gimp.Procedure:
        procedure = Gimp.ImageProcedure.new(self, name, Gimp.PDBProcType.PLUGIN, self.run, None)
        procedure.set_image_types("*")
        procedure.set_sensitivity_mask(
            Gimp.ProcedureSensitivityMask.DRAWABLE
            | Gimp.ProcedureSensitivityMask.DRAWABLES
            | Gimp.ProcedureSensitivityMask.NO_DRAWABLES
        )
        procedure.set_menu_label("_Color a black-and-white photo (instcolor)...")
        procedure.add_menu_path("<Image>/Colors/Map/")
        procedure.set_documentation(
            "Gives a black-and-white photograph its color back, object by object",
            "Colors the image, or what is selected, as a layer in the mode LCh Color. Colors are a plausible guess.",
            name,
        )
        procedure.set_attribution("The instcolor project", "The instcolor project", "2026")
        choice = Gimp.Choice.new()
        for place, (style, label) in enumerate(STYLES.items()):
            choice.add(style, place, label, "")
        write = GObject.ParamFlags.READWRITE
        procedure.add_choice_argument("style", "_Style", "How bold the colors are", choice, "natural", write)
        procedure.add_double_argument("saturation", "S_aturation", "Factor on the colors", 0.0, 3.0, 1.0, write)
        procedure.add_boolean_argument("objects", "Color _objects by themselves", "Find objects first", True, write)
        procedure.add_string_argument(
            "command", "Co_mmand", "Where instcolor is; empty: on PATH", os.environ.get("INSTCOLOR_COMMAND", ""), write
        )
        return procedure

    def run(
        self,
        procedure: Gimp.Procedure,
        run_mode: Gimp.RunMode,
        image: Gimp.Image,
        drawables: list[Gimp.Drawable],
        config: Gimp.ProcedureConfig,
        data: Any,
    ) -> Gimp.ValueArray:
        if run_mode == Gimp.RunMode.INTERACTIVE:
            GimpUi.init(NAME)
            dialog = GimpUi.ProcedureDialog.new(procedure, config, "instcolor")
            dialog.fill(None)
            wanted = dialog.run()
            dialog.destroy()
            if not wanted:
                return procedure.new_return_values(Gimp.PDBStatusType.CANCEL, None)
        names = ("style", "saturation", "objects", "command")
        Gimp.progress_init("Coloring")
        try:
            color_layer(image, **{name: config.get_property(name) for name in names})
        except (RuntimeError, OSError) as error:
            problem = GLib.Error.new_literal(Gimp.PlugIn.error_quark(), str(error), 0)
            return procedure.new_return_values(Gimp.PDBStatusType.EXECUTION_ERROR, problem)
        Gimp.displays_flush()
        return procedure.new_return_values(Gimp.PDBStatusType.SUCCESS, None)


if __name__ == "__main__":
    Gimp.main(Instcolor.__gtype__, sys.argv)
