"""Looking closely: any scale, panning, both halves sharp, what is sure and what is not, boxes and their names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from support.visits import PHONE, Visit, photo


def stage(visit: Visit) -> dict[str, float]:
    box: dict[str, float] = visit.page.locator("#stage").bounding_box()
    return box


def test_the_wheel_zooms_at_the_pointer(visit: Visit) -> None:
    visit.add(("a.jpg", photo(1600, 1200)))
    visit.done(1)
    before, at = stage(visit), visit.point(0.3, 0.4)
    visit.page.mouse.move(*at)
    visit.page.mouse.wheel(0, -400)
    visit.page.wait_for_timeout(100)
    after = stage(visit)
    assert after["width"] / before["width"] == pytest.approx(np.exp(0.8), rel=0.01)
    assert visit.point(0.3, 0.4) == pytest.approx(at, abs=1)
    for _ in range(8):
        visit.page.mouse.wheel(0, 800)
    visit.page.wait_for_timeout(100)
    assert stage(visit)["width"] == pytest.approx(before["width"], abs=1)


def test_a_zoomed_photo_is_moved_and_never_lost(visit: Visit) -> None:
    visit.add(("a.jpg", photo(1600, 1200)))
    visit.done(1)
    page = visit.page
    page.click("#zoom")
    assert page.inner_text("#zoom") == "100 %"
    before = stage(visit)
    frame = page.locator("#frame").bounding_box()
    middle = frame["x"] + frame["width"] * 0.7, frame["y"] + frame["height"] / 2
    page.mouse.move(*middle)
    page.mouse.down()
    page.mouse.move(middle[0] - 120, middle[1] - 60, steps=4)
    page.mouse.up()
    after = stage(visit)
    assert (after["x"] - before["x"], after["y"] - before["y"]) == pytest.approx((-120, -60), abs=2)
    for _ in range(2):
        page.mouse.move(*middle)
        page.mouse.down()
        page.mouse.move(middle[0] - 3000, middle[1] - 3000, steps=2)
        page.mouse.up()
    last = stage(visit)
    assert last["x"] + last["width"] == pytest.approx(frame["x"] + frame["width"], abs=1)
    page.keyboard.press("0")
    assert stage(visit)["width"] <= frame["width"] + 1


def test_waiting_for_the_full_size_shows(visit: Visit) -> None:
    visit.add(("a.jpg", photo(1600, 1200)))
    visit.done(1)
    visit.page.click("#zoom")
    visit.page.wait_for_selector("#sharpening:not([hidden])")
    visit.page.wait_for_selector("#exact:not([hidden])")
    visit.page.wait_for_selector("#sharpening", state="hidden")
    width = "() => document.getElementById('gray').naturalWidth"
    assert visit.page.evaluate(width) == 1600


def test_two_fingers_zoom(visiting: Callable[..., Visit]) -> None:
    visit = visiting(**PHONE)
    visit.add(("a.jpg", photo(1600, 1200)))
    visit.done(1)
    before = stage(visit)
    x, y = visit.point(0.5, 0.5)
    session = visit.page.context.new_cdp_session(visit.page)

    def touch(kind: str, apart: float) -> None:
        points: list[dict[str, Any]] = [{"x": x - apart, "y": y, "id": 0}, {"x": x + apart, "y": y, "id": 1}]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points if kind != "touchEnd" else []})

    touch("touchStart", 30)
    for apart in range(35, 95, 5):
        touch("touchMove", apart)
    touch("touchEnd", 0)
    visit.page.wait_for_timeout(200)
    assert stage(visit)["width"] > 2 * before["width"]
    assert visit.page.get_attribute("#divider", "aria-valuenow") == "50"  # the fingers did not move the line


def test_keys_go_to_the_next_photo_and_back(visit: Visit) -> None:
    visit.add(("a.jpg", photo()), ("b.jpg", photo(format="PNG")), ("c.jpg", photo()))
    visit.done(3)
    visit.page.click(".card .open >> nth=0")
    visit.page.wait_for_function("() => document.getElementById('title').textContent === 'a.jpg'")
    for key, name in (("n", "b.jpg"), ("ArrowRight", "c.jpg"), ("ArrowRight", "a.jpg"), ("p", "c.jpg")):
        visit.page.evaluate("() => document.activeElement.blur()")
        visit.page.keyboard.press(key)
        visit.page.wait_for_function(f"() => document.getElementById('title').textContent === '{name}'")


def test_how_sure_is_a_calm_veil_with_a_legend(visit: Visit) -> None:
    visit.add(("a.jpg", photo()))
    visit.done(1)
    visit.page.click("#sure")
    assert visit.page.inner_text("#legend").split() == ["sure", "a", "guess"]
    pixels = visit.page.evaluate(
        """async () => {
            const { view } = await import("/static/viewer.js");
            view.painter.confidence = Float32Array.of(0.1, 0.3, 0.9);
            return Array.from(view.painter.doubt().data.slice(0, 12));
        }"""
    )
    guess, between, sure = np.array(pixels).reshape(-1, 4)
    assert np.ptp(guess[:3]) <= 20  # gray, whatever it lies over
    assert guess[3] > between[3] > sure[3] == 0
    visit.page.click("#sure")
    assert visit.page.is_hidden("#legend")


def test_a_click_marks_a_box_on_the_photo_and_in_the_list(visit: Visit) -> None:
    visit.add(("a.jpg", photo()))
    visit.done(1)
    visit.page.click("[data-tool=objects]")
    visit.page.mouse.click(*visit.point(0.3, 0.5))
    assert "selected" in visit.page.get_attribute(".box", "class")
    assert visit.page.get_attribute("#objects li", "aria-current") == "true"
    visit.page.mouse.click(*visit.point(0.05, 0.05))
    assert "selected" not in visit.page.get_attribute(".box", "class")


PEOPLE = [[20, 10, 120, 390], [130, 60, 240, 390], [240, 0, 400, 400], [60, 120, 160, 400], [400, 20, 590, 300]]


def test_names_never_stand_on_faces(visit: Visit) -> None:
    visit.add(("a.jpg", photo(600, 400)))
    visit.done(1)
    visit.page.click("[data-tool=objects]")
    visit.page.evaluate(
        """async (boxes) => {
            const [{ view }, { show }] = await Promise.all([import("/static/viewer.js"), import("/static/boxes.js")]);
            view.photo.objects = boxes.map((box, i) => ({ box, label: "person", score: 1, on: true, key: String(i) }));
            show();
        }""",
        PEOPLE,
    )
    left, top = visit.point(0, 0)
    scale = stage(visit)["width"] / 600
    heads = [(x0 + (x1 - x0) / 4, y0, x1 - (x1 - x0) / 4, y0 + 0.3 * (y1 - y0)) for x0, y0, x1, y1 in PEOPLE]
    tags = [tag.bounding_box() for tag in visit.page.query_selector_all(".box .label")]
    assert len(tags) == len(PEOPLE)
    for tag in tags:
        x, y = (tag["x"] - left) / scale, (tag["y"] - top) / scale
        right, bottom = x + tag["width"] / scale, y + tag["height"] / scale
        for x0, y0, x1, y1 in heads:
            assert right <= x0 + 1 or x >= x1 - 1 or bottom <= y0 + 1 or y >= y1 - 1


def test_how_likely_a_color_is_can_be_read(visit: Visit) -> None:
    visit.add(("a.jpg", photo()))
    visit.done(1)
    visit.page.click("[data-tool=color]")
    visit.page.mouse.click(*visit.point(0.1, 0.1))
    visit.page.locator("#suggested .swatch").first.wait_for()
    texts = visit.page.locator("#suggested .swatch").all_inner_texts()
    assert all(text.strip().endswith("%") for text in texts[:-1])
    assert texts[-1].strip() == "gray"
