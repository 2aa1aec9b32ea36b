"""`instcolor models`."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from instcolor.cli.options import MEGA

models = typer.Typer(help="List the color models at hand.", rich_markup_mode=None)


@models.callback(invoke_without_command=True)
def table(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="Print the list as JSON.")] = False,
) -> None:
    """List the color models at hand; `show NAME` prints the card of one."""
    if context.invoked_subcommand:
        return

    from instcolor.cli.report import Report
    from instcolor.errors import ModelError
    from instcolor.models import registry

    report = Report()
    entries = []
    for name in registry.names():
        try:
            entry = registry.find(name)
            entries.append((entry, entry.size))
        except ModelError as error:
            report.error(str(error))
    if as_json:
        facts = [{"name": e.name, "size": size, "license": e.license, "summary": e.summary} for e, size in entries]
        print(json.dumps({"models": facts}, indent=1))
    else:
        for e, size in entries:
            report.line(f"{e.name:12} {size / MEGA:6.1f} MB  {e.license:12} {e.summary}")
    report.exit()


@models.command()
def show(name: Annotated[str, typer.Argument(metavar="NAME")]) -> None:
    """Print the card of a model: data, training, figures, limits, license."""
    from instcolor.cli.report import Report
    from instcolor.models import registry

    report = Report()
    with report.setting_up():
        print(registry.find(name).card(), end="")
