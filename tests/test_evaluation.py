"""Evaluation: metrics, protocol, methods, intervals, data sets, and the command with its files."""

from __future__ import annotations

import csv
import json
import math
import re
import zipfile
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import skimage.color
import skimage.metrics
from numpy.typing import NDArray
from PIL import Image

import fixtures
import stand_in
from instcolor.bins import BIN_COUNT
from instcolor.colorizer import Colorizer
from instcolor.colorspace import lab_to_srgb8
from instcolor.errors import InstcolorError, ModelError, PhotoError
from instcolor.evaluation import metrics, outputs
from instcolor.evaluation.command import Request, run, spread
from instcolor.evaluation.inception import Inception, frechet_distance
from instcolor.evaluation.measure import ObjectScore, PictureScore, measure
from instcolor.evaluation.methods import (
    FULL,
    FUSED,
    GREY,
    Method,
    center_hints,
    chosen_objects,
    hinted,
    standard_methods,
)
from instcolor.evaluation.photos import find_photos
from instcolor.evaluation.protocol import MAX_PSNR, Case, Protocol
from instcolor.evaluation.run import Data, evaluate
from instcolor.evaluation.summary import interval, rows_of
from instcolor.objects import DetectedObject, PhotoObjects, read_boxes, to_coco
from instcolor.runtime.inputs import Inputs
from instcolor.runtime.model import Answer
from stand_in import AB, FakeModel

SMALL = Protocol(side=64)
CAT = DetectedObject((10, 5, 40, 25), "cat", 0.9)
TINY = DetectedObject((2, 2, 6, 6), "ball", 0.8)


def noisy(picture: NDArray[np.uint8], sigma: float, seed: int = 1) -> NDArray[np.uint8]:
    rng = np.random.default_rng(seed)
    return (picture + rng.normal(0, sigma, picture.shape)).clip(0, 255).astype(np.uint8)


def gray(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.repeat(picture[..., :1], 3, axis=-1)


RANDOM = np.random.default_rng(0).integers(0, 256, (50, 41, 3), dtype=np.uint8)
PAIRS = {
    "slight noise": (fixtures.scene(60, 45), noisy(fixtures.scene(60, 45), 4)),
    "strong noise": (fixtures.scene(60, 45), noisy(fixtures.scene(60, 45), 60)),
    "all colors": (RANDOM, RANDOM[::-1]),
    "gray": (fixtures.scene(61, 40), gray(fixtures.scene(61, 40))),
    "same": (RANDOM, RANDOM),
    "as small as the window": (RANDOM[:7, :7], RANDOM[7:14, :7]),
}
pairs = pytest.mark.parametrize(("a", "b"), PAIRS.values(), ids=PAIRS.keys())


# Metrics


@pairs
@pytest.mark.filterwarnings("ignore:divide by zero")
def test_psnr_is_scikit_images(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> None:
    expected = skimage.metrics.peak_signal_noise_ratio(a, b)
    assert metrics.psnr(a, b) == pytest.approx(expected, abs=1e-4)


@pairs
def test_ssim_is_scikit_images(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> None:
    expected = skimage.metrics.structural_similarity(a, b, channel_axis=-1)
    assert metrics.ssim(a, b) == pytest.approx(expected, abs=1e-4)


@pairs
def test_delta_e2000_is_scikit_images(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> None:
    lab_a, lab_b = skimage.color.rgb2lab(a), skimage.color.rgb2lab(b)
    expected = skimage.color.deltaE_ciede2000(lab_a, lab_b)
    np.testing.assert_allclose(metrics.delta_e2000(lab_a, lab_b), expected, atol=1e-4)
    own = metrics.delta_e2000(metrics.lab_of(a), metrics.lab_of(b)).mean()
    assert own == pytest.approx(expected.mean(), abs=1e-4)


@pytest.mark.parametrize(
    ("first", "second", "expected"),  # from the test data of Sharma, Wu and Dalal 2005
    [
        ((50.0, 2.6772, -79.7751), (50.0, 0.0, -82.7485), 2.0425),
        ((50.0, -1.3802, -84.2814), (50.0, 0.0, -82.7485), 1.0),
        ((50.0, 2.49, -0.001), (50.0, -2.49, 0.0009), 7.1792),
        ((50.0, 2.49, -0.001), (50.0, -2.49, 0.0011), 7.2195),
        ((2.0776, 0.0795, -1.135), (0.9033, -0.0636, -0.5514), 0.9082),
    ],
)
def test_delta_e2000_of_published_pairs(first: tuple, second: tuple, expected: float) -> None:
    assert metrics.delta_e2000(np.array(first), np.array(second)) == pytest.approx(expected, abs=1e-4)


def test_ssim_refuses_what_is_smaller_than_its_window() -> None:
    with pytest.raises(ValueError, match="40 x 6"):
        metrics.ssim(np.zeros((6, 40, 3), np.uint8), np.zeros((6, 40, 3), np.uint8))


def test_colorfulness_is_signed_as_its_authors_define_it() -> None:
    assert metrics.colorfulness(gray(RANDOM)) == 0
    # half red, half cyan: the opponent colors of the halves cancel in the mean, which absolute values would hide
    picture = np.zeros((4, 4, 3), np.uint8)
    picture[:2], picture[2:] = (200, 0, 0), (0, 200, 200)
    rg, yb = np.array([200.0, -200.0]), np.array([100.0, -100.0])
    expected = math.hypot(rg.std(), yb.std()) + 0.3 * math.hypot(rg.mean(), yb.mean())
    assert metrics.colorfulness(picture) == pytest.approx(expected)


# Protocol


def test_pictures_are_compared_squashed_and_crops_come_from_the_stored_photo() -> None:
    rgb, model = fixtures.scene(120, 90), FakeModel()
    case = SMALL.case("a", rgb, [CAT])
    squashed = np.asarray(Image.fromarray(rgb).resize((64, 64), Image.Resampling.BILINEAR))
    np.testing.assert_array_equal(case.truth, squashed)
    SMALL.look(case, model, case.chosen)
    (asked,) = model.asked
    np.testing.assert_allclose(asked.L[0, 0], skimage.color.rgb2lab(squashed)[..., 0], atol=0.01)
    np.testing.assert_allclose(2**asked.pixels, [[46, 30]], atol=1e-3)  # box and surroundings, stored pixels


def test_at_its_own_size_a_photo_goes_the_way_of_the_colorizer() -> None:
    rgb, protocol = fixtures.scene(120, 90), Protocol(side=None)
    case = protocol.case("a", rgb, [CAT])
    (fused,) = measure([case], [Method(FUSED, FakeModel(), chosen_objects)], protocol, ["natural"])
    expected = Colorizer(FakeModel()).colorize(rgb, objects=[CAT], style="natural").rgb()
    np.testing.assert_array_equal(fused.rgb, expected)


@pytest.mark.parametrize(("squash", "shape"), [(False, (48, 88)), (True, (64, 64))])
def test_the_network_gets_the_photos_aspect_or_a_square(squash: bool, shape: tuple[int, int]) -> None:
    protocol, model = Protocol(side=None, squash=squash), FakeModel()
    case = protocol.case("a", fixtures.scene(180, 98))
    protocol.look(case, model, ())
    assert model.asked[0].L.shape[2:] == shape
    assert case.truth.shape == (98, 180, 3)


def test_annotated_objects_are_measured_and_detected_ones_fused() -> None:
    unsure = replace(TINY, score=0.3)
    case = SMALL.case("a", fixtures.scene(), [CAT, unsure])
    assert case.objects == case.chosen == (CAT,)
    case = SMALL.case("a", fixtures.scene(), [CAT], [TINY])
    assert (case.objects, case.chosen) == ((CAT,), (TINY,))
    case = SMALL.case("a", fixtures.scene(), None, [unsure])
    assert case.objects == case.chosen == (unsure,)


@pytest.mark.parametrize("box", [(0, 0, 100, 50), (99.9, 49.9, 100, 50), (0, 0, 0.1, 0.1), (30, 10, 31, 40)])
def test_every_object_has_a_window_inside_the_picture(box: tuple) -> None:
    case = Protocol(side=32).case("a", fixtures.scene(100, 50))
    rows, columns = case.window(DetectedObject(box, "cat", 1.0))
    assert 0 <= rows.start < rows.stop <= 32
    assert 0 <= columns.start < columns.stop <= 32
    assert columns.start == pytest.approx(box[0] * 0.32, abs=1)
    assert rows.stop == pytest.approx(box[3] * 0.64, abs=1)


def test_the_protocol_says_its_size_and_its_objects() -> None:
    told = "\n".join(Protocol(side=128, min_score=0.5, limit=3).lines())
    assert "128 x 128" in told
    assert "score at least 0.5" in told
    assert "best 3" in told
    assert "own size" in Protocol(side=None).lines()[0]


# Measuring


def of_one_color() -> NDArray[np.uint8]:
    """A picture of all lightnesses in the color that `FakeModel` gives."""
    L = np.linspace(30, 80, 64 * 64, dtype=np.float32).reshape(64, 64)
    return lab_to_srgb8(L, np.full((64, 64, 2), AB, np.float32))


def test_a_perfect_answer_beats_gray_by_far() -> None:
    case = SMALL.case("a", of_one_color(), [CAT])
    grey, full, fused = measure([case], [Method(GREY), *standard_methods(FakeModel())], SMALL, ["faithful"])
    assert grey.picture.colorfulness < 1
    assert full.picture.psnr > 45 > 30 > grey.picture.psnr
    assert full.picture.delta_e2000 < 1 < grey.picture.delta_e2000
    assert full.picture.colorfulness == pytest.approx(full.picture.truth_colorfulness, rel=0.02)
    assert fused.picture.psnr < full.picture.psnr  # the fake's b* moves away with each object
    assert full.objects[0].psnr > 45 > fused.objects[0].psnr


def test_no_color_at_all_is_the_gray_row() -> None:
    class Colorless(FakeModel):
        def answer(self, inputs: Inputs) -> Answer:
            answer = super().answer(inputs)
            return Answer(np.zeros_like(answer.ab), answer.logits)

    case = SMALL.case("a", fixtures.scene(80, 60))
    grey, full = measure([case], [Method(GREY), Method(FULL, Colorless())], SMALL, ["faithful"])
    assert full.picture.psnr == pytest.approx(grey.picture.psnr, abs=0.02)


def test_an_object_is_measured_inside_its_box_only() -> None:
    picture = gray(fixtures.scene(64, 64))
    picture[5:25, 10:40] = (200, 30, 30)
    case = SMALL.case("a", picture, [CAT, TINY])
    (grey,) = measure([case], [Method(GREY)], SMALL)
    inside, outside = grey.objects
    window = picture[5:25, 10:40]
    assert inside.psnr == pytest.approx(metrics.psnr(grey.rgb[5:25, 10:40], window))
    assert inside.psnr < 15
    assert outside.psnr > 40
    assert (inside.label, inside.share) == ("cat", pytest.approx(600 / 4096))


def test_hints_are_the_true_colors_at_the_centers_of_objects() -> None:
    model = FakeModel()
    picture = gray(fixtures.scene(128, 64))
    picture[5:25, 10:40] = (200, 30, 30)
    case = SMALL.case("a", picture, [CAT, DetectedObject((60, 30, 100, 60), "ball", 0.8)])
    (red, none) = center_hints(case).points
    np.testing.assert_allclose(
        red, [25, 15, *skimage.color.rgb2lab([[[200, 30, 30]]] / np.float64(255))[0, 0, 1:]], atol=0.1
    )
    np.testing.assert_allclose(none, [80, 45, 0, 0], atol=0.1)
    (method,) = hinted([Method(FULL, model)])
    assert method.name == "full image, hinted"
    list(measure([case], [method], SMALL, ["faithful"]))
    mask = model.asked[0].hint_mask[0, 0]
    assert {tuple(place) for place in np.argwhere(mask)} == {(15, 12), (45, 40)}  # the network sees 64 x 64


def test_identical_pictures_count_a_finite_psnr() -> None:
    black = np.zeros((64, 64, 3), np.uint8)
    (grey,) = measure([SMALL.case("a", black)], [Method(GREY)], SMALL)
    assert grey.picture.psnr == MAX_PSNR


# Rows


def test_interval_is_the_mean_with_its_spread() -> None:
    values = list(np.random.default_rng(0).normal(5, 1, 400))
    found = interval(values)
    assert found["mean"] == pytest.approx(np.mean(values))
    assert found["low"] == pytest.approx(found["mean"] - 1.96 / 20, abs=0.02)
    assert found["high"] == pytest.approx(found["mean"] + 1.96 / 20, abs=0.02)
    assert interval(values) == found
    assert interval([2.0, 2.0]) == {"mean": 2.0, "low": 2.0, "high": 2.0}


def test_objects_of_one_photo_are_no_independent_draws() -> None:
    per_photo = np.random.default_rng(0).normal(size=30)
    values = [float(v) for v in np.repeat(per_photo, 10)]
    photos = [str(i) for i in np.repeat(np.arange(30), 10)]
    alone, together = interval(values), interval(values, photos)
    assert together["mean"] == alone["mean"]
    assert together["high"] - together["low"] > 2 * (alone["high"] - alone["low"])


def picture_score(photo: str, method: str, style: str, psnr: float) -> PictureScore:
    return PictureScore(photo, "", method, style, psnr, 0.9, 5.0, 20.0, 40.0, math.nan, 0.1)


def object_score(photo: str, method: str, style: str, share: float, psnr: float, label: str = "cat") -> ObjectScore:
    return ObjectScore(photo, "", method, style, label, 0, 0.9, share, psnr, 5.0)


def test_rows_pair_each_photo_with_itself_in_gray_and_in_full() -> None:
    pictures = [picture_score("a", GREY, "", 20), picture_score("b", GREY, "", 30)]
    pictures += [picture_score("a", FULL, "faithful", 22), picture_score("b", FULL, "faithful", 31)]
    pictures += [picture_score("b", FUSED, "faithful", 31.5), picture_score("a", FUSED, "faithful", 22.5)]
    grey, full, fused = rows_of(pictures, [])
    assert "over_grey" not in grey
    assert "over_full" not in full
    assert full["over_grey"] == {"mean": 1.5, "low": 1.0, "high": 2.0}
    assert fused["over_full"] == {"mean": 0.5, "low": 0.5, "high": 0.5}
    assert fused["colorfulness_ratio"] == 0.5
    assert fused["colorfulness_difference"] == -20
    assert "lpips" not in fused
    assert fused["photos"] == 2


def test_objects_are_grouped_by_size_and_label() -> None:
    shares = {"a": 0.01, "b": 0.02, "c": 0.2, "d": 0.5}
    scores = [object_score(photo, FULL, "faithful", share, 20) for photo, share in shares.items()]
    scores += [object_score(photo, FUSED, "faithful", share, 20 + share) for photo, share in shares.items()]
    pictures = [picture_score("a", method, "faithful", 20) for method in (FULL, FUSED)]
    _, fused = rows_of(pictures, scores)
    sizes = fused["objects"]["by_size"]
    assert {name: group["objects"] for name, group in sizes.items()} == {
        "<2 %": 1,
        "2-10 %": 1,
        "10-30 %": 1,
        ">30 %": 1,
        ">=2 %": 3,
        "all": 4,
    }
    assert sizes[">=2 %"]["over_full"]["mean"] == pytest.approx((0.02 + 0.2 + 0.5) / 3)
    assert fused["objects"]["by_label"]["cat"]["objects"] == 4


# Data sets


def save(path: Path, rgb: NDArray[np.uint8]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(rgb).save(path)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three photos, one of them in a subfolder, and what is none."""
    for i, name in enumerate(("b.png", "a.png", "more/c.png")):
        save(tmp_path / "data" / name, fixtures.scene(72, 48, seed=i))
    (tmp_path / "data" / "notes.txt").write_text("no photo")
    return tmp_path / "data"


@pytest.fixture
def boxes(tmp_path: Path) -> Path:
    """A COCO file with two objects on each photo of `folder`."""
    photos = [PhotoObjects(name, (72, 48), (CAT, TINY)) for name in ("a.png", "b.png", "c.png")]
    path = tmp_path / "boxes.json"
    path.write_text(json.dumps(to_coco(photos)))
    return path


def test_a_folder_is_read_with_its_subfolders_in_order(folder: Path) -> None:
    photos = find_photos(folder)
    assert [Path(photo.name).as_posix() for photo in photos] == ["a.png", "b.png", "more/c.png"]
    np.testing.assert_array_equal(photos[0].read(), fixtures.scene(72, 48, seed=1))


def test_a_zip_file_holds_the_same_photos(folder: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "data.zip", "w") as archive:
        for path in folder.rglob("*.*"):
            archive.write(path, path.relative_to(folder))
    photos = find_photos(tmp_path / "data.zip")
    assert [photo.name for photo in photos] == ["a.png", "b.png", "more/c.png"]
    np.testing.assert_array_equal(photos[2].read(), fixtures.scene(72, 48, seed=2))


@pytest.mark.parametrize("where", ["annotations", "val2017", "images/val2017"])
def test_coco_annotations_find_their_photos(where: str, tmp_path: Path) -> None:
    save(tmp_path / where / "a.png", fixtures.scene(72, 48))
    listed = tmp_path / "annotations" / "instances_val2017.json"
    listed.parent.mkdir(exist_ok=True)
    listed.write_text(json.dumps(to_coco([PhotoObjects("a.png", (72, 48), (CAT,))])))
    (photo,) = find_photos(listed)
    assert photo.read().shape == (48, 72, 3)


def test_photos_are_turned_upright(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    Image.fromarray(fixtures.scene(72, 48)).save(path, exif=fixtures.exif(6))
    assert find_photos(tmp_path)[0].read().shape == (72, 48, 3)


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("missing", None, "no such file"),
        ("a.txt", b"text", "neither a folder"),
        ("a.json", b"{", "no COCO annotations"),
        ("b.json", b'{"images": [{"file_name": "x.jpg"}]}', "photo x.jpg is not beside it"),
    ],
)
def test_what_is_no_data_is_one_line(name: str, content: bytes | None, reason: str, tmp_path: Path) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InstcolorError, match=reason) as error:
        find_photos(path)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)


def test_an_empty_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InstcolorError, match="no photos"):
        find_photos(tmp_path)


@pytest.mark.parametrize("content", [b"", b"no photo", fixtures.encoded(fixtures.image("RGB"), "PNG")[:-60]])
def test_a_photo_that_cannot_be_read_names_itself(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "bad.png").write_bytes(content)
    with pytest.raises(PhotoError, match=r"^bad\.png: cannot be read") as error:
        find_photos(tmp_path)[0].read()
    assert "\n" not in str(error.value)


def test_one_bad_photo_never_stops_the_others(folder: Path) -> None:
    (folder / "bad.png").write_bytes(b"no photo")
    evaluation = evaluate(Data(find_photos(folder)), [Method(GREY)], SMALL)
    assert len(evaluation.pictures) == 3
    (failure,) = evaluation.failures
    assert failure.startswith("bad.png")


def test_photos_are_all_bad(tmp_path: Path) -> None:
    (tmp_path / "bad.png").write_bytes(b"no photo")
    with pytest.raises(InstcolorError, match="bad.png"):
        evaluate(Data(find_photos(tmp_path)), [Method(GREY)], SMALL)


def test_boxes_are_matched_by_stem_and_a_detector_is_asked(folder: Path, boxes: Path) -> None:
    class Finds:
        def detect(self, L: NDArray[np.float32]) -> list[DetectedObject]:
            assert L.shape == (48, 72)
            return [TINY]

    data = Data(find_photos(folder), read_boxes(boxes), Finds()).only({"a.png"})
    (case,) = data.cases(SMALL, [])
    assert [item.label for item in case.objects] == ["cat", "ball"]
    assert case.chosen == (TINY,)


def test_a_limit_takes_photos_from_everywhere() -> None:
    assert spread(range(10), 3) == [0, 3, 6]
    assert spread(range(10), 20) == list(range(10))
    assert spread(range(3), None) == [0, 1, 2]


# Torch networks


@pytest.fixture(scope="module")
def networks():
    from instcolor.networks.torch_model import TorchModel
    from random_networks import random_fusion, random_lite

    full = random_lite(1)
    return TorchModel(full, random_lite(2), random_fusion(full, 3), side=64, instance_size=64)


def case_with(*boxes: tuple[float, float, float, float]) -> Case:
    objects = [DetectedObject(box, "cat", 0.9) for box in boxes]
    return SMALL.case("a", fixtures.scene(64, 64), objects)


def answer_of(model, case: Case) -> NDArray[np.float32]:
    return SMALL.look(case, model, case.chosen).answer.ab


def test_box_paste_changes_the_boxes_and_nothing_else(networks) -> None:
    from instcolor.evaluation.paste import BoxPaste

    case = case_with((16, 16, 48, 40))
    full, pasted = answer_of(networks, replace(case, chosen=())), answer_of(BoxPaste(networks), case)
    inside = np.zeros((16, 16), bool)
    inside[4:10, 4:12] = True
    np.testing.assert_allclose(pasted[~inside], full[~inside], atol=1e-4)
    assert np.abs(pasted[inside] - full[inside]).min() > 0
    np.testing.assert_array_equal(answer_of(BoxPaste(networks), replace(case, chosen=())), full)


def test_box_paste_of_the_whole_photo_is_the_instance_networks_answer(networks) -> None:
    from instcolor.evaluation.paste import BoxPaste
    from instcolor.networks.torch_model import TorchModel

    case = case_with((0, 0, 64, 64))
    alone = TorchModel(networks.instance, networks.instance, networks.fusion, side=64, instance_size=64)
    expected = answer_of(alone, replace(case, chosen=()))
    np.testing.assert_allclose(answer_of(BoxPaste(networks), case), expected, atol=1e-3)


def test_box_paste_takes_networks_that_answer_on_two_grids() -> None:
    import torch

    from instcolor.evaluation.paste import BoxPaste

    def network(color: float) -> Callable[..., tuple[torch.Tensor, torch.Tensor]]:
        return lambda L, *_: (L.repeat(1, 2, 1, 1) * 0 + color, L[..., ::4, ::4].repeat(1, BIN_COUNT, 1, 1) * 0 + color)

    sizes = {"side": 64, "instance_size": 64, "multiple": 8, "squash": True, "surroundings": 0.0}
    model = SimpleNamespace(full=network(3), instance=network(7), **sizes)
    case = case_with((16, 16, 48, 40))
    answer = SMALL.look(case, BoxPaste(model), case.chosen).answer  # type: ignore[arg-type]
    for plane, stride in zip(answer, (1, 4), strict=True):
        expected = np.full((64 // stride, 64 // stride), 3.0)
        expected[16 // stride : 40 // stride, 16 // stride : 48 // stride] = 7
        np.testing.assert_allclose(plane[..., 0], expected, atol=1e-3)


def test_small_boxes_are_pasted_over_large_ones(networks) -> None:
    from instcolor.evaluation.paste import BoxPaste

    large, small = (0, 0, 64, 64), (16, 16, 32, 32)
    only_small = answer_of(BoxPaste(networks), case_with(small))
    for order in ((large, small), (small, large)):
        both = answer_of(BoxPaste(networks), case_with(*order))
        np.testing.assert_allclose(both[4:8, 4:8], only_small[4:8, 4:8], atol=1e-3)


def test_fusion_at_no_tap_is_the_full_image_and_at_all_taps_is_fusion(networks) -> None:
    from instcolor.evaluation.ablations import SomeTaps
    from instcolor.networks.torch_model import TorchModel

    case = case_with((8, 8, 40, 56))

    def at(taps: tuple[str, ...]) -> NDArray[np.float32]:
        fusion = SomeTaps(networks.fusion, networks.full.tap_channels, taps)
        return answer_of(TorchModel(networks.full, networks.instance, fusion, side=64, instance_size=64), case)

    names = networks.full.tap_names
    np.testing.assert_array_equal(at(()), answer_of(networks, replace(case, chosen=())))
    np.testing.assert_array_equal(at(names), answer_of(networks, case))
    assert np.abs(at(names[:4]) - at(names)).max() > 0.1


def test_ablations_split_the_taps_at_the_coarsest(networks) -> None:
    from instcolor.evaluation.ablations import ablations, encoder_taps

    assert encoder_taps(networks.full) == ("e4", "e8", "e16", "e32")
    rows = ablations(networks, "lite", detected=True)
    assert len({row.name for row in rows}) == len(rows)
    decoder = next(row for row in rows if row.name == "fused at decoder taps")
    assert decoder.model.fusion.taps == {"d16", "d8", "d4"}
    assert len(ablations(networks, "lite", detected=False)) == len(rows) - 1


def test_ablations_choose_boxes() -> None:
    from instcolor.evaluation import ablations

    candidates = [DetectedObject((i * 6, 0, i * 6 + 6, 30), str(i), 0.3 + i / 20) for i in range(12)]
    case = SMALL.case("a", fixtures.scene(72, 48), [CAT], candidates)
    assert [o.label for o in ablations.best_boxes(case)] == [str(i) for i in range(11, 3, -1)]
    assert {o.label for o in ablations.sure_boxes(case)} == {"8", "9", "10", "11"}
    assert ablations.annotated_boxes(case) == (CAT,)
    drawn = {o.label for o in ablations.random_boxes(case)}
    assert len(drawn) == 8
    assert drawn == {o.label for o in ablations.random_boxes(case)}
    others = {frozenset(o.label for o in ablations.random_boxes(replace(case, name=str(i)))) for i in range(5)}
    assert len(others) > 1


@pytest.fixture(scope="module")
def weights(networks, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The networks as a training leaves them."""
    from safetensors.torch import save_file

    paths = []
    for part in ("full", "instance", "fusion"):
        path = tmp_path_factory.mktemp(part) / "model.safetensors"
        save_file(getattr(networks, part).state_dict(), path)
        paths.append(str(path))
    return ",".join(paths)


def test_weights_are_those_of_the_training(networks, weights: str) -> None:
    from instcolor.evaluation.weights import load_torch_model

    case = case_with((8, 8, 40, 56))
    model = load_torch_model(weights.split(","), instance_size=64)
    np.testing.assert_array_equal(answer_of(model, case), answer_of(networks, case))
    full = load_torch_model(weights.split(",")[:1])
    alone = replace(case, chosen=())
    np.testing.assert_array_equal(answer_of(full, alone), answer_of(networks, alone))
    with pytest.raises(ModelError, match="2 files"):
        load_torch_model(weights.split(",")[:2])


def test_a_network_may_have_its_distribution_on_a_coarser_grid_than_its_ab() -> None:
    import torch

    from instcolor.evaluation.imported import WholePhoto
    from instcolor.networks.eccv16 import Eccv16

    torch.manual_seed(0)
    network = Eccv16().eval()
    torch.nn.init.normal_(network.model_out.weight)
    answer = SMALL.look(case_with((8, 8, 40, 56)), WholePhoto(network), ()).answer
    assert answer.ab.shape == (64, 64, 2)
    assert answer.logits.shape[:2] == (16, 16)
    (full,) = measure([case_with()], [Method(FULL, WholePhoto(network))], SMALL, ["natural"])
    assert full.rgb.shape == (64, 64, 3)


# A learned distance


@pytest.fixture(scope="module")
def lpips_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Random weights with the shapes of the real ones."""
    import torch
    from safetensors.torch import save_file

    channels, kernels = (3, 64, 192, 384, 256, 256), (11, 5, 3, 3, 3)
    draw = torch.Generator().manual_seed(0)
    state = {"input.shift": torch.zeros(1, 3, 1, 1), "input.scale": torch.ones(1, 3, 1, 1)}
    for i, kernel in enumerate(kernels, 1):
        shape = (channels[i], channels[i - 1], kernel, kernel)
        state[f"conv{i}.weight"] = torch.randn(shape, generator=draw) / math.sqrt(math.prod(shape[1:]))
        state[f"conv{i}.bias"] = torch.zeros(channels[i])
        state[f"weight{i}"] = torch.rand(1, channels[i], 1, 1, generator=draw)
    path = tmp_path_factory.mktemp("lpips") / "lpips.safetensors"
    save_file(state, path)
    return path


def test_learned_distance_grows_with_the_difference(lpips_weights: Path) -> None:
    from instcolor.evaluation.perceptual import ShiftTolerantLpips

    distance, picture = ShiftTolerantLpips(lpips_weights), fixtures.scene(72, 64)
    assert distance(picture, picture) == 0
    near, far = noisy(picture, 5), noisy(picture, 60)
    assert 0 < distance(picture, near) < distance(picture, far)
    assert distance(near, picture) == pytest.approx(distance(picture, near), rel=1e-4)
    assert math.isnan(distance(picture[:63], near[:63]))


def test_learned_distance_refuses_other_weights(weights: str, tmp_path: Path) -> None:
    from instcolor.evaluation.perceptual import ShiftTolerantLpips

    with pytest.raises(ModelError, match="not weights of the shift-tolerant LPIPS"):
        ShiftTolerantLpips(weights.split(",")[0])
    with pytest.raises(ModelError, match="not readable"):
        ShiftTolerantLpips(tmp_path / "missing")


def test_frechet_distance_of_known_distributions() -> None:
    rng = np.random.default_rng(0)
    features = rng.normal(size=(500, 6)) @ rng.normal(size=(6, 6))
    assert frechet_distance(features, features) == pytest.approx(0, abs=1e-6)
    assert frechet_distance(features, features + 2) == pytest.approx(6 * 4, rel=1e-6)
    # one number: (difference of the means)^2 + (difference of the deviations)^2
    column = features[:, :1]
    expected = (3 * column.mean() - column.mean()) ** 2 + (2 * column.std(ddof=1)) ** 2
    assert frechet_distance(3 * column, column) == pytest.approx(expected, rel=1e-6)
    # more photos than features or fewer, the same by the definition with a matrix root
    few, others = rng.normal(size=(5, 8)), rng.normal(size=(5, 8))
    product = np.cov(few, rowvar=False) @ np.cov(others, rowvar=False)
    root = np.sqrt(np.linalg.eigvals(product).astype(complex)).sum().real
    trace = np.trace(np.cov(few, rowvar=False)) + np.trace(np.cov(others, rowvar=False))
    expected = np.square(few.mean(0) - others.mean(0)).sum() + trace - 2 * root
    assert frechet_distance(few, others) == pytest.approx(expected, abs=1e-5)


@pytest.fixture
def mean_color(tmp_path: Path) -> Path:
    """In the place of an Inception network: the mean color of a picture of 32 x 32 pixels."""
    from graphs import Graph
    from stand_in import typed

    graph = Graph()
    graph.op("ReduceMean", "picture", axes=[2, 3], keepdims=1, name="features")
    graph.save(tmp_path / "features.onnx", typed({"picture": (None, 3, 32, 32)}), typed({"features": (None, 3, 1, 1)}))
    return tmp_path / "features.onnx"


def test_fid_compares_rows_with_the_truth(mean_color: Path) -> None:
    inception = Inception(mean_color)
    for name, seed in (("a", 1), ("b", 2), ("c", 3)):
        picture = noisy(of_one_color(), 40, seed)
        case = SMALL.case(name, picture)
        for result in measure([case], [Method(GREY), Method(FULL, FakeModel())], SMALL, ["faithful"]):
            inception.add(result)
    distances = inception.distances()
    assert 0 < distances["", FULL, "faithful"] < distances["", GREY, ""]


def test_fid_refuses_another_network(tmp_path: Path) -> None:
    import stand_in

    place = stand_in.write_model(tmp_path)
    with pytest.raises(ModelError, match="not an Inception network"):
        Inception(place / "photo.onnx")
    with pytest.raises(ModelError, match="missing"):
        Inception(tmp_path / "missing.onnx")


# The command


@pytest.fixture
def request_for(folder: Path, boxes: Path, weights: str, tmp_path: Path) -> Callable[..., Request]:
    def make(**options: object) -> Request:
        usual = {
            "data": folder,
            "boxes": boxes,
            "weights": (weights,),
            "size": "64",
            "limit": 2,
            "styles": ("natural",),
        }
        return Request(**usual | {"out": tmp_path / "out"} | options)  # type: ignore[arg-type]

    return make


def test_command_prints_its_protocol_and_writes_its_files(
    request_for: Callable[..., Request], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(request_for()) is False
    printed = capsys.readouterr().out
    out = tmp_path / "out"
    assert {path.name for path in out.iterdir()} == set(outputs.NAMES)
    assert printed == (out / "results.md").read_text()
    assert "64 x 64" in printed
    assert "LPIPS is missing" in printed
    assert "FID is missing" in printed
    results = json.loads((out / "results.json").read_text())
    assert results["protocol"] == Protocol(side=64).lines()
    assert [row["method"] for row in results["rows"]] == [GREY, FULL, FUSED, "box paste"]
    assert set(results["rows"][2]["psnr"]) == {"mean", "low", "high"}
    with (out / "results.csv").open(newline="") as file:
        lines = list(csv.DictReader(file))
    assert len(lines) == 2 * 4
    means = [float(line["psnr"]) for line in lines if line["method"] == FUSED]
    assert np.mean(means) == pytest.approx(results["rows"][2]["psnr"]["mean"], abs=1e-3)
    with (out / "objects.csv").open(newline="") as file:
        assert len(list(csv.DictReader(file))) == 2 * 4 * 2


class Page(HTMLParser):
    """What a page holds: pictures, boxes, photos, and everything that it would load."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.tags: list[str] = []
        self.metrics: list[dict[str, float]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        given = dict(attrs)
        self.loads += [str(given[name]) for name in ("src", "href", "data", "action") if name in given]
        if "data-metrics" in given:
            self.metrics.append(json.loads(str(given["data-metrics"])))


def test_gallery_holds_all_that_it_shows(request_for: Callable[..., Request], tmp_path: Path) -> None:
    run(request_for())
    text = (tmp_path / "out" / outputs.GALLERY).read_text()
    page = Page(text)
    assert page.tags.count("article") == 2
    assert page.tags.count("rect") == 2 * 2  # both objects of both photos
    assert page.tags.count("link") == page.tags.count("iframe") == 0
    assert len(page.loads) == 2 * 4  # grey, ours, full image, truth
    assert all(source.startswith("data:image/webp;base64,") for source in page.loads)
    assert "http:" not in text
    assert "https:" not in text
    assert "url(" not in text
    assert {"psnr", "over_grey", "over_full", "delta_e2000"} <= set(page.metrics[0])
    assert not re.search(r"<!--[A-Z_]+-->|/\*[A-Z_]+\*/", text)


def test_gallery_escapes_names(request_for: Callable[..., Request], folder: Path, tmp_path: Path) -> None:
    (folder / "a.png").rename(folder / "a&<script>'\".png")
    run(request_for(boxes=None, limit=None))
    page = Page((tmp_path / "out" / outputs.GALLERY).read_text())
    assert page.tags.count("script") == 1


def test_command_replaces_no_results_unasked(request_for: Callable[..., Request], tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "results.csv").write_text("mine")
    with pytest.raises(InstcolorError, match=r"results\.csv: exists already"):
        run(request_for())
    assert (tmp_path / "out" / "results.csv").read_text() == "mine"
    run(request_for(overwrite=True))
    assert (tmp_path / "out" / "results.csv").read_text() != "mine"


def test_command_measures_ablations_and_a_learned_distance(
    request_for: Callable[..., Request], lpips_weights: Path, mean_color: Path, tmp_path: Path
) -> None:
    run(request_for(ablations=True, hints=True, lpips=lpips_weights, inception=mean_color))
    rows = json.loads((tmp_path / "out" / "results.json").read_text())["rows"]
    assert {"fused at encoder taps", "fused at decoder taps", "fused, 8 random boxes", "fused, hinted"} <= {
        r["method"] for r in rows
    }
    assert all(row["lpips"]["mean"] > 0 for row in rows)
    assert all(row["fid"] >= 0 for row in rows)


def test_command_fuses_nothing_without_objects(request_for: Callable[..., Request], tmp_path: Path) -> None:
    run(request_for(detector="none"))
    rows = json.loads((tmp_path / "out" / "results.json").read_text())["rows"]
    assert [row["method"] for row in rows] == [GREY, FULL]


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"size": "huge"}, "huge: size is neither"),
        ({"size": "8"}, "8: size is neither"),
        ({"styles": ("loud",)}, "loud: no such style"),
        ({"weights": ("missing.safetensors",)}, "missing.safetensors: not readable"),
        ({"imported": (Path("none-such"),)}, r"none-such.*cannot be read|not the facts of imported weights"),
        ({"weights": (), "models": ("none-such",)}, "none-such: no such model"),
        ({"detector": "none-such"}, "none-such: no such detector"),
    ],
)
def test_command_refuses_in_one_line(options: dict, reason: str, request_for: Callable[..., Request]) -> None:
    with pytest.raises(InstcolorError, match=reason):
        run(request_for(**options))


def test_imported_networks_are_fused_where_they_can_be(
    request_for: Callable[..., Request], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from instcolor.evaluation import imported

    class Three(stand_in.FineModel, imported.ThreeNetworks):
        def __init__(self) -> None:
            stand_in.FineModel.__init__(self)

    for model, expected in ((Three(), [GREY, FULL, FUSED]), (stand_in.FineModel(), [GREY, FULL])):
        monkeypatch.setattr(imported, "load_imported", lambda _, found=model: found)
        run(request_for(weights=(), imported=(tmp_path / "paper",), overwrite=True))
        rows = json.loads((tmp_path / "out" / "results.json").read_text())["rows"]
        assert [row["method"] for row in rows] == expected
        assert rows[-1]["model"] == "paper"


def test_two_models_of_one_name_are_refused(request_for: Callable[..., Request], weights: str) -> None:
    with pytest.raises(InstcolorError, match="two models of one name"):
        run(request_for(weights=(weights, weights)))


def test_command_line_measures_a_model_of_the_registry_and_tells_of_bad_photos(
    folder: Path, boxes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from typer.testing import CliRunner

    import stand_in
    from instcolor.cli import app

    stand_in.write_model(tmp_path / "models")
    monkeypatch.setenv("INSTCOLOR_MODELS", str(tmp_path / "models"))
    (folder / "bad.png").write_bytes(b"no photo")
    arguments = ["evaluate", str(folder), "--model", stand_in.NAME, "--boxes", str(boxes), "--size", "own"]
    result = CliRunner().invoke(app, [*arguments, "--style", "faithful"])
    assert result.exit_code == 1
    assert "error: bad.png: cannot be read" in result.stderr
    assert re.search(r"^\| fused, faithful \| \d+\.\d\d ", result.stdout, re.MULTILINE)
    assert "## Objects by share of the photo" in result.stdout
    assert CliRunner().invoke(app, [*arguments, "--size", "x"]).exit_code == 1
