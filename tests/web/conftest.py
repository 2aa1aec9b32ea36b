"""What the tests of the page share: a server, a browser, a visit."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from support.visits import CHROMIUM, DESKTOP, Visit
from support.web_server import Running, running


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """For one module: while Playwright's loop runs in this thread, asyncio.run and first imports of others fail."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine (apt-get install chromium)")
    with playwright.sync_playwright() as p:
        found = p.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield found
        found.close()


@pytest.fixture(scope="session")
def page_server() -> Iterator[Running]:
    with running() as started:
        yield started


@pytest.fixture
def visiting(page_server: Running, browser: Any) -> Iterator[Callable[..., Visit]]:
    """Opens the page in a new window with these options of the browser; nothing may complain or ask another host."""
    opened: list[tuple[Any, Visit]] = []

    def visit(**options: Any) -> Visit:
        context = browser.new_context(**{"accept_downloads": True, "locale": "en-US", **DESKTOP, **options})
        here = Visit(context.new_page(), page_server.address)
        opened.append((context, here))
        return here

    yield visit
    for context, here in opened:
        context.close()
        assert not here.complaints
        assert not here.outside


@pytest.fixture
def visit(visiting: Callable[..., Visit]) -> Visit:
    """The page on a desktop."""
    return visiting()
