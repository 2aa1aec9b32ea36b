"""The command line: arguments to calls, messages, exit codes.

Importing this loads nothing of the photograph's way, so that `instcolor --help` is quick; the commands import what they
need when they run.
"""

from __future__ import annotations

import io
import os
import signal
import sys
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from .. import __version__
from .archive import archive
from .colorize import colorize
from .detect import detect
from .evaluate import evaluate
from .models import models
from .page import page
from .plugin import plugin
from .prepare import prepare
from .serve import serve
from .train import train
from .video import video


class Commands(TyperGroup):
    """The commands; what begins with a photo, or an option of `colorize`, means `colorize`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """typer asks this first: puts `colorize` before words that begin with no command and no option of the group."""
        own = {name for parameter in self.get_params(ctx) for name in parameter.opts}
        if args and args[0] not in own and args[0] not in self.commands and _is_no_command(args[0]):
            args = ["colorize", *args]
        return super().parse_args(ctx, args)


def _is_no_command(word: str) -> bool:
    """A word that nobody takes for a mistyped command: an option, a path, a pattern, or a name that exists."""
    return word.startswith("-") or bool(set("./\\*") & set(word)) or os.path.lexists(word)


app = typer.Typer(
    name="instcolor",
    cls=Commands,
    no_args_is_help=True,
    rich_markup_mode=None,  # rich takes longer to load than all the rest
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
app.command()(colorize)
app.command()(detect)
app.command()(evaluate)
app.command()(prepare)
app.command()(serve)
app.command()(train)
app.command()(video)
app.add_typer(archive, name="archive")
app.add_typer(models, name="models")
app.add_typer(page, name="page")
app.add_typer(plugin, name="plugin")


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"instcolor {__version__}")
        raise typer.Exit


@app.callback(epilog="Exit codes: 0 all done, 1 some files failed, 2 wrong usage, 130 interrupted.")
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Gives old black-and-white photographs their color back, object by object."""


def _nowhere() -> int:
    return os.open(os.devnull, os.O_WRONLY)


def _terminate(number: int, frame: object) -> None:
    sys.exit(128 + number)  # an exception, so that a half-written file is removed on the way


def main() -> None:
    """The console script: runs a command and ends the process with its exit code."""
    # a process may be started without them
    sys.stdout, sys.stderr = (stream or os.fdopen(_nowhere(), "w") for stream in (sys.stdout, sys.stderr))
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # file names that the terminal's encoding lacks
    signal.signal(signal.SIGTERM, _terminate)
    try:
        try:
            app(prog_name="instcolor")
        finally:
            sys.stdout.flush()
    except KeyboardInterrupt:
        sys.exit(130)
    except OSError as error:  # standard output is full or closed, all else has become a message by now
        os.dup2(_nowhere(), sys.stdout.fileno())  # or the exit would try, and complain, again
        print(f"error: standard output: {error.strerror or error}", file=sys.stderr)
        sys.exit(1)
