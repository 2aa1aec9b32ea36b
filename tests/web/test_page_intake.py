"""What comes in on the page: folders, samples, scans that are too large, files that are none."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from instcolor.web.limits import Limits
from support import fixtures
from support.visits import DESKTOP, PHONE, Visit, photo
from support.web_server import running


@pytest.fixture
def album(tmp_path: Path) -> Path:
    """A folder with subfolders: three photos, and two files that are none."""
    for name in ("a.jpg", "more/b.jpg", "more/deep/c.png"):
        path = tmp_path / "album" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(photo(format="PNG" if path.suffix == ".png" else "JPEG"))
    (tmp_path / "album" / "notes.txt").write_text("no photo")
    (tmp_path / "album" / "more" / "Thumbs.db").write_text("no photo")
    return tmp_path / "album"


def dropped_by_the_system(visit: Visit, *paths: Path) -> None:
    """Drops files and folders of this machine, as a file manager does."""
    box = visit.page.locator("body").bounding_box()
    session = visit.page.context.new_cdp_session(visit.page)
    data = {"items": [], "files": [str(path) for path in paths], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        place = {"x": box["width"] / 2, "y": min(box["height"] / 2, 300)}
        session.send("Input.dispatchDragEvent", {"type": kind, **place, "data": data})


def test_a_dropped_folder_comes_with_its_subfolders(visit: Visit, album: Path) -> None:
    dropped_by_the_system(visit, album)
    visit.done(3)
    names = visit.page.locator(".card .name").all_inner_texts()
    assert sorted(names) == ["a.jpg", "b.jpg", "c.png"]
    assert visit.page.inner_text("#message") == "2 files in the folder are no photos and were left out."


def test_a_folder_without_photos_is_told(visit: Visit, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "notes.txt").write_text("no photo")
    dropped_by_the_system(visit, tmp_path / "empty")
    visit.page.wait_for_selector("#message:not([hidden])")
    assert visit.page.inner_text("#message") == "There are no photos in that folder."


def test_a_folder_is_chosen(visit: Visit, album: Path) -> None:
    visit.page.set_input_files("#start input[webkitdirectory]", str(album))
    visit.done(3)


def test_the_server_is_only_said_to_be_away_when_it_is(visit: Visit, tmp_path: Path) -> None:
    page = visit.page
    path = tmp_path / "gone.jpg"
    path.write_bytes(photo())
    page.set_input_files("#choose", str(path))
    visit.done(1)
    page.click(".card .remove")
    page.evaluate("() => (window.original = File.prototype.slice)")
    # a file that is moved away between choosing and sending
    path.write_bytes(photo() * 2)
    page.evaluate(
        """async () => {
            const { add } = await import("/static/photos.js");
            const file = new File(["x"], "moved.jpg");
            file.slice = () => ({ arrayBuffer: () => Promise.reject(new Error("NotFound")) });
            const Real = XMLHttpRequest;
            window.XMLHttpRequest = class extends Real { send() { setTimeout(() => this.onloadend(), 10); } };
            add([file]);
            setTimeout(() => (window.XMLHttpRequest = Real), 200);
        }"""
    )
    card = page.wait_for_selector(".card[data-status=failed]")
    assert "cannot be read any more" in card.inner_text()
    assert "The server cannot be reached" not in page.inner_text("body")


def test_a_server_that_is_away_is_said_to_be(browser: Any) -> None:
    with running() as server:
        context = browser.new_context(locale="en-US", **DESKTOP)
        visit = Visit(context.new_page(), server.address)
        visit.page.wait_for_selector("#sample:visible")
        server.process.kill()
        server.process.wait()
        visit.add(("a.jpg", photo()))
        visit.page.wait_for_selector(".card[data-status=failed]")
        assert "The server cannot be reached" in visit.page.inner_text(".card .state")
        context.close()


def test_a_newcomer_is_done_in_three_actions_on_a_phone(visiting: Callable[..., Visit]) -> None:
    visit = visiting(**PHONE)
    visit.page.tap("#sample")
    visit.done(1)
    name, data = visit.download("#download")
    assert name == "sample-color.jpg"
    assert Image.open(io.BytesIO(data)).size == (1024, 819)


def test_formats_limits_and_where_photos_go_are_told_first(visit: Visit) -> None:
    text = visit.page.inner_text("#start")
    for word in ("JPEG", "HEIC", "100 megapixels", "512 MB", "Nothing leaves this machine", "15 minutes"):
        assert word in text
    assert visit.page.evaluate("() => document.querySelector('.show').naturalWidth") == 640


def test_a_scan_that_is_too_large_is_colored_as_a_smaller_copy(browser: Any) -> None:
    with running(Limits(pixels=50_000)) as server:
        context = browser.new_context(locale="en-US", **DESKTOP)
        visit = Visit(context.new_page(), server.address)
        visit.add(("scan.jpg", photo(320, 200)))
        visit.page.wait_for_selector(".card[data-status=failed]")
        assert "megapixels that this server takes" in visit.page.inner_text(".card .state")
        visit.page.click(".smaller")
        visit.done(1)
        _, data = visit.download("#download")
        width, height = Image.open(io.BytesIO(data)).size
        assert 40_000 < width * height <= 50_000
        assert width / height == pytest.approx(1.6, abs=0.02)
        context.close()


def test_a_heic_photo_just_works(visit: Visit) -> None:
    pytest.importorskip("pi_heif", reason="pi-heif is not installed")
    made = Path(__file__).parents[1] / "photo" / "fixture.heic"
    if not made.exists():
        pytest.skip("no HEIC photo to try: nothing here can write one")
    visit.add(("phone.heic", made.read_bytes()))
    visit.done(1)


def test_no_decoders_words_and_no_long_message_reach_a_person(visit: Visit) -> None:
    broken = fixtures.encoded(fixtures.image("L", 400, 300), "PNG")[:-4000]
    visit.add(("broken.png", broken), ("b.jpg", photo()))
    visit.done(1)
    card = visit.page.wait_for_selector(".card[data-status=failed]")
    assert "This file is damaged" in card.inner_text()
    for word in ("truncated", "decoder", "stream", "IDAT", "unknown kind"):
        assert word not in card.inner_text()
    cards = [box.bounding_box() for box in visit.page.query_selector_all(".card")]
    visit.page.click(".card[data-status=failed] .more")
    whole = visit.page.locator(".card[data-status=failed]").bounding_box()["height"]
    assert cards[0]["height"] - cards[1]["height"] < 80
    assert whole >= cards[0]["height"]


def test_cards_keep_their_order_when_the_page_is_loaded_again(visit: Visit) -> None:
    names = [f"{i}.jpg" for i in range(6)]
    visit.add(*((name, photo(320 - 40 * i, 200)) for i, name in enumerate(names)))
    visit.done(6)
    assert visit.page.locator(".card .name").all_inner_texts() == names
    visit.page.reload()
    visit.done(6)
    assert visit.page.locator(".card .name").all_inner_texts() == names
