"""Colorizers without taps: facts about others' graphs, and objects blended in at the output."""

from __future__ import annotations

import re
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from instcolor import Colorizer
from instcolor.bins import BIN_COUNT
from instcolor.colorspace import lab_to_srgb
from instcolor.errors import ModelError
from instcolor.inputs import Canvas, Inputs, Sizes
from instcolor.objects import DetectedObject, Mask
from instcolor.runtime.blending import BlendedModel, magnification
from instcolor.runtime.external import ExternalNetwork, _likely
from instcolor.runtime.loading import open_model
from instcolor.runtime.model import Answer, Plane
from instcolor.runtime.preparing import prepare
from instcolor.styles import STYLES, apply
from support.graphs import Graph
from support.places import ROOT
from support.random_networks import objects_at
from support.stand_in import typed

SIDE = 32
SIZES = Sizes(SIDE, SIDE, 4, squash=True)
SHARES = st.floats(0, 1, width=32)


class Mean:
    """A network that sees ab in the mean lightness: a* is that of the picture, b* is 7."""

    def __call__(self, picture: Canvas[Plane]) -> Answer:
        (height, width), mean = picture.L.shape[2:], picture.L.mean()
        ab = np.full((height, width, 2), (mean, 7), np.float32)
        return Answer(ab, np.full((height // 4, width // 4, BIN_COUNT), mean, np.float32))


def model() -> BlendedModel:
    return BlendedModel(Mean(), SIZES)


def inputs(L: np.ndarray, *boxes: tuple[float, ...]) -> Inputs[Plane]:
    return prepare(L, objects_at(np.array(boxes, np.float32).reshape(-1, 4)), SIZES)


def scene(bright: tuple[int, int, int, int]) -> np.ndarray:
    """128 x 128 of L* 20 with a bright rectangle of 80."""
    x0, y0, x1, y1 = bright
    L = np.full((128, 128), 20, np.float32)
    L[y0:y1, x0:x1] = 80
    return L


# Blending


def test_without_objects_it_is_the_network() -> None:
    L = scene((0, 0, 64, 128))
    found, expected = model().answer(inputs(L)), Mean()(inputs(L).photo)
    assert np.array_equal(found.ab, expected.ab)
    assert np.array_equal(found.logits, expected.logits)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(SHARES, SHARES, SHARES, SHARES), max_size=4))
def test_nothing_changes_outside_the_boxes_and_inside_all_stays_between_what_was_seen(
    found: list[tuple[float, float, float, float]],
) -> None:
    L = scene((32, 32, 96, 96))
    boxes = []
    for x0, y0, x1, y1 in found:
        x, y = sorted((128 * x0, 128 * x1)), sorted((128 * y0, 128 * y1))
        boxes.append((min(x[0], 127), min(y[0], 127), max(x[1], x[0] + 1, 1), max(y[1], y[0] + 1, 1)))
    boxes = [tuple(np.clip(box, 0, 128)) for box in boxes]
    given, plain = inputs(L, *boxes), model().answer(inputs(L)).ab
    ab = model().answer(given).ab
    covered = np.zeros((SIDE, SIDE), bool)
    for x0, y0, x1, y1 in given.places.box * SIDE:
        covered[int(y0) : int(np.ceil(y1)), int(x0) : int(np.ceil(x1))] = True
        covered[min(int(y0), SIDE - 1), min(int(x0), SIDE - 1)] = True
    assert np.array_equal(ab[~covered], plain[~covered])
    means = [plain[0, 0, 0], *given.objects.L.mean((1, 2, 3))]
    assert ab[..., 0].min() >= min(means) - 1e-3
    assert ab[..., 0].max() <= max(means) + 1e-3
    np.testing.assert_allclose(ab[..., 1], 7, atol=1e-4)


def test_a_small_object_counts_for_more_the_larger_its_crop_shows_it() -> None:
    box = (48, 48, 80, 80)  # with its surroundings 48 pixels wide, 12 on the photo's input and 32 on the crop's
    given = inputs(scene(box), box)
    assert magnification(given, 0) == pytest.approx(32 / 12)
    ab = model().answer(given).ab[..., 0]
    whole, crop = given.photo.L.mean(), given.objects.L.mean()
    share = (32 / 12) / (1 + 32 / 12)
    assert ab[16, 16] == pytest.approx((1 - share) * whole + share * crop, abs=0.1)
    assert whole < ab[12, 12] < ab[13, 13] < ab[14, 14] <= ab[16, 16] < crop  # no seam at the border of the box


def test_a_crop_shows_no_more_than_the_photos_pixels() -> None:
    L = np.full((16, 16), 50, np.float32)
    assert magnification(inputs(L, (4, 4, 12, 12)), 0) == pytest.approx(12 / 24)  # 16 pixels became 32 in the photo


def test_objects_blend_in_the_same_way_in_any_order() -> None:
    boxes = ((10, 10, 60, 60), (40, 30, 100, 120), (50, 50, 70, 70))
    L = scene((45, 45, 75, 75))
    one, other = model().answer(inputs(L, *boxes)), model().answer(inputs(L, *boxes[::-1]))
    np.testing.assert_allclose(one.ab, other.ab, atol=1e-4)
    np.testing.assert_allclose(one.logits, other.logits, atol=1e-4)


@settings(deadline=None, max_examples=40)
@given(arrays.arrays(np.float32, (6, 6), elements=st.floats(0, 1, width=32)))
def test_nothing_changes_where_a_mask_is_empty(plane: np.ndarray) -> None:
    L, box = scene((32, 32, 96, 96)), (20.0, 30.0, 110.0, 100.0)
    mask = Mask(box, plane)
    masked = prepare(L, [DetectedObject(box, "", 1.0, mask)], SIZES)
    boxed = prepare(L, [DetectedObject(box, "", 1.0, Mask(box, np.ones((6, 6), np.float32)))], SIZES)
    ab, plain, whole = (model().answer(given).ab for given in (masked, inputs(L), boxed))
    near = (mask.over((0, 0, 128, 128), (128, 128)) > 0.2).reshape(SIDE, 4, SIDE, 4).any((1, 3))
    for _ in range(2):  # resizing reaches a cell or two further
        near = near | np.roll(near, 1, 0) | np.roll(near, -1, 0)
        near = near | np.roll(near, 1, 1) | np.roll(near, -1, 1)
    assert np.array_equal(ab[~near], plain[~near])
    between = np.sort(np.stack([plain[..., 0], whole[..., 0]]), 0)
    assert (ab[..., 0] >= between[0] - 1e-3).all()
    assert (ab[..., 0] <= between[1] + 1e-3).all()
    if plane.min() > 0.98:  # a mask without a doubt: the same but for the cells at the border of the box
        np.testing.assert_allclose(ab[9:24, 7:26], whole[9:24, 7:26], atol=1e-4)


def test_a_detectors_masks_limit_the_colors_of_a_photo() -> None:
    L = scene((32, 32, 96, 96))
    left = np.zeros((28, 28), np.float32)
    left[:, :14] = 1
    gray = np.repeat(np.rint(L * 2.55).astype(np.uint8)[..., None], 3, -1)
    found = DetectedObject((32, 32, 96, 96), "dog", 0.9)
    colorizer = Colorizer(model=model())
    plain, boxed, masked = (
        colorizer.look(gray, objects=objects).answer.ab[..., 0]
        for objects in ([], [found], [replace(found, mask=Mask(found.box, left))])
    )
    assert np.abs(boxed - plain)[8:24, 8:24].min() > 0
    assert np.array_equal(masked[:, 18:], plain[:, 18:])  # the empty half and a cell of its border
    np.testing.assert_allclose(masked[10:22, 10:14], boxed[10:22, 10:14], atol=1e-4)


def test_an_objects_colors_land_where_they_were_seen() -> None:
    class Echo:
        """a* is the lightness itself."""

        def __call__(self, picture: Canvas[Plane]) -> Answer:
            ab = np.repeat(picture.L[0, 0, ..., None], 2, -1)
            return Answer(ab, np.zeros((8, 8, BIN_COUNT), np.float32))

    ramp = np.tile(np.linspace(0, 100, 128, dtype=np.float32), (128, 1))
    for L in (ramp, ramp.T):
        given = inputs(L, (20, 30, 100, 90), (0, 0, 40, 128))
        plain, ab = (BlendedModel(Echo(), SIZES).answer(i).ab for i in (inputs(L), given))
        np.testing.assert_allclose(ab, plain, atol=1.5)


# Others' graphs


def graph(path: Path, gives: int = 2, takes: int = 3) -> Path:
    """A colorizer: its `gives` outputs are the first input channel halved, plus 1, 2, 3 for the channels in order."""
    made = Graph()
    first = made.op(
        "Slice", "input", made.constant([0], np.int64), made.constant([1], np.int64), made.constant([1], np.int64)
    )
    half = made.op("Mul", first, made.constant(0.5))
    steps = np.arange(1, gives + 1).reshape(1, gives, 1, 1)
    made.op("Add", half, made.constant(steps), name="output")
    shapes = {"input": (1, takes, SIDE, SIDE)}, {"output": (1, gives, SIDE, SIDE)}
    return made.save(path, *(typed(shape) for shape in shapes))


def flat(L: float) -> Canvas[Plane]:
    return Canvas(*(np.full((1, c, SIDE, SIDE), v, np.float32) for c, v in ((1, L), (2, 0), (1, 0))))


def test_a_graph_takes_lightness_and_gives_ab(tmp_path: Path) -> None:
    facts = {"takes": "L", "channels": 1, "mean": 50, "std": 100, "scale": [110, 55], "offset": [0, -3]}
    answer = ExternalNetwork(graph(tmp_path / "g.onnx", takes=1), facts)(flat(90))
    np.testing.assert_allclose(answer.ab[3, 4], ((0.2 + 1) * 110, (0.2 + 2) * 55 - 3), rtol=1e-5)
    assert answer.ab.shape == (SIDE, SIDE, 2)
    assert answer.logits.shape == (SIDE // 4, SIDE // 4, BIN_COUNT)


@pytest.mark.parametrize("order", ["rgb", "bgr"])
def test_a_graph_takes_gray_and_gives_a_color_picture(order: str, tmp_path: Path) -> None:
    gray = float(lab_to_srgb(np.array([60, 0, 0], np.float32))[0])
    facts = {"gives": order, "mean": [0.1, 0.2, 0.3], "std": [0.5, 1, 1], "scale": 0.2, "offset": [0, 0.1, 0]}
    answer = ExternalNetwork(graph(tmp_path / "g.onnx", gives=3), facts)(flat(60))
    channels = np.array([(gray - 0.1) + 1, (gray - 0.1) + 2, (gray - 0.1) + 3]) * 0.2 + (0, 0.1, 0)
    from skimage.color import rgb2lab

    expected = rgb2lab(channels if order == "rgb" else channels[::-1])[1:]
    np.testing.assert_allclose(answer.ab[0, 0], expected, atol=0.05)


@settings(deadline=None, max_examples=20)
@given(arrays.arrays(np.float32, 2, elements=st.floats(-25, 25, width=32)))
def test_every_style_of_a_network_without_a_distribution_is_near_its_colors(ab: np.ndarray) -> None:
    plane = np.broadcast_to(ab, (8, 8, 2))
    answer = Answer(plane, _likely(plane))
    for style in STYLES.values():
        np.testing.assert_allclose(apply(answer, style), style.saturation * plane, atol=0.5)


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"takes": "color"}, "takes = 'color'"),
        ({"gives": "hsv"}, "gives = 'hsv'"),
        ({"channels": 2}, "channels = 2"),
        ({"mean": [1, 2]}, "mean"),
        ({"std": 0}, "std = 0"),
        ({"scale": "big"}, "scale"),
        ({"offset": [1, float("nan")]}, "offset"),
        ({"input": 3}, "input = 3"),
        ({"color": 3}, "no fact 'color'"),
        ({"input": "image"}, "lacks image"),
        ({"output": "ab"}, "lacks ab"),
    ],
)
def test_facts_that_make_no_sense_are_refused_in_one_line(facts: dict[str, Any], reason: str, tmp_path: Path) -> None:
    path = graph(tmp_path / "g.onnx")
    with pytest.raises(ModelError) as caught:
        ExternalNetwork(path, facts)
    assert str(path) in str(caught.value)
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_facts_on_the_page_make_sense(tmp_path: Path) -> None:
    """Told of a network that hands back what it gets: a picture comes back gray, and ab is gray in 0..1."""
    same = {"input": (1, 3, SIDE, SIDE)}, {"output": (1, 3, SIDE, SIDE)}
    echo, two = Graph(), Graph()
    echo.op("Identity", "input", name="output")
    two.op("Slice", "input", *(two.constant([i], np.int64) for i in (0, 2, 1)), name="output")
    echo.save(tmp_path / "rgb.onnx", *map(typed, same))
    two.save(tmp_path / "ab.onnx", typed(same[0]), typed({"output": (1, 2, SIDE, SIDE)}))
    gray = float(lab_to_srgb(np.array([60, 0, 0], np.float32))[0])
    page = (ROOT / "docs" / "models.md").read_text(encoding="utf-8")
    told = [tomllib.loads(block) for block in re.findall(r"```toml\n(.*?)```", page, re.DOTALL)]
    external = [facts for facts in told if "side" in facts]
    assert len(external) == 3
    for facts in external:
        gives = facts["network"]["gives"]
        ab = ExternalNetwork(tmp_path / f"{gives}.onnx", facts["network"])(flat(60)).ab
        np.testing.assert_allclose(ab, gray if gives == "ab" else 0, atol=0.02)


def test_a_graph_that_is_not_as_its_facts_say_is_an_error(tmp_path: Path) -> None:
    path = graph(tmp_path / "g.onnx")
    with pytest.raises(ModelError, match=r"output is \(1, 2, 32, 32\), not \(1, 3, height, width\)"):
        ExternalNetwork(path, {"gives": "rgb"})(flat(50))
    with pytest.raises(ModelError, match=r"g.onnx: the model does not run"):
        ExternalNetwork(path, {"channels": 1})(flat(50))


# Loading


def test_external_models_are_squashed_and_blended(tmp_path: Path) -> None:
    graph(tmp_path / "photo.onnx")
    found = open_model("external", tmp_path, Sizes(SIDE, SIDE, 1), network={"scale": 0.5})
    assert found.sizes.squash
    L = scene((40, 40, 80, 80))
    plain, fused = (found.answer(i).ab for i in (inputs(L), inputs(L, (40, 40, 80, 80))))
    assert plain[..., 1].mean() == pytest.approx(plain[..., 0].mean() + 0.5, abs=1e-3)
    assert not np.array_equal(plain, fused)


def test_a_graph_without_hints_is_not_given_any(tmp_path: Path) -> None:
    made = Graph()
    made.op("Concat", "L", "L", axis=1, name="ab")
    made.op("Identity", "L", name="logits")
    shapes = {"L": (1, 1, SIDE, SIDE)}, {"ab": (1, 2, SIDE, SIDE), "logits": (1, 1, SIDE, SIDE)}
    made.save(tmp_path / "photo.onnx", *(typed(shape) for shape in shapes))
    found = open_model("eccv16", tmp_path, Sizes(SIDE, SIDE, 8))
    assert found.answer(inputs(scene((0, 0, 9, 9)))).ab.shape == (SIDE, SIDE, 2)


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "other"},
        {"sizes": Sizes(30, SIDE, 8)},
        {"sizes": Sizes(SIDE, 31, 8)},
        {"kind": "instcolorization", "network": {"mode": "other"}},
    ],
)
def test_models_that_cannot_be_are_refused(change: dict[str, Any], tmp_path: Path) -> None:
    graph(tmp_path / "photo.onnx")
    given: dict[str, Any] = {"kind": "siggraph17", "sizes": Sizes(SIDE, SIDE, 8)} | change
    with pytest.raises(ModelError):
        open_model(folder=tmp_path, **given)
