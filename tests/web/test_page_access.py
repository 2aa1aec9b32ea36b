"""For everybody, and light: axe-core finds no serious fault; the page itself tells first paint, weight and shifts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from support.places import ROOT
from support.visits import DESKTOP, PHONE, Visit, photo

AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
WEIGHT = 400_000  # bytes of the page before there is a photo


@pytest.fixture
def axe() -> str:
    if not AXE.exists():
        pytest.skip("axe-core is not installed (npm install)")
    return AXE.read_text(encoding="utf-8")


def faults(visit: Visit, axe: str) -> list[Any]:
    """Serious and critical findings of axe-core, with what they are about."""
    visit.page.evaluate(axe)
    found: list[Any] = visit.page.evaluate(
        """async () => (await axe.run()).violations
            .filter(({ impact }) => impact === "serious" || impact === "critical")
            .map(({ id, nodes }) => [id, nodes.map((node) => node.html.slice(0, 160))])"""
    )
    return found


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("screen", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_axe_finds_no_serious_fault(
    visiting: Callable[..., Visit], axe: str, screen: dict[str, Any], scheme: str
) -> None:
    visit = visiting(**screen, color_scheme=scheme, bypass_csp=True)
    assert faults(visit, axe) == []
    visit.add(("a.jpg", photo()), ("broken.jpg", b"nothing"))
    visit.done(1)
    visit.page.click("#how summary")
    visit.page.click("[data-tool=objects]")
    assert faults(visit, axe) == []
    visit.page.click("[data-tool=color]")
    visit.page.click("#sure")
    visit.page.mouse.click(*visit.point(0.1, 0.1))
    visit.page.locator("#suggested .swatch").first.wait_for()
    assert faults(visit, axe) == []


def test_axe_finds_no_serious_fault_in_the_documentation(visiting: Callable[..., Visit], axe: str) -> None:
    visit = visiting(bypass_csp=True)
    visit.page.goto(f"{visit.address}/docs")
    visit.page.wait_for_selector(".operation")
    assert faults(visit, axe) == []


def test_the_documentation_shows_every_operation_and_needs_nobody(visit: Visit) -> None:
    visit.page.goto(f"{visit.address}/docs")
    visit.page.wait_for_selector(".operation")
    text = visit.page.inner_text("#api")
    for path in ("/api/colorize", "/api/photos/{id}/result", "/api/archive"):
        assert path in text
    visit.page.locator(".operation", has_text="/api/colorize").first.click()
    assert "415" in visit.page.inner_text("#api")


def test_the_first_page_is_light_and_stands_still(visiting: Callable[..., Visit]) -> None:
    visit = visiting()
    measured = visit.page.evaluate(
        """async () => {
            const of = (type) => new Promise((done) => {
                const observer = new PerformanceObserver((list) => done(list.getEntries()));
                observer.observe({ type, buffered: true });
                setTimeout(() => done([]), 1000);
            });
            const [paints, shifts] = await Promise.all([of("paint"), of("layout-shift")]);
            const files = performance.getEntriesByType("resource");
            return {
                paint: paints.find(({ name }) => name === "first-contentful-paint")?.startTime,
                shift: shifts.reduce((sum, { value }) => sum + value, 0),
                bytes: files.reduce((sum, { transferSize }) => sum + transferSize, 0),
            };
        }"""
    )
    print(measured)
    assert measured["paint"] > 0
    assert measured["bytes"] < WEIGHT
    assert measured["shift"] < 0.1
