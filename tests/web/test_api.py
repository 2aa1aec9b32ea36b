"""The HTTP API, asked over real HTTP of a real server process."""

from __future__ import annotations

import base64
import io
import json
import zipfile
from collections.abc import Iterator
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image

from instcolor.colorspace import srgb_to_lab
from support import fixtures
from support.web_requests import added, options, part, photo, plain, settled
from support.web_server import SLOW_GRAY, Running, running


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    with running() as started:
        yield started


@pytest.fixture
def client(server: Running) -> Iterator[httpx.Client]:
    with server.client() as one:
        yield one


def opened(response: httpx.Response) -> Image.Image:
    assert response.status_code == 200, response.text
    return Image.open(io.BytesIO(response.content))


def mean_lab(image: Image.Image) -> np.ndarray:
    lab: np.ndarray = srgb_to_lab(np.asarray(image.convert("RGB")) / np.float32(255))
    return np.asarray(lab.reshape(-1, 3).mean(0))


# one photo at once


@pytest.mark.parametrize("format", ["JPEG", "PNG", "TIFF", "WEBP", "BMP"])
def test_a_photo_comes_back_in_color_in_its_own_format_and_size(client: httpx.Client, format: str) -> None:
    response = client.post("/api/colorize", files=[part(photo(format))])
    image = opened(response)
    assert image.format == format
    assert image.size == (96, 64)
    assert response.headers["content-type"] == f"image/{format.lower()}"
    rgb = np.asarray(image.convert("RGB")).astype(int)
    assert np.abs(rgb[..., 0] - rgb[..., 2]).mean() > 5


def test_options_choose_style_strength_and_format(client: httpx.Client) -> None:
    gray = opened(client.post("/api/colorize", files=[part(photo())], data=options(strength=0, format="PNG")))
    assert gray.format == "PNG"
    assert np.ptp(np.asarray(gray), axis=2).max() == 0
    warm = opened(client.post("/api/colorize", files=[part(photo())], data=options(warmth=1, strength=1)))
    cool = opened(client.post("/api/colorize", files=[part(photo())], data=options(warmth=-1, strength=1)))
    assert mean_lab(warm)[2] > mean_lab(cool)[2] + 10


def test_hints_and_objects_reach_the_networks(client: httpx.Client) -> None:
    hint = {"points": [[40, 30]], "color": "#2040c0"}
    image = opened(client.post("/api/colorize", files=[part(photo())], data=options(style="faithful", hints=[hint])))
    assert mean_lab(image)[2] < -15
    for objects, greener in (([], False), ([{"box": [0, 0, 96, 64], "label": "all"}], True)):
        response = client.post("/api/colorize", files=[part(photo())], data=options(style="faithful", objects=objects))
        assert (mean_lab(opened(response))[1] < -15) == greener


def test_accept_json_gives_objects_and_links_that_work(client: httpx.Client) -> None:
    response = client.post("/api/colorize", files=[part(photo())], headers={"Accept": "application/json"})
    state = response.json()
    assert state["size"] == [96, 64]
    assert [o["label"] for o in state["objects"]] == ["thing"]
    gray = client.get(state["links"]["gray"])
    assert gray.headers["content-type"] == "image/jpeg"
    assert gray.headers["content-disposition"] == 'inline; filename="gray.jpg"'
    height, width = state["grid"]
    assert len(client.get(state["links"]["planes"]).content) == height * width * 7 * 2
    assert opened(client.get(state["links"]["result"])).size == (96, 64)


def test_detect_finds_objects_and_keeps_nothing(client: httpx.Client) -> None:
    found = client.post("/api/detect", files=[part(photo())]).json()
    assert found == {
        "size": [96, 64],
        "objects": [{"box": [24.0, 16.0, 72.0, 48.0], "label": "thing", "score": 0.9, "outlined": True}],
    }
    assert client.get("/api/photos").json() == {"photos": []}


# jobs


def test_several_photos_of_which_one_is_broken(client: httpx.Client) -> None:
    states = added(client, photo(), b"nothing of the kind", photo("PNG"))
    assert [state["status"] for state in states] == ["done", "failed", "done"]
    assert states[1]["problem"]["code"] == "bad_photo"
    assert "not a photo" in states[1]["problem"]["detail"]
    assert "/" not in states[1]["problem"]["detail"]


def test_looking_again_with_other_objects_runs_the_networks_only_for_that_photo(client: httpx.Client) -> None:
    first, other = added(client, photo(), photo())
    root = f"/api/photos/{first['id']}"
    before = client.get(f"{root}/planes").content
    assert client.post(f"{root}/look", json={"objects": []}).status_code == 202
    state = settled(client, first["id"])
    assert (state["version"], state["objects"]) == (2, [])
    assert client.get(f"{root}/planes").content != before
    assert settled(client, other["id"])["version"] == 1


def test_painting_needs_no_look_and_keeps_the_look(client: httpx.Client) -> None:
    (state,) = added(client, photo("PNG"))
    root = f"/api/photos/{state['id']}"
    faithful = opened(client.get(f"{root}/result", params={"style": 0})).tobytes()
    assert faithful == opened(client.get(f"{root}/result", params={"style": "faithful"})).tobytes()
    assert faithful != opened(client.get(f"{root}/result", params={"style": 1})).tobytes()
    assert client.get(root).json()["version"] == 1


def test_colors_to_choose_are_the_distributions_modes(client: httpx.Client) -> None:
    (state,) = added(client, photo())
    for where in ({"x": 10, "y": 10}, {"object": 0}, {"box": [0, 0, 96, 64]}):
        colors = client.get(f"/api/photos/{state['id']}/colors", params=where).json()["colors"]
        assert 2 <= len(colors) <= 6
        shares = [share for _, _, share in colors]
        assert shares == sorted(shares, reverse=True)
    assert client.get(f"/api/photos/{state['id']}/colors", params={"object": 7}).status_code == 422
    assert client.get(f"/api/photos/{state['id']}/colors", params={"box": [1, 2, 3]}).status_code == 422


def test_colors_of_an_object_are_those_of_its_area(client: httpx.Client) -> None:
    (state,) = added(client, photo())
    asked = f"/api/photos/{state['id']}/colors"
    whole = client.get(asked, params={"object": 0}).json()
    assert client.get(asked, params={"box": state["objects"][0]["box"]}).json() == whole
    assert client.get(asked, params={"box": [0, 0, 96, 64]}).json() != whole


def test_alternatives_are_seeded_and_shown_as_they_will_be(client: httpx.Client) -> None:
    (state,) = added(client, photo())
    root = f"/api/photos/{state['id']}"
    wish = {"count": 2, "seed": 5, "style": "faithful"}
    one, again = (client.post(f"{root}/alternatives", json=wish).json() for _ in range(2))
    assert one == again
    first, second = one["alternatives"]
    assert first["hints"] != second["hints"]
    assert client.get(root).json()["version"] == 1  # what is kept stays
    look = {
        "hints": [{"points": [[x, y]], "ab": [a, b]} for x, y, a, b in second["hints"]],
        "objects": state["objects"],
    }
    assert client.post(f"{root}/look", json=look).status_code == 202
    assert settled(client, state["id"])["status"] == "done"
    result = opened(client.get(f"{root}/result", params={"style": "faithful"}))
    shown = Image.open(io.BytesIO(base64.b64decode(second["picture"])))
    assert shown.size == result.size == (96, 64)
    np.testing.assert_allclose(mean_lab(shown), mean_lab(result), atol=1.5)
    unchanged = Image.open(io.BytesIO(base64.b64decode(one["first"])))
    assert np.abs(mean_lab(shown) - mean_lab(unchanged)).max() > 5


def test_alternatives_keep_what_a_person_has_said(client: httpx.Client) -> None:
    (state,) = added(client, photo())
    said = {"points": [[40, 30]] * 400, "color": "#2040c0"}
    asked = f"/api/photos/{state['id']}/alternatives"
    plain, blue = (client.post(asked, json={"hints": hints, "style": 0}).json() for hints in ([], [said]))
    first = [mean_lab(Image.open(io.BytesIO(base64.b64decode(one["first"])))) for one in (plain, blue)]
    assert first[1][2] < first[0][2] - 10


def test_a_reference_lends_its_colors(client: httpx.Client) -> None:
    (state,) = added(client, photo())
    red = fixtures.encoded(Image.new("RGB", (60, 60), (200, 30, 30)), "PNG")
    hints = client.post(f"/api/photos/{state['id']}/reference", files=[part(red)]).json()["hints"]
    expected = srgb_to_lab(np.array([200, 30, 30], np.float32) / 255)[1:]
    assert len(hints) >= 4
    np.testing.assert_allclose(np.array(hints)[:, 2:], np.tile(expected, (len(hints), 1)), atol=0.2)
    refused = client.post(f"/api/photos/{state['id']}/reference", files=[part(photo())])
    assert refused.status_code == 422
    assert "no colors to lend" in refused.json()["detail"]


def test_the_archive_holds_every_photo_under_a_name_of_its_own(client: httpx.Client) -> None:
    data = [part(photo(), "a.jpg"), part(photo("PNG"), "A.png"), part(photo(), "../a.jpg")]
    states = [settled(client, s["id"]) for s in client.post("/api/photos", files=data).json()["photos"]]
    wanted = [{"id": state["id"], "style": "vivid"} for state in states]
    with zipfile.ZipFile(io.BytesIO(client.post("/api/archive", json={"photos": wanted}).content)) as archive:
        assert archive.namelist() == ["a-color.jpg", "A-color.png", "a-color (2).jpg"]
        for name in archive.namelist():
            assert Image.open(io.BytesIO(archive.read(name))).size == (96, 64)


def test_events_tell_every_stage_in_order(server: Running) -> None:
    with server.client() as client:
        client.get("/")
        with client.stream("GET", "/api/events") as stream:
            lines = stream.iter_lines()
            assert next(lines) == "retry: 2000"
            with server.client(cookies=client.cookies) as second:
                second.post("/api/photos", files=[part(plain(SLOW_GRAY))])
            stages: list[str] = []
            for line in lines:
                if line.startswith("data: "):
                    stages.append(json.loads(line[6:])["status"])
                    if stages[-1] == "done":
                        break
    assert stages == ["waiting", "reading", "objects", "coloring", "done"]


def test_a_removed_photo_is_gone(client: httpx.Client) -> None:
    (state,) = added(client, photo())
    assert client.delete(f"/api/photos/{state['id']}").status_code == 204
    assert client.get(f"/api/photos/{state['id']}").status_code == 404


# what else is asked


def test_health_models_and_metrics(client: httpx.Client) -> None:
    assert client.get("/healthz").json()["status"] == "ok"
    facts = client.get("/api/models").json()
    assert facts["detector"] is True
    assert facts["limits"]["pixels"] == 100_000_000
    client.post("/api/colorize", files=[part(photo())])
    text = client.get("/metrics").text
    for line in text.splitlines():
        assert line.startswith("# ") or len(line.split()) == 2, line
    assert 'instcolor_jobs_total{outcome="done"}' in text
    assert "instcolor_queue_waiting 0" in text


@pytest.mark.parametrize(
    ("wish", "word"),
    [
        ({"style": "loud"}, "style"),
        ({"style": 1.5}, "style"),
        ({"saturation": -0.1}, "saturation"),
        ({"unknown": 1}, "unknown"),
        ({"objects": [{"box": [5, 5, 5, 9]}]}, "empty"),
        ({"hints": [{"points": [[1, 1]]}]}, "color or ab"),
        ({"hints": [{"points": [[1, 1]], "color": "red"}]}, "color"),
        ({"hints": [{"points": [[0, 0]] * 500, "ab": [0, 0]}] * 11}, "5000"),
    ],
)
def test_wrong_options_are_named(client: httpx.Client, wish: dict[str, Any], word: str) -> None:
    response = client.post("/api/colorize", files=[part(photo())], data=options(**wish))
    assert response.status_code == 422
    assert response.headers["content-type"] == "application/problem+json"
    assert word in response.json()["detail"]


def test_the_openapi_document_describes_forms_and_problems(client: httpx.Client) -> None:
    document = client.get("/api/openapi.json").json()
    form = document["paths"]["/api/colorize"]["post"]["requestBody"]["content"]["multipart/form-data"]["schema"]
    assert form["required"] == ["photo"]
    assert "Options" in document["components"]["schemas"]
    assert document["components"]["schemas"]["Options"]["properties"]["gps"]["description"].startswith(
        "Keeps the place"
    )
    refused = document["paths"]["/api/colorize"]["post"]["responses"]
    assert {"400", "413", "415", "422", "503"} <= set(refused)
    for status in ("400", "413", "415", "422", "503"):
        assert refused[status]["content"]["application/problem+json"]["schema"]["$ref"].endswith("/Problem")
    assert "404" in document["paths"]["/api/photos/{id}/result"]["get"]["responses"]


def test_options_choose_quality_size_and_both_sides(client: httpx.Client) -> None:
    sent = photo("JPEG", 320, 200)
    low, high = (client.post("/api/colorize", files=[part(sent)], data=options(quality=q)) for q in (30, 95))
    assert len(low.content) < 0.7 * len(high.content)
    small = opened(client.post("/api/colorize", files=[part(sent)], data=options(side=160)))
    assert small.size == (160, 100)
    assert opened(client.post("/api/colorize", files=[part(sent)], data=options(side=1600))).size == (320, 200)
    both = np.asarray(opened(client.post("/api/colorize", files=[part(photo("PNG"))], data=options(beside=True))))
    assert both.shape == (64, 192, 3)
    assert np.ptp(both[:, :96], axis=2).max() == 0
    one = opened(client.post("/api/colorize", files=[part(photo("PNG"))]))
    np.testing.assert_array_equal(both[:, 96:], np.asarray(one))


def test_a_color_that_reaches_to_the_edges_stays_in_its_object(client: httpx.Client) -> None:
    box = [24, 16, 72, 48]
    objects = [{"box": box, "label": "thing"}]
    plain = client.post("/api/colorize", files=[part(photo("PNG"))], data=options(objects=objects))
    before = np.asarray(opened(plain)).astype(int)
    hint = {"box": box, "reach": "edges", "color": "#2040c0"}
    asked = options(hints=[hint], objects=objects)
    after = np.asarray(opened(client.post("/api/colorize", files=[part(photo("PNG"))], data=asked))).astype(int)
    moved = np.abs(after - before).sum(2)
    assert moved[28:36, 40:56].min() > 20
    assert moved[:14].max() == moved[50:].max() == moved[:, :20].max() == 0
    wrong = {"reach": "edges", "color": "#2040c0"}
    refused = client.post("/api/colorize", files=[part(photo())], data=options(hints=[wrong]))
    assert refused.status_code == 422


def test_a_layer_is_told_and_sent(client: httpx.Client) -> None:
    (plain,) = added(client, photo("PNG"))
    assert plain["layer"] is None
    assert client.get(f"/api/photos/{plain['id']}/layer").status_code == 404
    (state,) = added(client, photo("PNG"), hints=[{"points": [[48, 32]], "reach": "edges", "ab": [20, -60]}])
    rows, columns = state["layer"]
    layer = np.frombuffer(client.get(f"/api/photos/{state['id']}/layer").content, np.uint8).reshape(rows, columns, 3)
    share, a, b = layer[32, 48] / 255.0
    assert share > 0.9
    assert [round(a * 255 - 128), round(b * 255 - 128)] == pytest.approx([20 * share, -60 * share], abs=1)


def test_no_decoders_words_reach_a_client(client: httpx.Client) -> None:
    broken = client.post("/api/colorize", files=[part(photo("PNG", 400, 300)[:-3000])])
    assert broken.json()["code"] == "damaged"
    assert broken.json()["detail"] == "the PNG file is damaged or of an unknown kind"
