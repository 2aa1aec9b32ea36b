"""The way out: formats, sizes, before and after, a film, the share sheet."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image

from support.visits import Visit, photo


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


def test_format_quality_and_size_are_chosen(visit: Visit) -> None:
    visit.add(("a.jpg", photo(2400, 1500)))
    visit.done(1)
    page = visit.page
    page.click("#how summary")
    page.select_option("#size", "1920")
    page.select_option("#format", "WEBP")
    page.fill("#quality", "60")
    name, data = visit.download("#download")
    assert name == "a-color.webp"
    assert opened(data).format == "WEBP"
    assert opened(data).size == (1920, 1200)
    page.fill("#quality", "100")
    assert len(visit.download("#download")[1]) > len(data)
    page.select_option("#format", "PNG")
    assert page.is_disabled("#quality")
    assert page.is_hidden("#small")
    page.select_option("#size", label="print 20 × 30 cm")
    assert page.is_visible("#small")
    assert opened(visit.download("#download")[1]).size == (2400, 1500)


def test_before_and_after_in_one_picture(visit: Visit) -> None:
    visit.add(("a.png", photo(format="PNG")))
    visit.done(1)
    visit.page.click("#how summary")
    visit.page.check("#beside")
    both = np.asarray(opened(visit.download("#download")[1])).astype(int)
    assert both.shape == (200, 640, 3)
    assert np.ptp(both[:, :320], axis=2).max() == 0
    assert np.ptp(both[:, 320:], axis=2).mean() > 5


def test_a_short_film_of_the_slider(visit: Visit) -> None:
    visit.add(("a.jpg", photo()))
    visit.done(1)
    visit.page.click("#how summary")
    name, data = visit.download("#film")
    assert Path(name).suffix in (".webm", ".mp4")
    assert len(data) > 5_000
    assert data[:4] == b"\x1aE\xdf\xa3" or data[4:8] == b"ftyp"


def test_the_share_sheet_gets_the_file_where_there_is_one(visit: Visit) -> None:
    assert visit.page.is_hidden("#share")  # this browser has none
    visit.page.add_init_script(
        """navigator.canShare = () => true;
           navigator.share = async ({ files }) => (window.shared = [files[0].name, files[0].type, files[0].size]);"""
    )
    visit.page.reload()
    visit.add(("a.jpg", photo()))
    visit.done(1)
    visit.page.click("#share")
    visit.page.wait_for_function("() => window.shared")
    name, kind, size = visit.page.evaluate("() => window.shared")
    assert (name, kind) == ("a-color.jpg", "image/jpeg")
    assert size > 1000
