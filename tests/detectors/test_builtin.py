"""The detector of the package: what it sees, what its scores mean, and what is said where it is damaged."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from instcolor.detectors.builtin import BuiltinDetector
from instcolor.detectors.onnx_file import OnnxFile
from instcolor.errors import DetectorError
from instcolor.models import registry
from instcolor.objects import iou, read_boxes
from instcolor.photo import Photo
from support import graphs
from support.detecting import loaded
from support.places import EXAMPLES as PHOTOS


def plane(height: int = 120, width: int = 200, bright: float = 90.0) -> np.ndarray:
    """A dark photo with a bright right half."""
    L = np.full((height, width), 10, np.float32)
    L[:, width // 2 :] = bright
    return L


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a packaged detector that takes bright cells for dogs."""
    monkeypatch.setattr(registry, "PACKAGED", tmp_path)
    place = tmp_path / "detector"
    place.mkdir()
    digest = hashlib.sha256(graphs.builtin(place / "detector.onnx", side=None).read_bytes()).hexdigest()
    facts = ['name = "detector"', 'kind = "detector"', 'summary = "Finds dogs"', 'license = "Apache-2.0"']
    facts += ["side = 416", "multiple = 32", f'sha256 = {{ "detector.onnx" = "{digest}" }}']
    facts += ["[network]", "slope = 2.0", "offset = -1.0", "threshold = 0.6"]
    (place / "model.toml").write_text("\n".join(facts))
    return place


def test_it_is_found_by_its_name_with_the_threshold_and_calibration_of_its_facts(package: Path) -> None:
    detector = loaded("builtin", threads=1)
    assert isinstance(detector, BuiltinDetector)
    assert (detector.threshold, detector.calibration) == (0.6, (2.0, -1.0))
    best = detector.detect(plane())[0]
    assert best.label == "dog"
    assert best.score == pytest.approx(1 / (1 + np.exp(-(2 * np.log(0.9 / 0.1) - 1))), abs=1e-3)
    assert loaded("builtin", threshold=0.99).detect(plane()) == []
    assert len(loaded("builtin", limit=3).detect(plane())) == 3


def test_it_sees_the_whole_photo_at_416_pixels_whatever_its_shape(package: Path) -> None:
    detector = loaded("builtin", threads=1, limit=10_000)
    for height, width in ((1, 1), (3, 700), (416, 416), (900, 1400)):
        found = detector.detect(np.full((height, width), 95, np.float32))
        assert max(item.box[2] for item in found) == pytest.approx(width)
        assert max(item.box[3] for item in found) == pytest.approx(height)
        cell = 8 / 416  # the finest cells, stretched with the photo
        assert min(item.box[2] - item.box[0] for item in found) == pytest.approx(cell * width, rel=1e-3)
        assert min(item.box[3] - item.box[1] for item in found) == pytest.approx(cell * height, rel=1e-3)


def test_threshold_is_of_calibrated_scores_and_order_stays(tmp_path: Path) -> None:
    file = OnnxFile(graphs.builtin(tmp_path / "x.onnx"), 1)
    rng = np.random.default_rng(0)
    L = rng.uniform(5, 95, (64, 64)).astype(np.float32)
    raw = BuiltinDetector(file, threshold=0.0, limit=1000).detect(L)
    scaled = BuiltinDetector(file, threshold=0.0, limit=1000, calibration=(0.5, -1.5)).detect(L)
    assert [item.box for item in scaled] == [item.box for item in raw]
    middle = scaled[len(scaled) // 2].score
    kept = BuiltinDetector(file, threshold=middle, limit=1000, calibration=(0.5, -1.5)).detect(L)
    assert [item.box for item in kept] == [item.box for item in scaled if item.score >= middle]


def test_certain_cells_stay_finite(tmp_path: Path) -> None:
    file = OnnxFile(graphs.builtin(tmp_path / "x.onnx"), 1)
    detector = BuiltinDetector(file, threshold=0.0, calibration=(1.3, 0.2))
    assert detector.detect(np.full((64, 64), 100, np.float32))[0].score == pytest.approx(1)
    assert all(0 <= item.score < 1e-3 for item in detector.detect(np.zeros((64, 64), np.float32)))


def test_a_file_of_its_kind_is_used_without_calibration(tmp_path: Path) -> None:
    detector = loaded(graphs.builtin(tmp_path / "own.onnx", side=None))
    assert isinstance(detector, BuiltinDetector)
    assert detector.detect(plane())[0].score == pytest.approx(0.9, abs=1e-3)


def one_line(error: type[Exception], *parts: str) -> None:
    with pytest.raises(error) as caught:
        loaded("builtin")
    message = str(caught.value)
    assert "\n" not in message
    assert all(part in message for part in parts), message


def test_a_damaged_or_missing_detector_is_an_error_and_never_no_detector(package: Path) -> None:
    path = package / "detector.onnx"
    path.write_bytes(path.read_bytes()[:-1])
    one_line(DetectorError, str(path), "damaged")
    path.unlink()
    one_line(DetectorError, str(path), "missing")
    (package / "model.toml").unlink()
    one_line(DetectorError, "no such model")


@pytest.mark.parametrize("value", ['"high"', "nan", "true"])
def test_facts_that_are_no_numbers_are_refused(package: Path, value: str) -> None:
    facts = package / "model.toml"
    facts.write_text(facts.read_text().replace("slope = 2.0", f"slope = {value}"))
    one_line(DetectorError, "slope is not a number")


# The one in the package


@pytest.fixture(scope="module")
def shipped() -> BuiltinDetector:
    detector = loaded("builtin", threads=1)
    assert isinstance(detector, BuiltinDetector)
    return detector


def test_the_shipped_one_is_whole_and_small_and_has_a_card() -> None:
    entry = registry.find(registry.DETECTOR)
    entry.verify()
    assert entry.size < 12e6
    together = sum(path.stat().st_size for path in registry.PACKAGED.glob("*/*.onnx"))
    assert together < 40e6
    assert entry.license == "Apache-2.0"
    assert len(entry.card()) > 1000


@pytest.mark.parametrize("name", ["astronaut", "cameraman", "cat", "grace-hopper", "tesla"])
def test_the_shipped_one_finds_what_the_examples_show(shipped: BuiltinDetector, name: str) -> None:
    path = PHOTOS / f"{name}.jpg"
    photo = Photo.open(path)
    shown = read_boxes(PHOTOS / "boxes.json").for_photo(path, photo.size)[0]
    best = max(shipped.detect(photo.L), key=lambda item: iou(item.box, shown.box))
    assert best.label == shown.label
    assert best.score > 0.5
    assert iou(best.box, shown.box) > 0.6


@pytest.mark.parametrize("shape", [(1, 1), (2, 500), (700, 3)])
def test_the_shipped_one_takes_photos_of_any_shape(shipped: BuiltinDetector, shape: tuple[int, int]) -> None:
    for item in shipped.detect(np.full(shape, 50, np.float32)):
        x0, y0, x1, y1 = item.box
        assert 0 <= x0 < x1 <= shape[1]
        assert 0 <= y0 < y1 <= shape[0]


def test_the_shipped_one_sees_the_same_at_any_size(shipped: BuiltinDetector) -> None:
    photo = Photo.open(PHOTOS / "grace-hopper.jpg")
    large = np.asarray(Image.fromarray(photo.L).resize((2048, 2400), Image.Resampling.BICUBIC))
    small, big = shipped.detect(photo.L)[0], shipped.detect(large)[0]
    assert small.label == big.label == "person"
    scale = 2048 / photo.size[0]
    x0, y0, x1, y1 = big.box
    assert iou(small.box, (x0 / scale, y0 / scale, x1 / scale, y1 / scale)) > 0.9
