"""What FastAPI cannot read off the routes for the OpenAPI document: forms, and how requests are refused."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from .schemas import Options

PROBLEM = "application/problem+json"
FORM = "multipart/form-data"
TOO_LARGE = {413: "The request has more bytes than are taken."}
FORMS = {400: "The form has other parts than it should.", 415: "The body is no form."} | TOO_LARGE
BODIES = {400: "The body is no JSON."} | TOO_LARGE
UNKNOWN = {404: "There is nothing here, or no longer, or it is somebody else's."}
NOT_UNDERSTOOD = {422: "What is asked makes no sense, or the photo cannot be read; `code` says which."}
WORK = {
    409: "The photo has no colors yet.",
    503: "Too many photos wait, or the server stops; Retry-After says when to ask again.",
    504: "It took too long.",
}


class ProblemDocument(BaseModel):
    """How a request is refused (RFC 9457): `code` is for programs, `detail` a sentence for people."""

    type: str = "about:blank"
    title: str
    status: int
    code: str
    detail: str


def describe(document: dict[str, Any]) -> None:
    """Adds to an OpenAPI document, in place."""
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    for name, model in (("Options", Options), ("Problem", ProblemDocument)):
        schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas.update(schema.pop("$defs", {}) | {name: schema})
    for path, item in document["paths"].items():
        for method, operation in item.items():
            operation["responses"] |= {
                str(status): _answer(text) for status, text in _refusals(path, method, operation)
            }


def _refusals(path: str, method: str, operation: dict[str, Any]) -> list[tuple[int, str]]:
    content = operation.get("requestBody", {}).get("content", {})
    known: dict[int, str] = {}
    if content:
        known |= FORMS if FORM in content else BODIES
    if "{id}" in path or path == "/api/archive":
        known |= UNKNOWN
    if content or operation.get("parameters"):
        known |= NOT_UNDERSTOOD
    if method == "post" or path.endswith(("/result", "/colors")):
        known |= WORK
    return sorted(known.items())


def _answer(text: str) -> dict[str, Any]:
    return {"description": text, "content": {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}}}
