"""The page under a finger."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from support.visits import PHONE, Visit, photo

FINGER = 44


@pytest.fixture
def phone(visiting: Callable[..., Visit]) -> Visit:
    visit = visiting(**PHONE)
    visit.add(("a.jpg", photo()), ("b.jpg", photo(200, 300)))
    visit.done(2)
    return visit


def small_targets(visit: Visit) -> list[Any]:
    """What can be touched and is smaller than a finger."""
    found: list[Any] = visit.page.evaluate(
        """(finger) => [...document.querySelectorAll(
            "button, select, summary, label.button, label.check, input[type=range]")]
            .filter((one) => one.checkVisibility() && !one.closest(".box"))
            .map((one) => [one.id || one.className || one.textContent, one.getBoundingClientRect()])
            .filter(([, box]) => box.height && (box.height < finger - 0.5 || box.width < finger - 0.5))
            .map(([name, box]) => [name, box.width, box.height])""",
        FINGER,
    )
    return found


def test_everything_to_touch_is_large_enough_for_a_finger(phone: Visit) -> None:
    phone.page.click("#how summary")
    phone.page.click("#found summary")
    assert small_targets(phone) == []
    phone.page.click("[data-tool=color]")
    phone.page.touchscreen.tap(*phone.point(0.1, 0.1))
    phone.page.locator("#suggested .swatch").first.wait_for()
    assert small_targets(phone) == []


def test_the_strip_of_photos_is_under_the_photo(phone: Visit) -> None:
    boxes = {id: phone.page.locator(f"#{id}").bounding_box() for id in ("viewer", "album", "panel")}
    assert boxes["viewer"]["y"] < boxes["album"]["y"] < boxes["panel"]["y"]
    tops = {round(card.bounding_box()["y"]) for card in phone.page.query_selector_all(".card")}
    assert len(tops) == 1


@pytest.mark.parametrize("y", [0.1, 0.5, 0.9])
def test_the_palette_does_not_cover_the_spot(phone: Visit, y: float) -> None:
    phone.page.click("[data-tool=color]")
    x, down = phone.point(0.5, y)
    phone.page.touchscreen.tap(x, down)
    phone.page.locator("#suggested .swatch").first.wait_for()
    palette = phone.page.locator("#palette").bounding_box()
    assert not palette["y"] <= down <= palette["y"] + palette["height"]


def test_words_are_for_fingers(phone: Visit) -> None:
    assert "finger" in phone.page.inner_text("#hint")
    phone.page.click("[data-tool=color]")
    assert phone.page.inner_text("#hint").startswith("Tap")
