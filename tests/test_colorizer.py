"""The recipe: what goes in, what comes out, and that the networks are asked no more than needed."""

from __future__ import annotations

import hashlib
import io
import math
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import instcolor.colorizer
from instcolor import Colorizer, DetectedObject, DetectorError, Hints, ModelError, Photo, PhotoError, styles
from instcolor.bins import BIN_CENTERS
from instcolor.colorizer import load_model
from instcolor.inputs import Inputs
from instcolor.runtime.model import Answer, Plane
from support import fixtures, stand_in
from support.photographs import ab_of
from support.stand_in import AB, LIKELY, FakeModel, FineModel

SIZE = (48, 32)


@pytest.fixture
def model() -> FakeModel:
    return FakeModel()


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's folder of models, with a stand-in."""
    monkeypatch.setenv("INSTCOLOR_MODELS", str(tmp_path / "models"))
    return stand_in.write_model(tmp_path / "models").parent


def gray() -> Image.Image:
    return fixtures.image("L", *SIZE)


def boxed(*box: float, score: float = 0.9, label: str = "person") -> DetectedObject:
    x0, y0, x1, y1 = box
    return DetectedObject((x0, y0, x1, y1), label, score)


class Finder:
    """A detector that always finds the same."""

    def __init__(self, *found: DetectedObject) -> None:
        self.found = list(found)
        self.asked: list[tuple[int, ...]] = []

    def detect(self, L: np.ndarray) -> list[DetectedObject]:
        self.asked.append(L.shape)
        return self.found


# In and out


@pytest.mark.parametrize("style", styles.STYLES)
def test_a_model_may_want_squares_and_bare_crops_and_answer_on_two_grids(style: str) -> None:
    model = FineModel()
    photo = Colorizer(model, detector="none").colorize(gray(), objects=[boxed(10.5, 4.5, 30.5, 20.5)], style=style)
    [asked] = model.asked
    assert asked.photo.L.shape == (1, 1, 64, 64)
    assert np.array_equal(asked.places.crop, asked.places.box)
    np.testing.assert_allclose(asked.places.box[0] * (48, 32, 48, 32), (10, 4, 30, 20), rtol=1e-6)
    expected = Colorizer(FakeModel()).colorize(gray(), objects=[boxed(10, 4, 30, 20)], style=style)
    np.testing.assert_allclose(ab_of(photo), ab_of(expected), atol=1e-3)


def test_every_kind_of_source_gives_the_same_colors(model: FakeModel, tmp_path: Path) -> None:
    data = fixtures.encoded(gray(), "PNG")
    path = tmp_path / "old.png"
    path.write_bytes(data)
    colorizer = Colorizer(model, detector="none")
    sources: list[Any] = [path, str(path), data, gray(), np.asarray(gray()), Photo.open(data)]
    results = [colorizer.colorize(source).rgb() for source in sources]
    assert all((result == results[0]).all() for result in results)


def test_result_has_the_photos_size_and_lightness_and_the_models_colors(model: FakeModel) -> None:
    photo = Photo.open(gray())
    result = Colorizer(model, detector="none").colorize(photo, style="faithful")
    assert result.size == SIZE
    assert (result.L == photo.L).all()
    assert result.ab is not None
    np.testing.assert_allclose(result.ab, np.broadcast_to(AB, result.ab.shape), atol=1e-3)
    assert photo.ab is None  # what went in is as it was


def test_confidence_is_high_where_one_color_is_likely(model: FakeModel) -> None:
    sure = Colorizer(model, detector="none").colorize(gray()).confidence
    assert sure is not None
    assert sure.min() > 0.9
    assert sure.max() <= 1


def test_a_photo_over_the_limit_is_refused(model: FakeModel) -> None:
    width, height = SIZE
    Colorizer(model, max_pixels=width * height).colorize(gray())
    with pytest.raises(PhotoError, match="limit"):
        Colorizer(model, max_pixels=width * height - 1).colorize(gray())
    assert len(model.asked) == 1


# Styles


def test_faithful_is_the_regression_and_vivid_the_likeliest(model: FakeModel) -> None:
    look = Colorizer(model, detector="none").look(gray())
    mean = {style: ab_of(look.color(style)).mean((0, 1)) for style in styles.STYLES}
    np.testing.assert_allclose(mean["faithful"], AB, atol=1e-2)
    np.testing.assert_allclose(mean["vivid"], styles.STYLES["vivid"].saturation * BIN_CENTERS[LIKELY], atol=1e-2)
    natural = styles.STYLES["natural"]
    mixed = (1 - natural.share) * np.array(AB) + natural.share * BIN_CENTERS[LIKELY]
    np.testing.assert_allclose(mean["natural"], natural.saturation * mixed, atol=1e-2)


def test_a_look_colors_again_without_detector_and_networks(model: FakeModel) -> None:
    finder = Finder(boxed(4, 4, 20, 20))
    look = Colorizer(model, detector=finder).look(gray())
    for style in styles.STYLES:
        look.color(style, saturation=0.5, strength=0.5)
    assert len(model.asked) == len(finder.asked) == 1


def test_saturation_and_strength_are_factors_and_zero_is_gray(model: FakeModel) -> None:
    look = Colorizer(model, detector="none").look(gray())
    full, part = look.color("faithful").ab, look.color("faithful", saturation=1.5, strength=0.5).ab
    assert full is not None
    assert part is not None
    np.testing.assert_allclose(part, 0.75 * full, atol=1e-3)
    red, green, blue = np.moveaxis(look.color(strength=0).rgb(), 2, 0)
    assert (red == green).all()
    assert (red == blue).all()


def test_an_unknown_style_is_named_with_the_known_ones(model: FakeModel) -> None:
    with pytest.raises(ValueError, match="'gaudy': faithful, natural, vivid"):
        Colorizer(model, detector="none").colorize(gray(), style="gaudy")


# Objects


def test_detected_objects_are_colored_and_come_with_the_result(model: FakeModel) -> None:
    finder = Finder(boxed(4, 4, 20, 20), boxed(30, 10, 60, 30, score=0.5, label="dog"))
    result = Colorizer(model, detector=finder).colorize(gray(), style="faithful")
    assert finder.asked == [(SIZE[1], SIZE[0])]
    assert [(o.label, o.box) for o in result.objects] == [("person", (4, 4, 20, 20)), ("dog", (30, 10, 48, 30))]
    assert model.asked[0].objects.L.shape == (2, 1, 32, 32)
    np.testing.assert_allclose(model.asked[0].places.box[1], np.array([30, 10, 48, 30]) / (48, 32, 48, 32), rtol=1e-6)
    np.testing.assert_allclose(ab_of(result).mean((0, 1)), (AB[0], AB[1] + 20), atol=1e-2)


def test_given_objects_replace_the_detectors(model: FakeModel) -> None:
    finder = Finder(boxed(4, 4, 20, 20))
    colorizer = Colorizer(model, detector=finder)
    assert colorizer.colorize(gray(), objects=[]).objects == ()
    assert [o.label for o in colorizer.colorize(gray(), objects=[boxed(0, 0, 9, 9, label="cat")]).objects] == ["cat"]
    assert not finder.asked


def test_the_packages_detector_is_the_default_and_loaded_once_when_first_needed(
    model: FakeModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded: list[str] = []

    def load(name: str, threads: int | None) -> Finder:
        loaded.append(name)
        return Finder(boxed(4, 4, 20, 20))

    monkeypatch.setattr(instcolor.colorizer, "load_detector", load)
    colorizer = Colorizer(model)
    colorizer.colorize(gray(), objects=[])
    assert loaded == []
    assert [o.label for o in colorizer.colorize(gray()).objects] == ["person"]
    assert colorizer.load() is colorizer
    assert loaded == ["builtin"]


def test_loading_tells_of_faults_before_the_first_photo(model: FakeModel, models: Path) -> None:
    with pytest.raises(DetectorError, match="nobody: no such detector"):
        Colorizer(model, detector="nobody").load()
    (models / stand_in.NAME / "photo.onnx").unlink()
    with pytest.raises(ModelError, match=r"photo\.onnx"):
        Colorizer(stand_in.NAME, detector="none").load()


def test_no_detector_finds_nothing(model: FakeModel) -> None:
    assert Colorizer(model, detector="none").detect(gray()) == []
    assert Colorizer(model, detector="none").colorize(gray()).objects == ()
    assert model.asked[0].objects.L.shape == (0, 1, 32, 32)


@pytest.mark.parametrize("given", [True, False])
def test_only_the_best_objects_up_to_the_limit_are_colored(model: FakeModel, given: bool) -> None:
    many = [boxed(4 * i, 0, 4 * i + 4, 30, score=0.1 * i) for i in range(10)]
    colorizer = Colorizer(model, detector=Finder(*many), limit=3)
    result = colorizer.colorize(gray(), objects=many if given else None)
    assert [o.score for o in result.objects] == [0.9, 0.8, pytest.approx(0.7)]


@pytest.mark.parametrize("box", [(math.nan, 0, 10, 10), (100, 100, 120, 120), (5, 5, 5, 9), (9, 9, 3, 3)])
def test_boxes_that_show_nothing_of_the_photo_are_left_out(model: FakeModel, box: tuple[float, ...]) -> None:
    assert Colorizer(model, detector="none").colorize(gray(), objects=[boxed(*box), boxed(0, 0, 20, 20)]).objects == (
        boxed(0, 0, 20, 20),
    )


# Hints


def test_hints_reach_the_networks_and_exact_objects_are_taken_as_they_are(model: FakeModel) -> None:
    colorizer = Colorizer(model, detector="none")
    hints = Hints(np.array([[24, 16, 50, -30]], np.float32))
    tiny = boxed(23, 15, 25, 17)  # select would drop it
    look = colorizer.look_again(Photo.open(gray()), [tiny], hints)
    assert look.objects == (tiny,)
    assert model.asked[0].photo.hint_mask.sum() > 0
    assert model.asked[0].objects.hint_mask.sum() > 0
    assert set(np.unique(model.asked[0].photo.hint_ab[0, 0])) == {0, 50}


# The model


def test_the_registrys_model_is_loaded_once_and_when_first_needed(models: Path) -> None:
    colorizer = Colorizer(stand_in.NAME, detector="none")
    result = colorizer.colorize(gray(), style="faithful", objects=[boxed(0, 0, 20, 20), boxed(20, 0, 40, 30)])
    np.testing.assert_allclose(ab_of(result).mean((0, 1)), (AB[0], AB[1] + 20), atol=1e-2)
    assert colorizer.model is colorizer.model


def test_threads_share_a_colorizer(models: Path) -> None:
    colorizer = Colorizer(stand_in.NAME, detector="none", threads=1)
    photos = [fixtures.image("L", 40 + i, 30) for i in range(8)]
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(colorizer.colorize, photos))
    for photo, result in zip(photos, results, strict=True):
        assert result.size == photo.size
        assert (result.rgb() == colorizer.colorize(photo).rgb()).all()


@pytest.mark.parametrize("file", ["photo.onnx", "objects.onnx"])
@pytest.mark.parametrize("fault", ["changed", "missing"])
def test_a_damaged_model_is_told_of_before_any_photo(models: Path, file: str, fault: str) -> None:
    path = models / stand_in.NAME / file
    if fault == "missing":
        path.unlink()
    else:
        path.write_bytes(fixtures.flipped(path.read_bytes(), 50, 1))
    colorizer = Colorizer(stand_in.NAME, detector="none")
    with pytest.raises(ModelError, match=f"{file}: model file is (damaged|missing)") as caught:
        colorizer.colorize(gray())
    assert "\n" not in str(caught.value)


def test_a_file_that_is_no_network_is_refused_though_its_checksum_is_right(models: Path) -> None:
    folder = models / stand_in.NAME
    facts = (folder / "model.toml").read_text()
    digest = hashlib.sha256((folder / "photo.onnx").read_bytes()).hexdigest()
    (folder / "photo.onnx").write_bytes(b"no network")
    (folder / "model.toml").write_text(facts.replace(digest, hashlib.sha256(b"no network").hexdigest()))
    with pytest.raises(ModelError, match="photo.onnx"):
        load_model(stand_in.NAME)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_an_answer_that_is_not_finite_is_never_passed_off_as_colors(model: FakeModel, value: float) -> None:
    class Broken(FakeModel):
        def answer(self, inputs: Inputs[Plane]) -> Answer:
            answer = super().answer(inputs)
            answer.ab[0, 0, 0] = value
            return answer

    with pytest.raises(ModelError, match="<array>.*not finite"):
        Colorizer(Broken(), detector="none").colorize(np.asarray(gray()))


def test_a_saved_result_is_in_color(model: FakeModel, tmp_path: Path) -> None:
    path = Colorizer(model, detector="none").colorize(gray()).save(tmp_path / "result.png")
    with Image.open(io.BytesIO(path.read_bytes())) as image:
        assert image.mode == "RGB"
        assert np.ptp(np.asarray(image), axis=2).mean() > 10
