"""What a person does on the page, in a real browser on a real server."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from support import fixtures
from support.places import SOURCE
from support.visits import PHONE, Visit, photo

STATIC = SOURCE / "web" / "static"


def test_five_dropped_photos_of_which_one_is_broken_come_home_as_a_zip(visit: Visit) -> None:
    visit.drop(
        ("one.jpg", photo()),
        ("broken.jpg", b"this is no photo"),
        ("two.png", photo(format="PNG")),
        ("three.tif", photo(format="TIFF")),
        ("four.webp", photo(format="WEBP")),
    )
    visit.done(4)
    failed = visit.page.wait_for_selector(".card[data-status=failed]")
    assert "This is not a photo that can be read" in failed.inner_text()
    assert visit.page.inner_text("#overall") == "4 photos are ready, 1 could not be colored"
    name, data = visit.download("#all")
    assert name == "instcolor.zip"
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert sorted(archive.namelist()) == [
            "four-color.webp",
            "one-color.jpg",
            "three-color.tif",
            "two-color.png",
        ]
        for member in archive.namelist():
            image = Image.open(io.BytesIO(archive.read(member)))
            assert image.size == (320, 200)
            assert np.ptp(np.asarray(image.convert("RGB")).astype(int), axis=2).mean() > 5


def test_three_actions_from_the_first_page_to_a_photo_on_the_disk(visit: Visit) -> None:
    visit.add(("aunt.jpg", photo()))
    visit.done(1)
    name, data = visit.download("#download")
    assert name == "aunt-color.jpg"
    assert Image.open(io.BytesIO(data)).format == "JPEG"


def test_the_page_paints_what_the_server_paints(visit: Visit, tmp_path: Path) -> None:
    data = photo(format="PNG")
    visit.add(("a.png", data))
    visit.done(1)
    wish = {"style": 0.8, "saturation": 1.3, "strength": 0.9, "warmth": 0.4}
    for name, value in wish.items():
        visit.page.fill(f"#{name}", str(value))
    visit.page.wait_for_timeout(500)
    painted = visit.pixels()
    _, result = visit.download("#download")
    exact = np.asarray(Image.open(io.BytesIO(result)))
    difference = np.abs(painted.astype(int) - exact.astype(int))
    assert difference.mean() < 2.5
    assert np.percentile(difference, 99) < 12


def test_sliders_paint_without_asking_the_server(visit: Visit) -> None:
    visit.add(("a.jpg", photo()))
    visit.done(1)
    before, asked = visit.pixels(), len(visit.requests)
    visit.page.fill("#strength", "0")
    visit.page.wait_for_timeout(300)
    gray = visit.pixels()
    assert np.ptp(gray.astype(int), axis=2).max() <= 2
    assert np.abs(before.astype(int) - gray).mean() > 3
    assert len([url for url in visit.requests[asked:] if "/api/" in url]) == 0


def test_before_and_after_by_mouse_and_keys(visit: Visit) -> None:
    visit.add(("a.jpg", photo()))
    visit.done(1)
    visit.drag((0.5, 0.5), (0.25, 0.5))
    assert visit.page.get_attribute("#divider", "aria-valuenow") == "25"
    visit.page.focus("#divider")
    visit.page.keyboard.press("ArrowRight")
    visit.page.keyboard.press("PageUp")
    assert visit.page.get_attribute("#divider", "aria-valuenow") == "37"
    visit.page.keyboard.press("Home")
    assert visit.page.get_attribute("#divider", "aria-valuetext") == "0 % as it was"


def test_objects_are_switched_drawn_resized_and_undone(visit: Visit) -> None:
    visit.add(("a.jpg", photo()))
    visit.done(1)
    page = visit.page
    with_object = visit.pixels()
    page.click("[data-tool=objects]")
    page.click(".box .label")
    visit.look(2)
    without = visit.pixels()
    changed = np.abs(with_object.astype(int) - without).mean(2) > 8
    assert changed[60:140, 100:220].mean() > 0.9  # the detector's box
    assert changed[:40].mean() < 0.2
    assert "off" in page.get_attribute(".box", "class")
    visit.drag((0.05, 0.1), (0.2, 0.3))
    visit.look(3)
    assert page.locator(".box .label").all_inner_texts() == ["thing", "object"]
    assert page.inner_text("#count") == "(1 of 2)"
    box = page.locator(".box").nth(1)
    old = box.bounding_box()
    visit.drag((0.2, 0.3), (0.4, 0.6))
    visit.look(4)
    assert page.locator(".box").nth(1).bounding_box()["width"] > 2 * old["width"]
    for version in (5, 6, 7):
        page.click("#undo")
        visit.look(version)
    np.testing.assert_array_equal(visit.pixels(), with_object)
    assert page.is_disabled("#undo")
    page.click("#redo")
    visit.look(8)
    np.testing.assert_array_equal(visit.pixels(), without)


def test_a_color_is_chosen_for_a_spot(visit: Visit) -> None:
    visit.add(("a.jpg", photo()))
    visit.done(1)
    page = visit.page
    page.fill("#style", "0")  # the regression, which these tests' network takes from the hints
    page.click("[data-tool=color]")
    visit.drag((0.1, 0.1), (0.2, 0.15))
    swatches = page.locator("#suggested .swatch")
    swatches.first.wait_for()
    assert 3 <= swatches.count() <= 7
    assert "likely" in swatches.first.get_attribute("title")
    page.fill("#any", "#2040c0")
    page.dispatch_event("#any", "change")
    visit.look(2)
    painted = visit.pixels().astype(int)
    assert visit.hints()[0]["reach"] == "edges"
    spot = painted[22:30, 40:60]
    assert (spot[..., 2] - spot[..., 0]).mean() > 30
    assert page.locator("#strokes path").count() == 2
    page.keyboard.press("Control+z")
    visit.look(3)
    page.keyboard.press("Control+Shift+z")
    visit.look(4)
    np.testing.assert_array_equal(visit.pixels(), painted)
    page.click("#reset")
    visit.look(5)
    assert page.locator("#strokes path").count() == 0


def test_other_colorings_are_pictures_to_choose_among(visit: Visit) -> None:
    visit.add(("a.jpg", photo()))
    visit.done(1)
    page = visit.page
    first = visit.pixels()
    page.click("#others")
    pictures = page.locator(".alternative img")
    page.wait_for_selector(".alternative >> nth=3")
    page.wait_for_function("() => [...document.querySelectorAll('.alternative img')].every((one) => one.naturalWidth)")
    shown = pictures.evaluate_all(
        """(all) => all.map((one) => {
            const canvas = new OffscreenCanvas(28, 18);
            canvas.getContext("2d").drawImage(one, 0, 0, 28, 18);
            return Array.from(canvas.getContext("2d").getImageData(0, 0, 28, 18).data);
        })"""
    )
    colors = [np.array(data).reshape(18, 28, 4)[..., :3] for data in shown]
    small = np.asarray(Image.fromarray(first).resize((28, 18), Image.Resampling.BOX)).astype(int)
    assert np.abs(colors[0] - small).mean() < 6
    assert min(np.abs(one - colors[0]).mean() for one in colors[1:]) > 6
    assert page.evaluate("() => document.activeElement.title") == "The first coloring"
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    visit.look(2)
    chosen = np.asarray(Image.fromarray(visit.pixels()).resize((28, 18), Image.Resampling.BOX)).astype(int)
    assert np.abs(chosen - colors[1]).mean() < 6
    assert page.get_attribute(".alternative >> nth=1", "aria-pressed") == "true"
    page.click(".alternative >> nth=0")
    visit.look(3)
    np.testing.assert_array_equal(visit.pixels(), first)
    page.click("[data-tool=objects]")
    page.click(".box .label")
    visit.look(4)
    assert page.locator(".alternative").count() == 0  # they were those of other objects


def test_borrowed_colors(visit: Visit) -> None:
    visit.add(("a.jpg", photo()))
    visit.done(1)
    red = fixtures.encoded(Image.new("RGB", (60, 60), (200, 30, 30)), "PNG")
    visit.page.set_input_files("#reference", {"name": "red.png", "mimeType": "image/png", "buffer": red})
    visit.look(2)
    painted = visit.pixels().astype(int)
    assert (painted[..., 0] - painted[..., 1]).mean() > 10


def test_an_object_is_colored_whole(visit: Visit) -> None:
    visit.add(("a.jpg", photo()))
    visit.done(1)
    page = visit.page
    before = visit.pixels().astype(int)
    page.click("[data-tool=color]")
    with page.expect_response(lambda response: "/colors?box=80&box=50&box=240&box=150" in response.url):
        page.mouse.click(*visit.point(0.45, 0.45))  # its outline is known, so the whole of it is meant
    page.locator("#suggested .swatch").first.wait_for()
    assert page.inner_text("#whole-label").strip() == "The whole thing"
    assert page.is_checked("#whole")
    page.fill("#any", "#2040c0")
    page.dispatch_event("#any", "change")
    visit.look(2)
    assert visit.hints()[0]["box"] == [80, 50, 240, 150]
    moved = np.abs(visit.pixels().astype(int) - before).sum(2)
    y, x = np.indices(moved.shape) + 0.5
    radius = np.hypot((x - 160) / 80, (y - 100) / 50)  # 1 at the outline that the tests' detector gives
    assert (moved[radius < 0.8] > 20).mean() > 0.95
    assert moved[radius > 1.25].max() <= 2
    _, data = visit.download("#download")
    exact = np.asarray(Image.open(io.BytesIO(data)).convert("RGB")).astype(int)
    assert np.abs(exact - visit.pixels()).mean() < 3


def test_a_box_is_added_moved_and_colored_by_keys_alone(visit: Visit) -> None:
    visit.add(("a.jpg", photo()))
    visit.done(1)
    page = visit.page
    page.fill("#style", "0")
    page.focus("#found summary")
    page.keyboard.press("Enter")
    page.focus("#add-box")
    page.keyboard.press("Enter")
    visit.look(2)
    assert page.get_attribute(".box >> nth=1", "aria-label").startswith("object, on")
    assert "lit" not in page.get_attribute(".box >> nth=1", "class")
    page.hover("#objects li >> nth=1")
    assert "lit" in page.get_attribute(".box >> nth=1", "class")
    page.mouse.move(0, 0)
    assert page.evaluate("() => document.activeElement === document.querySelectorAll('.box')[1]")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowDown")
    visit.look(3)
    box = page.evaluate("async () => (await import('/static/viewer.js')).view.photo.objects[1].box")
    np.testing.assert_allclose(box, [320 / 3 + 6.4, 200 / 3, 640 / 3 + 6.4, 400 / 3 + 4], atol=0.01)
    page.keyboard.press("Enter")
    page.locator("#suggested .swatch").first.wait_for()
    assert page.is_checked("#whole")
    assert page.inner_text("#whole-label").strip() == "The whole object"  # and not the larger thing around it
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    visit.look(4)
    assert page.is_hidden("#palette")
    assert page.evaluate("() => document.activeElement === document.querySelectorAll('.box')[1]")
    np.testing.assert_allclose(visit.hints()[0]["box"], box, atol=0.01)


def test_zoom_shows_the_exact_result_and_doubt_an_overlay(visit: Visit) -> None:
    visit.add(("a.jpg", photo(1200, 900)))
    visit.done(1)
    page = visit.page
    page.click("#zoom")
    page.wait_for_selector("#exact:not([hidden])")
    assert page.evaluate("() => document.getElementById('exact').naturalWidth") == 1200
    assert page.locator("#stage").bounding_box()["width"] == pytest.approx(1200, abs=0.1)
    assert page.evaluate("() => document.getElementById('gray').naturalWidth") == 1200  # before as well as after
    page.keyboard.press("z")
    page.keyboard.press("g")
    assert page.is_visible("#doubt")
    assert re.search(r"a guess: about \d+ % of this photo", page.inner_text("#hint"))
    page.keyboard.press("g")
    assert page.is_hidden("#doubt")
    assert "compare" in page.inner_text("#hint")


def test_a_photo_that_the_server_has_deleted_is_sent_again(visit: Visit) -> None:
    visit.add(("a.jpg", photo()))
    visit.done(1)
    ids = re.findall(r"/api/photos/([\w-]+)/planes", " ".join(visit.requests))
    assert (
        visit.page.evaluate("(id) => fetch(`/api/photos/${id}`, { method: 'DELETE' }).then((r) => r.status)", ids[0])
        == 204
    )
    name, data = visit.download("#download")
    assert Image.open(io.BytesIO(data)).size == (320, 200)
    visit.complaints.clear()  # the browser tells of the 404


def test_photos_are_still_there_when_the_page_is_loaded_again(visit: Visit) -> None:
    visit.add(("a.jpg", photo()), ("b.jpg", photo()))
    visit.done(2)
    visit.page.reload()
    visit.done(2)
    visit.page.wait_for_timeout(500)
    assert visit.page.locator(".card[data-status=done]").count() == 2
    name, _ = visit.download("#download")
    assert name in ("a-color.jpg", "b-color.jpg")


def test_a_pasted_picture_becomes_a_card(visit: Visit) -> None:
    visit.page.evaluate(
        """(bytes) => {
            const transfer = new DataTransfer();
            transfer.items.add(new File([new Uint8Array(bytes)], "image.png", { type: "image/png" }));
            document.dispatchEvent(new ClipboardEvent("paste", { clipboardData: transfer }));
        }""",
        list(photo(format="PNG")),
    )
    visit.done(1)
    assert visit.page.inner_text(".card .name") == "image.png"


def test_removing_the_last_card_leads_back_to_the_start(visit: Visit) -> None:
    visit.add(("a.jpg", photo()))
    visit.done(1)
    visit.page.click(".card .remove")
    visit.page.wait_for_selector("#start:not([hidden])")
    assert visit.page.is_hidden("#viewer")
    assert visit.page.evaluate("() => fetch('/api/photos').then((r) => r.json())") == {"photos": []}


def test_before_and_after_by_touch(visiting: Callable[..., Visit]) -> None:
    visit = visiting(**PHONE)
    visit.add(("a.jpg", photo()))
    visit.done(1)
    visit.page.touchscreen.tap(*visit.point(0.8, 0.5))
    visit.page.wait_for_selector("#divider[aria-valuenow='80']", state="attached")


def test_everything_is_reached_by_keys(visit: Visit) -> None:
    visit.add(("a.jpg", photo()), ("b.jpg", photo()))
    visit.done(2)
    page = visit.page
    seen = set()
    page.focus("body")
    for _ in range(60):
        page.keyboard.press("Tab")
        seen.add(
            page.evaluate(
                "() => { const e = document.activeElement; return e.id || e.dataset.tool || e.className || e.tagName; }"
            )
        )
    wanted = {"all", "compare", "objects", "color", "sure", "zoom", "divider", "style", "warmth", "others", "download"}
    assert wanted <= seen, wanted - seen
    unnamed = page.evaluate(
        """() => [...document.querySelectorAll("button, input, [role=slider], [role=group]")]
            .filter((e) => e.checkVisibility() && !(e.textContent.trim() || e.getAttribute("aria-label")
                || e.labels?.length)).map((e) => e.outerHTML)"""
    )
    assert unnamed == []


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (1280, "dark"), (390, "light"), (390, "dark")])
def test_nothing_is_wider_than_the_screen_in_light_and_dark(
    visiting: Callable[..., Visit], width: int, scheme: str
) -> None:
    visit = visiting(viewport={"width": width, "height": 844}, color_scheme=scheme, has_touch=width < 500)
    visit.add(("a rather long name of a photograph of the garden.jpg", photo()), ("b.jpg", photo()))
    visit.done(2)
    assert visit.page.evaluate("() => document.documentElement.scrollWidth") <= width
    channels = visit.page.evaluate("() => getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)")
    assert (np.mean(channels[:3]) < 80) == (scheme == "dark")


def test_the_bundled_page_names_no_other_host() -> None:
    served = {".html", ".css", ".js", ".svg"}
    for path in (one for one in STATIC.rglob("*") if one.suffix in served):
        text = path.read_text(encoding="utf-8")
        for namespace in ("http://www.w3.org/2000/svg", "http://ns.adobe.com/xap/1.0/"):
            text = text.replace(namespace, "")
        assert not re.findall(r"(?:https?:)?//[a-z0-9-]+\.[a-z]", text), path.name
        assert "eval(" not in text
        assert len(text.splitlines()) < 300
