"""Multipart forms: photos to files with names of our own, fields counted, nothing unknown accepted."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from pydantic import BaseModel, ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request

from . import names
from .limits import Limits
from .problems import Problem
from .store import Store

Model = TypeVar("Model", bound=BaseModel)


class Form(NamedTuple):
    """What was sent."""

    photos: list[tuple[str, Path]]
    """Names as the client has them, cleaned, and files; those still there when the form is left are deleted."""
    options: str


@asynccontextmanager
async def read_form(request: Request, store: Store, limits: Limits, *, most: int) -> AsyncIterator[Form]:
    """The parts `photo` (1 to `most`) and `options` (one at most). Raises Problem."""
    if not request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        raise Problem(415, "not_a_form", "Send the photo as multipart/form-data, in a part called photo.")
    photos: list[tuple[str, Path]] = []
    options: list[str] = []
    try:
        try:
            form = await request.form(
                max_files=limits.files + 1, max_fields=limits.fields, max_part_size=limits.field_bytes
            )
        except HTTPException as error:
            raise Problem(400, "bad_form", str(error.detail)) from None
        try:
            for key, part in form.multi_items():
                if key == "photo" and isinstance(part, UploadFile):
                    path = store.incoming()
                    photos.append((names.clean(part.filename), path))
                    await run_in_threadpool(_write, part, path)
                elif key == "options":
                    options.append(part if isinstance(part, str) else await _text(part, limits.field_bytes))
                else:
                    raise Problem(400, "unknown_part", "Only parts called photo (a file) and options are understood.")
        finally:
            await form.close()
        if len(photos) > limits.files:
            raise Problem(400, "bad_form", f"A form may have at most {limits.files} photos.")
        if not 1 <= len(photos) <= most:
            wanted = "one photo" if most == 1 else f"1 to {most} photos"
            raise Problem(400, "wrong_number", f"The form must have {wanted}, not {len(photos)}.")
        if len(options) > 1:
            raise Problem(400, "wrong_number", "The form must have at most one part called options.")
        yield Form(photos, options[0] if options else "{}")
    finally:
        for _, path in photos:
            path.unlink(missing_ok=True)


def parsed(model: type[Model], text: str) -> Model:
    """JSON of a field as a schema has it. Raises Problem 422."""
    try:
        return model.model_validate_json(text)
    except ValidationError as error:
        raise invalid(error.errors(include_url=False, include_context=False, include_input=False)) from None


def invalid(errors: object) -> Problem:
    """The first of pydantic's findings as a sentence."""
    first: dict[str, Any] = next(iter(errors if isinstance(errors, list | tuple) else ()), {})
    where = ".".join(str(part) for part in first.get("loc", ()) if part not in ("body", "query"))
    return Problem(422, "invalid", f"{where or 'The request'}: {first.get('msg', 'not understood')}")


async def _text(part: UploadFile, most: int) -> str:
    """The options as a client sends them that makes a file of every part. Raises Problem."""
    data = await part.read(most + 1)
    if len(data) > most:
        raise Problem(400, "bad_form", f"The part options may have at most {most:,} bytes.")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise Problem(400, "bad_form", "The part options is not UTF-8.") from None


def _write(part: UploadFile, path: Path) -> None:
    with path.open("xb") as file:
        shutil.copyfileobj(part.file, file, 1 << 20)
