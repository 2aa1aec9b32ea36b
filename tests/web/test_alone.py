"""The page in the browser alone: a folder of files on a plain host, under a path of it, in a real browser."""

from __future__ import annotations

import io
import json
import re
import shutil
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from instcolor import Colorizer, Hints, Photo
from instcolor.editing.suggestions import object_hints, suggest
from instcolor.regions import object_layer, spot_layer
from instcolor.web import alone as exporting
from support import alone, fixtures
from support.places import EXAMPLES
from support.visits import DESKTOP, Visit, photo

MOST = 40_000_000  # bytes of a first visit
LIGHT = 500_000  # bytes of the page before there is a photo
PATH = "some/where"
STYLES = 6  # planes of a and b; the last one is the confidence


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that a host serves; the page is deep in it."""
    if not alone.RUNTIME.exists():
        pytest.skip("onnxruntime-web is not installed (npm ci)")
    folder = tmp_path_factory.mktemp("host")
    exporting.export(folder / PATH, alone.RUNTIME)
    return folder


def opened(browser: Any, host: alone.Host, **options: Any) -> Visit:
    context = browser.new_context(**{"accept_downloads": True, "locale": "en-US", **DESKTOP, **options})
    return Visit(context.new_page(), f"{host.address}/{PATH}/")


def outside(visit: Visit, host: alone.Host) -> list[str]:
    """What was asked of others, or of the host beside the page's own path."""
    return [
        *(url for url in visit.requests if not url.startswith((visit.address, f"blob:{host.address}"))),
        *(path for path in host.asked if not path.startswith(f"/{PATH}/")),
    ]


@pytest.fixture(scope="module")
def host(exported: Path) -> Iterator[alone.Host]:
    with alone.hosting(exported) as found:
        yield found


@pytest.fixture(scope="module")
def visit(browser: Any, host: alone.Host) -> Iterator[Visit]:
    """One visit for all that only asks for colors: its networks are fetched and loaded once."""
    here = opened(browser, host)
    yield here
    assert here.complaints == []
    assert outside(here, host) == []


@pytest.fixture(scope="module")
def colorizer() -> Colorizer:
    return Colorizer(threads=1)


def small(format: str = "JPEG") -> bytes:
    return photo(120, 80, format)


def tinted(path: Path) -> bytes:
    """A photo as a yellowed scan of few pixels that lies on its side."""
    image = Image.open(path).convert("L").resize((90, 60))
    gray = np.asarray(image, np.float32)[..., None] * (1.0, 0.93, 0.8)
    exif = Image.Exif()
    exif[0x0112] = 6
    stream = io.BytesIO()
    Image.fromarray(gray.astype(np.uint8)).save(stream, "JPEG", quality=95, subsampling=0, exif=exif)
    return stream.getvalue()


PHOTOS = {
    "people": (EXAMPLES / "grace-hopper.jpg").read_bytes(),
    "no objects": (EXAMPLES / "alpine-forest.jpg").read_bytes(),
    "small, tinted, on its side": tinted(EXAMPLES / "tiger.jpg"),
}


@pytest.mark.parametrize("name", PHOTOS)
def test_a_browser_gives_the_colors_that_python_gives(visit: Visit, colorizer: Colorizer, name: str) -> None:
    data = PHOTOS[name]
    options = {"style": 0.8, "saturation": 1.3, "strength": 0.9, "warmth": 0.4}
    look = colorizer.look(data)
    found = alone.color(visit.page, data, options=options)
    assert found.state["size"] == list(look.photo.size)
    assert [one["label"] for one in found.state["objects"]] == [item.label for item in look.objects]
    np.testing.assert_allclose([one["box"] for one in found.state["objects"]], [o.box for o in look.objects], atol=0.1)
    assert np.abs(found.planes - alone.expected(look)).max() < 0.5
    assert np.ptp(found.planes[..., :STYLES]) > 10
    picture = np.asarray(Image.open(io.BytesIO(found.picture)).convert("RGB")).astype(int)
    assert np.abs(picture - look.color(**options).rgb().astype(int)).max() <= 2


def test_hints_reach_as_far_as_with_a_server(visit: Visit, colorizer: Colorizer) -> None:
    data = PHOTOS["people"]
    source = Photo.open(data)
    first = colorizer.look(source).objects[0]
    x, y = source.size[0] * 0.85, source.size[1] * 0.2
    blue, green, told = (10.0, -40.0), (-40.0, 30.0), (x, y, 40.0, 20.0)
    given = {"box": list(first.box), "label": first.label, "score": 1.0}
    hints = [
        {"points": [], "box": list(first.box), "ab": blue, "reach": "edges"},
        {"points": [[20, 30], [60, 50]], "ab": green, "reach": "edges"},
        {"points": [[x, y]], "ab": told[2:], "reach": "network"},
        {"points": [], "box": list(first.box), "ab": blue, "reach": "network"},
    ]
    found = alone.color(visit.page, data, request={"objects": [given], "hints": hints})
    points = np.concatenate([[told], object_hints(first.box, blue)]).astype(np.float32)
    look = colorizer.look_again(source, [replace(first, mask=None)], Hints(points))
    assert np.abs(found.planes - alone.expected(look)).max() < 0.5
    item = look.objects[0]
    layer = spot_layer(source.L, [(20, 30), (60, 50)], green).over(object_layer(source.L, item, blue))
    assert found.layer is not None
    assert layer.share.max() > 0.9
    assert np.abs(found.layer[..., 0] / 255 - layer.share).max() < 0.02
    assert np.abs(found.layer[..., 1:].astype(float) - 128 - layer.ab).max() < 1
    wanted = suggest(look.answer.logits, source.size, (source.size[0] / 2, source.size[1] / 2) * 2)
    np.testing.assert_allclose(found.colors, wanted, atol=0.05)


def test_opacity_stays_in_png_and_is_white_in_jpeg(visit: Visit) -> None:
    image = fixtures.image("L", 64, 48).convert("LA")
    image.putalpha(Image.fromarray(np.repeat(np.arange(64, dtype=np.uint8)[None] * 4, 48, 0)))
    data = fixtures.encoded(image, "PNG")
    found = alone.color(visit.page, data, kind="image/png")
    assert found.state["format"] == "PNG"
    result = Image.open(io.BytesIO(found.picture))
    assert np.array_equal(np.asarray(result)[..., 3], np.asarray(image)[..., 1])
    found = alone.color(visit.page, data, kind="image/png", options={"format": "JPEG", "beside": True, "side": 32})
    both = np.asarray(Image.open(io.BytesIO(found.picture)).convert("RGB")).astype(int)
    assert both.shape == (24, 64, 3)
    assert both[:, [0, 32]].min() > 230
    assert np.ptp(both[:, 2:30], axis=2).max() < np.ptp(both[:, 34:62], axis=2).max()


def test_what_cannot_be_read_is_said_in_words_of_this_page(visit: Visit) -> None:
    visit.page.reload()
    visit.add(("broken.jpg", b"nothing"))
    failed = visit.page.wait_for_selector(".card[data-status=failed]")
    assert "This browser cannot read this file" in failed.inner_text()


def test_the_page_works_from_the_first_visit_on_without_a_connection(exported: Path, browser: Any) -> None:
    with alone.hosting(exported) as host:
        here = opened(browser, host)
        page = here.page
        said = page.inner_text("#start")
        page.evaluate("async () => void (await navigator.serviceWorker.ready)")
        assert host.sent < LIGHT  # nothing heavy unasked
        here.add(("aunt.jpg", small()))
        here.done(1)
        assert LIGHT < host.sent < MOST
        megabytes = re.search(r"(\d+) MB", said)
        assert megabytes
        assert int(megabytes[1]) - 1 < host.sent / 1e6 <= int(megabytes[1])
        for id in ("others", "corner", "gps", "reference"):
            assert page.is_hidden(f"#{id}")
        asked, before = len(host.asked), here.pixels()
        page.fill("#saturation", "0")
        page.wait_for_timeout(300)
        assert np.ptp(here.pixels().astype(int), axis=2).max() < np.ptp(before.astype(int), axis=2).max()
        name, data = here.download("#download")
        assert name == "aunt-color.jpg"
        assert b"compositeWithTrainedAlgorithmicMedia" in data
        assert b"instcolor (lite)" in data
        image = Image.open(io.BytesIO(data))
        assert (image.format, image.size) == ("JPEG", (120, 80))
        assert len(host.asked) == asked
    # nobody answers any more
    page.reload()
    here.add(("one.jpg", small()), ("two.png", small("PNG")))
    here.done(2)
    assert np.ptp(here.pixels().astype(int), axis=2).mean() > 5
    name, data = here.download("#all")
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        assert sorted(archive.namelist()) == ["one-color.jpg", "two-color.png"]
        marked = archive.read("two-color.png")
    assert Image.open(io.BytesIO(marked)).size == (120, 80)
    assert "instcolor (lite)" in Image.open(io.BytesIO(marked)).info["XML:com.adobe.xmp"]
    assert here.complaints == []
    assert outside(here, host) == []
    here.page.context.close()


def test_a_network_that_is_not_the_exported_one_is_not_run(exported: Path, browser: Any, tmp_path: Path) -> None:
    shutil.copytree(exported, tmp_path / "host")
    network = tmp_path / "host" / PATH / "networks" / "faces.onnx.packed"
    network.write_bytes(network.read_bytes()[:-1] + b"?")
    with alone.hosting(tmp_path / "host") as host:
        here = opened(browser, host)
        here.add(("aunt.jpg", small()))
        failed = here.page.wait_for_selector(".card[data-status=failed]")
        assert "could not be fetched" in failed.inner_text()
        here.page.context.close()


@pytest.mark.parametrize(("locale", "said"), [("de", "Nichts verlässt"), ("es", "Nada sale"), ("fr", "Rien ne quitte")])
def test_what_is_different_here_is_said_in_every_language(
    browser: Any, host: alone.Host, locale: str, said: str
) -> None:
    here = opened(browser, host, locale=locale)
    text = here.page.inner_text("#start")
    assert said in text
    assert (
        json.loads(here.page.evaluate("() => JSON.stringify(document.body.innerText.match(/\\{\\w+\\}|undefined/g))"))
        is None
    )
    here.page.context.close()
