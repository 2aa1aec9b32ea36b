"""`instcolor page export`: what it writes, without a browser."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from instcolor.cli import app
from instcolor.models import downloading, downloads, registry
from instcolor.web import alone as exporting
from support.places import ROOT, SOURCE

STATIC = SOURCE / "web" / "static"
FUNCTION = re.compile(r"^export (?:async function|function|const) (\w+)|^export \{ (\w+) \}", re.MULTILINE)


@pytest.fixture(scope="module")
def runtime(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A runtime that the table knows."""
    folder = tmp_path_factory.mktemp("dist")
    table = []
    for wanted in downloads.RUNTIME:
        data = f"stands for {wanted.file}".encode()
        (folder / wanted.file).write_bytes(data)
        table.append(wanted._replace(sha256=hashlib.sha256(data).hexdigest(), size=len(data)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(downloads, "RUNTIME", tuple(table))
        yield folder


def export(*arguments: str | Path) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["page", "export", *map(str, arguments)])
    return result.exit_code, result.output


@pytest.fixture(scope="module")
def folder(runtime: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("host") / "page"
    code, said = export(folder, "--runtime", runtime)
    assert code == 0, said
    return folder


def files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_every_file_is_what_the_manifest_says(folder: Path) -> None:
    written = files(folder)
    manifest = json.loads(written["manifest.json"])
    listed = manifest["files"] | manifest["networks"]
    assert set(written) == {*listed, "manifest.json", "service.js"}
    for name, facts in listed.items():
        assert facts == {"sha256": hashlib.sha256(written[name]).hexdigest(), "bytes": len(written[name])}, name
    assert (
        gzip.decompress(written["networks/photo.onnx.packed"]) == (registry.find().folder / "photo.onnx").read_bytes()
    )
    service = written["service.js"].decode()
    assert "VERSION" not in service
    assert exporting.POLICY in service


def test_addresses_are_relative_and_lead_to_a_file(folder: Path) -> None:
    index = (folder / "index.html").read_text(encoding="utf-8")
    addresses = re.findall(r'(?:src|href)="([^"#]+)"', index)
    assert len(addresses) > 5
    assert [address for address in addresses if not (folder / address).is_file()] == []
    for path in (folder / "static").rglob("*.js"):
        for address in re.findall(r'(?:from|import\() ?"([^"]+)"', path.read_text(encoding="utf-8")):
            assert (path.parent / address).is_file(), (path.name, address)


def test_a_folder_that_holds_something_is_written_into_only_when_asked_and_then_the_same(
    folder: Path, runtime: Path, tmp_path: Path
) -> None:
    (tmp_path / "index.html").write_text("mine")
    code, said = export(tmp_path, "--runtime", runtime)
    assert code == 1
    assert said.strip() == f"error: {tmp_path}: is not empty and is not written over unless asked"
    assert files(tmp_path) == {"index.html": b"mine"}
    assert export(tmp_path, "--runtime", runtime, "--overwrite")[0] == 0
    assert files(tmp_path) == files(folder)


def test_another_runtime_is_refused_in_one_line(runtime: Path, tmp_path: Path) -> None:
    module, wanted = downloads.RUNTIME
    given = tmp_path / "dist"
    given.mkdir()
    shutil.copy(runtime / module.file, given)
    (given / wanted.file).write_bytes(b"another")
    code, said = export(tmp_path / "page", "--runtime", given)
    assert code == 1
    assert said.count("\n") == 1
    assert wanted.file in said
    assert "sha256" in said
    (given / wanted.file).unlink()
    code, said = export(tmp_path / "page", "--runtime", given)
    assert code == 1
    assert "is missing" in said
    assert not list((tmp_path / "page").iterdir())


def test_without_a_runtime_that_of_the_table_is_downloaded_once(
    runtime: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INSTCOLOR_MODELS", str(tmp_path))
    asked: list[str] = []

    def receive(url: str, path: Path, size: int, *_: Any) -> None:
        asked.append(url)
        shutil.copy(runtime / url.rpartition("/")[2], path)

    monkeypatch.setattr(downloading, "_receive", receive)
    for _ in range(2):
        assert files(downloads.download_runtime()) == files(runtime)
    assert asked == [wanted.url for wanted in downloads.RUNTIME]
    assert downloads.RUNTIME_NAME not in registry.names()


def test_the_runtime_of_the_table_is_that_of_the_lock_file() -> None:
    locked = json.loads((ROOT / "package-lock.json").read_text())["packages"]["node_modules/onnxruntime-web"]
    assert f"onnxruntime-web-{locked['version']}" == downloads.RUNTIME_NAME
    assert locked["integrity"].startswith("sha512-")
    for wanted in downloads.RUNTIME:
        assert f"@{locked['version']}/dist/" in wanted.url


def test_a_browser_alone_answers_all_that_a_server_answers_or_does_not_offer_it() -> None:
    server, alone = (
        {a or b for a, b in FUNCTION.findall((STATIC / name).read_text(encoding="utf-8"))}
        for name in ("api.js", "alone/api.js")
    )
    assert {"look", "result", "plain", "facts"} <= server
    absent = {"alternatives", "reference"}
    assert server - alone == absent
    hidden = (STATIC / "alone" / "page.js").read_text(encoding="utf-8")
    assert all(f'"{name}"' in hidden for name in absent)
