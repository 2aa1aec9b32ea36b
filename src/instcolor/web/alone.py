"""The page in the browser alone: static files that need no server, for any host of files; `instcolor page export`.

    index.html, manifest.json, service.js    the page, what belongs to it with sha256, what keeps it for later visits
    static/                                  as the server has it; `api.js` is `alone/api.js`
    networks/, runtime/                      the shipped networks and ONNX Runtime, packed

All addresses are relative. Nothing here runs a network: `static/alone` does, in a worker of the browser.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from pathlib import Path
from typing import Any

from .. import __version__
from ..errors import FileError, ModelError
from ..files import make_folder, sha256_of, shown, write_whole
from ..models import downloads, registry
from ..photo.xmp import Mark, xmp_for

PIXELS = 50_000_000
"""Of a photo: the browser holds it decoded."""
POLICY = (
    "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; img-src 'self' blob:; object-src 'none'; "
    "base-uri 'none'; form-action 'none'"
)
STATIC = Path(__file__).parent / "static"
SERVER_ONLY = {"docs.html", "docs.js", "docs.css", "index.html", "api.js", "alone/service.js"}
PACKED = ".packed"  # gzip, under a name that no host unpacks on the way


def export(folder: Path, runtime: Path, *, overwrite: bool = False) -> int:
    """Writes the page into a folder.

    Args:
        folder: made where it is missing; one that holds anything is refused unless `overwrite`.
        runtime: a folder with the files of `downloads.RUNTIME`, such as `dist` of the npm package onnxruntime-web.

    Returns the bytes of a first visit.
    Raises FileError where the folder cannot be written to or holds something, ModelError where a network or the
    runtime is missing or not the one that is expected.
    """
    make_folder(folder)
    if not overwrite and any(folder.iterdir()):
        raise FileError(f"{shown(folder)}: is not empty and is not written over unless asked")
    module, binary = (_checked(runtime, wanted) for wanted in downloads.RUNTIME)
    networks = {f"networks/{path.stem}.onnx{PACKED}": _packed(path) for path in _networks()}
    networks[f"runtime/ort.wasm{PACKED}"] = _packed(binary)
    files = _page() | {"runtime/ort.js": module.read_bytes()}
    manifest = {
        "version": __version__,
        "xmp": xmp_for(b"", _mark()).decode(),
        "bytes": sum(map(len, [*files.values(), *networks.values()])),
        "files": _listed(files),
        "networks": _listed(networks),
    }
    told = json.dumps(manifest, indent=1).encode()
    service = (STATIC / "alone" / "service.js").read_text(encoding="utf-8")
    service = service.replace("VERSION", hashlib.sha256(told).hexdigest()[:16]).replace('"POLICY"', json.dumps(POLICY))
    written = files | networks | {"manifest.json": told, "service.js": service.encode()}
    for name, data in written.items():
        path = folder / name
        make_folder(path.parent)
        write_whole(path, data, overwrite=True)
    return sum(map(len, written.values()))


def _networks() -> list[Path]:
    """The ONNX files of the models that are used, checked. Raises ModelError."""
    entries = [registry.find(name) for name in (registry.DEFAULT, *registry.FINDERS)]
    for entry in entries:
        entry.verify()
    return [entry.folder / name for entry in entries for name in entry.files]


def _page() -> dict[str, bytes]:
    """What the page itself consists of, by its relative address."""
    found = {path.relative_to(STATIC).as_posix(): path for path in sorted(STATIC.rglob("*")) if path.is_file()}
    files = {f"static/{name}": path.read_bytes() for name, path in found.items() if name not in SERVER_ONLY}
    files["static/api.js"] = b'// There is no server here.\n\nexport * from "./alone/api.js";\n'
    index = (STATIC / "index.html").read_text(encoding="utf-8").replace('"/static/', '"static/')
    policy = f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
    files["index.html"] = index.replace('<meta charset="utf-8">', f'<meta charset="utf-8">\n{policy}').encode()
    return files


def _checked(runtime: Path, wanted: downloads.Download) -> Path:
    """A file of the runtime. Raises ModelError where it is not the one of the table."""
    path = runtime / wanted.file
    if not path.is_file():
        raise ModelError(f"{shown(path)}: is missing; the runtime is {wanted.file} of {downloads.RUNTIME_NAME}")
    if sha256_of(path) != wanted.sha256:
        raise ModelError(
            f"{shown(path)}: not the file of {downloads.RUNTIME_NAME} (its sha256 is not the expected one)"
        )
    return path


def _mark() -> Mark:
    return Mark(registry.DEFAULT, weights=registry.find().weights)


def _packed(path: Path) -> bytes:
    return gzip.compress(path.read_bytes(), 9, mtime=0)


def _listed(files: dict[str, bytes]) -> dict[str, Any]:
    return {name: {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)} for name, data in files.items()}
