"""From a photo to what the networks take, and the exported networks on ONNX Runtime."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from instcolor.bins import BIN_COUNT
from instcolor.colorizer import load_model
from instcolor.errors import ModelError
from instcolor.hints import Hints
from instcolor.inputs import Canvas, Inputs, Places, Sizes
from instcolor.models import registry
from instcolor.objects import DetectedObject, Mask
from instcolor.packaging.lite import export_lite
from instcolor.runtime.model import Answer, OnnxModel, load_session
from instcolor.runtime.preparing import crop_boxes, prepare, working_size
from support.random_networks import objects_at, random_fusion, random_inputs, random_lite, sizes_for

Plane = NDArray[np.float32]


def boxes(*corners: tuple[float, float, float, float]) -> Plane:
    return np.array(corners, np.float32).reshape(-1, 4)


def objects(*corners: tuple[float, float, float, float]) -> list[DetectedObject]:
    return objects_at(boxes(*corners))


def hints(*points: tuple[float, float, float, float]) -> Hints:
    return Hints(np.array(points, np.float32).reshape(-1, 4))


# The working size


@given(st.integers(1, 20_000), st.integers(1, 20_000), st.sampled_from([256, 384, 512]), st.sampled_from([8, 32]))
def test_working_size_has_whole_multiples_and_keeps_area_and_aspect(
    width: int, height: int, side: int, multiple: int
) -> None:
    size = working_size((width, height), Sizes(side, side, multiple))
    assert all(s % multiple == 0 and s >= multiple for s in size)
    aspect = min(max(height / width, 1 / 4), 4.0)
    expected = side * math.sqrt(aspect), side / math.sqrt(aspect)
    assert all(abs(found - wanted) <= multiple / 2 + 1e-6 for found, wanted in zip(size, expected, strict=True))


@pytest.mark.parametrize(
    ("photo", "size"),
    [
        ((1000, 1000), (256, 256)),
        ((4000, 3000), (224, 288)),
        ((3000, 4000), (288, 224)),
        ((16, 16), (256, 256)),  # enlarged
        ((65_535, 1), (128, 512)),  # 4 : 1 at most
    ],
)
def test_working_size_of_a_photo_is_height_and_width(photo: tuple[int, int], size: tuple[int, int]) -> None:
    assert working_size(photo, Sizes(256, 192, 32)) == size


def test_a_model_may_want_a_square_of_any_photo() -> None:
    assert working_size((640, 480), Sizes(256, 256, 8, squash=True)) == (256, 256)
    assert working_size((640, 480), Sizes(100, 96, 32, squash=True)) == (96, 96)


# Preparing a photo


def test_no_objects_give_empty_arrays_of_the_right_shape() -> None:
    L = np.full((40, 60), 50, np.float32)
    inputs = prepare(L, [], sizes_for((64, 96), 48))
    shapes = [plane.shape for planes in inputs for plane in planes]
    assert shapes == [
        *[(1, 1, 64, 96), (1, 2, 64, 96), (1, 1, 64, 96)],
        *[(0, 1, 48, 48), (0, 2, 48, 48), (0, 1, 48, 48)],
        *[(0, 4), (0, 4), (0, 2), (0, 1, 48, 48)],
    ]
    assert all(plane.dtype == np.float32 for planes in inputs for plane in planes)
    assert (inputs.photo.L == 50).all()
    assert not inputs.photo.hint_ab.any()
    assert not inputs.photo.hint_mask.any()


def test_a_crop_shows_the_box_with_a_quarter_of_it_around() -> None:
    L = np.full((200, 300), 10, np.float32)
    L[80:120, 100:180] = 90  # the object
    photo, crops, places = prepare(L, objects((100, 80, 180, 120)), sizes_for((64, 96), 60))
    np.testing.assert_allclose(places.crop, [[80 / 300, 70 / 200, 200 / 300, 130 / 200]], rtol=1e-6)
    np.testing.assert_allclose(places.box, [[100 / 300, 80 / 200, 180 / 300, 120 / 200]], rtol=1e-6)
    np.testing.assert_allclose(places.pixels, np.log2([[120, 60]]), rtol=1e-6)
    # The object is the middle two thirds of its crop, which is squashed to a square.
    marked = crops.L[0, 0] > 50
    assert np.array_equal(np.flatnonzero(marked.any(0)), np.arange(10, 50))
    assert np.array_equal(np.flatnonzero(marked.any(1)), np.arange(10, 50))
    assert marked.sum() == 1600
    # In the whole photo it is where it was.
    rows, columns = np.nonzero(photo.L[0, 0] > 50)
    assert (columns.min() / 96, (columns.max() + 1) / 96) == pytest.approx((1 / 3, 0.6), abs=1 / 96)
    assert (rows.min() / 64, (rows.max() + 1) / 64) == pytest.approx((0.4, 0.6), abs=1 / 64)


def test_crops_come_from_the_full_size_photo_not_from_its_small_copy() -> None:
    rng = np.random.default_rng(0)
    L = rng.uniform(0, 100, (400, 400)).astype(np.float32)  # noise that a small copy would average away
    inputs = prepare(L, objects((108, 208, 172, 272)), sizes_for((32, 32), 96))
    np.testing.assert_allclose(inputs.objects.L[0, 0], L[192:288, 92:188], atol=1e-4)
    assert inputs.photo.L.std() < 5


def test_surroundings_are_cut_at_the_border() -> None:
    found = crop_boxes(boxes((0, 0, 40, 20), (90, 60, 100, 80), (0, 0, 100, 80)), (100, 80))
    assert found.tolist() == [[0, 0, 50, 25], [87, 55, 100, 80], [0, 0, 100, 80]]


def test_crops_begin_and_end_at_whole_pixels() -> None:
    assert crop_boxes(boxes((10.6, 20.2, 20.9, 29.7)), (100, 80)).tolist() == [[8, 17, 24, 33]]


def test_without_surroundings_a_crop_is_its_box_at_whole_pixels() -> None:
    L = np.random.default_rng(0).uniform(0, 100, (80, 100)).astype(np.float32)
    sizes = Sizes(64, 32, 8, squash=True, surroundings=0)
    _, crops, places = prepare(L, objects((10.6, 20.2, 42.9, 52.7), (99.5, 0, 100, 0.5)), sizes)
    pixels = np.array([(10, 20, 42, 52), (99, 0, 100, 1)], np.float32)  # as published: cut off, not rounded
    np.testing.assert_allclose(places.crop * (100, 80, 100, 80), pixels, rtol=1e-6)
    assert np.array_equal(places.crop, places.box)
    np.testing.assert_allclose(crops.L[0, 0], L[20:52, 10:42], atol=1e-4)
    assert (crops.L[1, 0] == L[0, 99]).all()


coordinate = st.floats(0, 1, width=32)


@given(st.integers(1, 500), st.integers(1, 500), coordinate, coordinate, coordinate, coordinate)
def test_every_crop_holds_its_box_and_a_pixel_and_lies_in_the_photo(
    width: int, height: int, x0: float, y0: float, x1: float, y1: float
) -> None:
    x0, x1, y0, y1 = (*sorted((x0 * width, x1 * width)), *sorted((y0 * height, y1 * height)))
    box = boxes((x0, y0, x1, y1))
    [crop] = crop_boxes(box, (width, height))
    assert (crop[:2] <= box[0, :2]).all() or (box[0, :2] >= (width - 1, height - 1)).any()
    assert (crop[2:] >= box[0, 2:]).all()
    assert (crop[2:] - crop[:2] >= 1).all()
    assert (crop[:2] >= 0).all()
    assert (crop[2:] <= (width, height)).all()


def test_one_pixel_at_the_corner_is_an_object_too() -> None:
    L = np.zeros((50, 60), np.float32)
    L[49, 59] = 80
    inputs = prepare(L, objects((59, 49, 60, 50)), sizes_for((32, 32), 32))
    assert inputs.places.pixels.tolist() == [[1, 1]]  # one pixel and one of surroundings
    assert inputs.objects.L[0, 0, -1, -1] == 80
    assert inputs.objects.L[0, 0, 0, 0] == 0


def test_hints_reach_the_photo_and_the_crops_that_hold_them() -> None:
    L = np.zeros((100, 200), np.float32)
    found = objects((20, 20, 60, 60), (120, 20, 160, 60))
    photo, crops, _ = prepare(L, found, sizes_for((32, 64), 60), hints((40.5, 40.5, 30, -20)))
    assert np.argwhere(photo.hint_mask).mean(0).tolist() == [0, 0, 12, 12]
    assert photo.hint_ab[0, :, 12, 12].tolist() == [30, -20]
    # The first crop is 10..70 in x and y, so the hint is in its middle; the second does not show it.
    assert np.argwhere(crops.hint_mask).mean(0).tolist() == [0, 0, 30, 30]
    assert crops.hint_ab[0, :, 30, 30].tolist() == [30, -20]
    assert not crops.hint_ab[1].any()


# The exported networks


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    full = random_lite(0)
    folder = tmp_path_factory.mktemp("model")
    export_lite(full, full, random_fusion(full, 1), folder)
    return folder


def open_model(folder: Path, objects: str = "objects.onnx", threads: int | None = 1) -> OnnxModel:
    return OnnxModel(folder / "photo.onnx", folder / objects, Sizes(64, 64, 32), threads=threads)


@pytest.fixture(scope="module")
def model(folder: Path) -> OnnxModel:
    return open_model(folder)


def equal(a: Answer, b: Answer) -> bool:
    return np.array_equal(a.ab, b.ab) and np.array_equal(a.logits, b.logits)


@pytest.mark.parametrize("count", [0, 2])
def test_answer_is_planes_on_a_quarter_of_the_grid(model: OnnxModel, count: int) -> None:
    answer = model.answer(random_inputs((64, 96), count, model.sizes.instance_size, seed=1))
    assert answer.ab.shape == (16, 24, 2)
    assert answer.logits.shape == (16, 24, BIN_COUNT)
    for plane in answer:
        assert plane.dtype == np.float32
        assert plane.flags.c_contiguous
        assert np.isfinite(plane).all()


def test_objects_change_the_answer_and_no_objects_do_not(model: OnnxModel) -> None:
    inputs = random_inputs((64, 64), 2, model.sizes.instance_size, seed=2)
    objects, places = Canvas(*(plane[:0] for plane in inputs.objects)), Places(*(p[:0] for p in inputs.places))
    alone = Inputs(inputs.photo, objects, places)
    plain = model.answer(alone)
    assert not equal(model.answer(inputs), plain)
    assert equal(model.answer(alone), plain)


def test_same_answers_from_several_threads(folder: Path) -> None:
    model = open_model(folder)  # fresh: the threads race to load the objects' part too
    cases = [random_inputs((64, 64 + 32 * (i % 2)), i % 4, model.sizes.instance_size, seed=i) for i in range(8)]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(model.answer, cases * 2))
    expected = [model.answer(case) for case in cases]
    assert all(equal(found, wanted) for found, wanted in zip(together, expected * 2, strict=True))


def test_objects_file_is_loaded_once_and_only_for_an_object(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded: list[str] = []

    def spy(path: Path, threads: int | None) -> Any:
        loaded.append(path.name)
        return load_session(path, threads)

    monkeypatch.setattr("instcolor.runtime.model.load_session", spy)
    model = open_model(folder)
    model.answer(random_inputs((32, 32), 0, model.sizes.instance_size, seed=3))
    assert loaded == ["photo.onnx"]
    for _ in range(2):
        model.answer(random_inputs((32, 32), 1, model.sizes.instance_size, seed=3))
    assert loaded == ["photo.onnx", "objects.onnx"]


def one_line(caught: pytest.ExceptionInfo[ModelError], name: str, reason: str) -> None:
    message = str(caught.value)
    assert "\n" not in message
    assert name in message
    assert reason in message
    assert len(message.replace(message.split(name)[0], "")) < 300


def test_missing_objects_file_is_told_of_when_there_is_an_object(folder: Path) -> None:
    model = open_model(folder, objects="nowhere.onnx")
    assert np.isfinite(model.answer(random_inputs((32, 32), 0, model.sizes.instance_size, seed=4)).ab).all()
    with pytest.raises(ModelError) as caught:
        model.answer(random_inputs((32, 32), 1, model.sizes.instance_size, seed=4))
    one_line(caught, "nowhere.onnx", "missing")


def test_missing_photo_file_is_told_of_at_once(tmp_path: Path) -> None:
    with pytest.raises(ModelError) as caught:
        open_model(tmp_path)
    one_line(caught, "photo.onnx", "missing")


@pytest.mark.parametrize("damage", ["empty", "text", "cut", "flipped"])
def test_damaged_file_is_told_of_in_one_line(folder: Path, tmp_path: Path, damage: str) -> None:
    data = (folder / "photo.onnx").read_bytes()
    damaged = {
        "empty": b"",
        "text": b"no model\nat all\n",
        "cut": data[: len(data) // 2],
        "flipped": bytes(byte ^ 0xFF for byte in data[:4096]) + data[4096:],
    }
    (tmp_path / "photo.onnx").write_bytes(damaged[damage])
    with pytest.raises(ModelError) as caught:
        open_model(tmp_path)
    one_line(caught, "photo.onnx", "not a usable model")


def test_a_folder_is_no_model(tmp_path: Path) -> None:
    (tmp_path / "photo.onnx").mkdir()
    with pytest.raises(ModelError):
        open_model(tmp_path)


def test_another_networks_file_is_no_model(folder: Path, tmp_path: Path) -> None:
    """The two files exchanged: graphs that load, and are not what they have to be."""
    for name, other in (("photo.onnx", "objects.onnx"), ("objects.onnx", "photo.onnx")):
        (tmp_path / name).write_bytes((folder / other).read_bytes())
    with pytest.raises(ModelError) as caught:
        open_model(tmp_path)
    one_line(caught, "photo.onnx", "lacks ab")
    (tmp_path / "photo.onnx").write_bytes((folder / "photo.onnx").read_bytes())
    model = open_model(tmp_path)
    with pytest.raises(ModelError) as caught:
        model.answer(random_inputs((32, 32), 1, model.sizes.instance_size, seed=5))
    one_line(caught, "objects.onnx", "lacks d16.feature")


def test_sizes_that_do_not_fit_the_model_are_told_of(model: OnnxModel, folder: Path) -> None:
    with pytest.raises(ModelError) as caught:
        model.answer(random_inputs((40, 64), 0, model.sizes.instance_size, seed=6))
    one_line(caught, "photo.onnx", "does not run")
    for instance_size, multiple in ((48, 32), (0, 32), (64, 0)):
        with pytest.raises(ModelError) as caught:
            OnnxModel(folder / "photo.onnx", folder / "objects.onnx", Sizes(64, instance_size, multiple))
        one_line(caught, "photo.onnx", f"instance size {instance_size}")


# The models in the package


@pytest.mark.parametrize("name", [path.parent.name for path in registry.PACKAGED.glob("*/photo.onnx")])
def test_a_packaged_model_is_whole_and_small_and_answers(name: str) -> None:
    entry = registry.find(name)
    entry.verify()
    assert entry.size < 32e6
    assert all((entry.folder / file).stat().st_size < 16e6 for file in entry.files)
    assert entry.license
    assert len(entry.card()) > 500
    photo_file, objects_file = (entry.folder / file for file in entry.files)
    sizes = Sizes(entry.side, entry.instance_size, entry.multiple)
    model = OnnxModel(photo_file, objects_file, sizes, threads=1)
    plain, with_objects = (
        model.answer(random_inputs((64, 96), count, entry.instance_size, seed=7)) for count in (0, 2)
    )
    assert np.isfinite(plain.logits).all()
    assert plain.ab.std() > 0.1
    assert not equal(plain, with_objects)


def test_the_shipped_networks_are_limited_by_masks() -> None:
    """A mask that leaves nothing of an object leaves the full image's answer."""
    L = np.tile(np.linspace(20, 80, 96, dtype=np.float32), (96, 1))
    model = load_model("lite", threads=1)
    box = (20.0, 20.0, 70.0, 70.0)
    nothing = Mask(box, np.zeros((28, 28), np.float32))
    sizes = replace(model.sizes, side=96)
    alone, whole, masked = (
        model.answer(prepare(L, found, sizes)) for found in ([], objects(box), objects_at(boxes(box), [nothing]))
    )
    np.testing.assert_allclose(masked.ab, alone.ab, atol=1e-3)
    assert np.abs(whole.ab - alone.ab).max() > 0.1
