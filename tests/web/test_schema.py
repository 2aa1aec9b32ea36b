"""Schemathesis asks what the OpenAPI document allows, and what it does not: nothing may break the server."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

pytest.importorskip("schemathesis", reason="schemathesis is not installed")

import schemathesis

from instcolor.web.limits import Limits
from support.web_requests import added, photo
from support.web_server import Running, running

EXAMPLES = 12
PROBLEM = ["application/problem+json"]
OPERATIONS = [
    ("GET", "/healthz"),
    ("GET", "/metrics"),
    ("GET", "/api/models"),
    ("POST", "/api/colorize"),
    ("POST", "/api/detect"),
    ("POST", "/api/photos"),
    ("GET", "/api/photos"),
    ("GET", "/api/photos/{id}"),
    ("GET", "/api/photos/{id}/gray"),
    ("GET", "/api/photos/{id}/planes"),
    ("GET", "/api/photos/{id}/layer"),
    ("GET", "/api/photos/{id}/result"),
    ("GET", "/api/photos/{id}/colors"),
    ("POST", "/api/photos/{id}/look"),
    ("POST", "/api/photos/{id}/alternatives"),
    ("POST", "/api/photos/{id}/reference"),
    ("DELETE", "/api/photos/{id}"),
    ("POST", "/api/archive"),
]


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    with running(Limits(queue=10_000)) as started:  # a full queue is answered by 503, which is meant
        yield started


@pytest.fixture(scope="module")
def document(server: Running) -> Any:
    with server.client() as client:
        return client.get("/api/openapi.json").json()


def test_every_operation_of_the_document_is_asked(document: Any) -> None:
    described = {(method.upper(), path) for path, item in document["paths"].items() for method in item}
    assert described == {*OPERATIONS, ("GET", "/api/events")}  # events never end


@pytest.mark.parametrize("mode", ["POSITIVE", "NEGATIVE"])
@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_nothing_asked_breaks_the_server(server: Running, document: Any, method: str, path: str, mode: str) -> None:
    operation = schemathesis.openapi.from_dict(document)[path][method]
    kind = schemathesis.GenerationMode[mode]
    if mode == "NEGATIVE" and not (operation.query or operation.body):
        pytest.skip("nothing can be wrong in it")
    with server.client() as client:
        (state,) = added(client, photo())

        @given(case=operation.as_strategy(generation_mode=kind))
        @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), database=None)
        def ask(case: schemathesis.Case[Any]) -> None:
            if mode == "POSITIVE" and method != "DELETE" and "id" in case.path_parameters:
                case.path_parameters["id"] = state["id"]
            response = case.call(base_url=server.address, cookies=dict(client.cookies))
            assert response.status_code < 500, response.text
            if response.status_code >= 400:
                assert response.headers["content-type"] in ("application/problem+json", PROBLEM)

        ask()
