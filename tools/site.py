"""What the docs' site needs beside the pages (hooks of mkdocs, see mkdocs.yml): `make docs`.

The pages are read in the repository as well, where a link may lead to any of its files. On the site such a link leads
to the repository's address. The reference of the command line is what the commands themselves print with `--help`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from typer.main import get_command
from typer.testing import CliRunner

ROOT = Path(__file__).parents[1]
COMMANDS = "<!-- every command -->"
OUTSIDE = re.compile(r"\]\((?:\.\./)+([^)]*)\)")


def on_page_markdown(markdown: str, page: Any, config: Any, **_: Any) -> str:
    """A page as the site shows it. Raises ValueError where a link leads to no file of the repository."""

    def address(link: re.Match[str]) -> str:
        path = link[1].partition("#")[0]
        if not (ROOT / path).exists():
            raise ValueError(f"{page.file.src_uri}: no such file: {path}")
        return f"]({config.repo_url.rstrip('/')}/blob/main/{link[1]})"

    return OUTSIDE.sub(address, markdown).replace(COMMANDS, "\n\n".join(reference()))


def reference() -> Iterator[str]:
    """A section for each command: its name and its help."""
    from instcolor.cli import app

    def walk(command: Any, words: list[str]) -> Iterator[list[str]]:
        inner: dict[str, Any] = getattr(command, "commands", {})
        if not inner:
            yield words
        for name in sorted(inner):
            if not inner[name].hidden:
                yield from walk(inner[name], [*words, name])

    for words in walk(get_command(app), []):
        told = CliRunner().invoke(app, [*words, "--help"], prog_name="instcolor", terminal_width=100)
        assert told.exit_code == 0, told.output
        yield f"## {' '.join(['instcolor', *words])}\n\n```text\n{told.stdout.strip()}\n```"
