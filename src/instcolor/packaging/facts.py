"""What is written beside a model's files: TOML of facts, and the files' checksums."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ..errors import ModelError
from ..files import sha256_of
from ..limits import MAX_CHECKPOINT_BYTES

BARE = re.compile(r"[A-Za-z0-9_-]+")  # keys that TOML takes without quotes


def write_facts(path: Path, facts: Mapping[str, Any]) -> None:
    """Writes a TOML file of strings, numbers, lists of them, and tables of such one level deep."""
    plain = {key: value for key, value in facts.items() if not isinstance(value, Mapping)}
    lines = _lines(plain)
    for title, table in facts.items():
        if isinstance(table, Mapping) and table:
            lines += ["", f"[{title}]", *_lines(table)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _lines(facts: Mapping[str, Any]) -> list[str]:
    return [f"{key if BARE.fullmatch(key) else _value(key)} = {_value(value)}" for key, value in facts.items()]


def _value(value: Any) -> str:
    """TOML's strings, numbers and lists are JSON's but for DEL."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def checksum(path: Path) -> str:
    """The sha256 of a model's file, in hexadecimal. Raises ModelError where it is missing, unreadable or too large."""
    try:
        if path.stat().st_size > MAX_CHECKPOINT_BYTES:
            raise ModelError(f"{path}: more than {MAX_CHECKPOINT_BYTES} bytes")
        return sha256_of(path)
    except OSError as error:
        raise ModelError(f"{path}: cannot be read ({error.strerror or error})") from error


def checksums(paths: Iterable[Path]) -> dict[str, str]:
    """File name -> sha256, by name. Raises ModelError."""
    return {path.name: checksum(path) for path in sorted(paths)}
