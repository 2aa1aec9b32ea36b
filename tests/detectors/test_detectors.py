from __future__ import annotations

import io
import json
import pickle
import sys
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from importlib.metadata import EntryPoint
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import ArrayLike, NDArray
from PIL import Image
from typer.testing import CliRunner, Result

import instcolor.detectors
from instcolor.cli import app
from instcolor.coco import COCO_NAMES, NAME_OF_ID
from instcolor.colorspace import srgb_to_lab
from instcolor.detectors import families, findings, load_detector
from instcolor.detectors.drawing import draw
from instcolor.detectors.findings import Findings, suppress
from instcolor.detectors.onnx_detector import OnnxDetector
from instcolor.detectors.onnx_file import OnnxFile
from instcolor.detectors.picture import gray_picture, letterboxed
from instcolor.errors import DetectorError
from instcolor.objects import DetectedObject, Mask, iou, read_boxes
from instcolor.objects.geometry import Box
from support import graphs, stand_in
from support.command_line import Run
from support.detecting import loaded
from support.places import SHARED

if TYPE_CHECKING:
    import torch

Made = tuple[Path, str]
"""A file of a detector, and its family."""
GRAPHS: dict[str, tuple[Callable[[Path], Path], str]] = {
    "builtin": (graphs.builtin, "builtin"),
    "nanodet": (graphs.nanodet, "nanodet"),
    "yolox": (graphs.yolox, "yolox"),
    "yolox, decoded": (partial(graphs.yolox, decoded=True), "yolox"),
    "deim": (graphs.detr, "detr"),
    "picodet, with post-processing": (graphs.picodet_ready, "picodet"),
    "picodet, boxes and scores": (partial(graphs.picodet_pairs, bare=False), "picodet"),
    "picodet, bare": (partial(graphs.picodet_pairs, bare=True), "picodet"),
    "mask-rcnn": (graphs.mask_rcnn, "mask-rcnn"),
}


def lightness(gray: ArrayLike) -> NDArray[np.float32]:
    """L* of 8-bit sRGB gray values."""
    L: NDArray[np.float32] = srgb_to_lab(np.repeat(np.asarray(gray, np.float32)[..., None] / 255, 3, axis=-1))[..., 0]
    return L


def spot(family: str) -> tuple[NDArray[np.float32], Box]:
    """A dark photo of 128 x 256 (h, w) with a spot of gray 200, and the one cell wholly inside the spot."""
    gray = np.full((128, 256), 20)
    if family == "yolox":  # keeps the aspect: a cell of 8 is 32 x 32 in the photo
        gray[0:64, 64:160] = 200
        return lightness(gray), (96, 0, 128, 32)
    if family == "mask-rcnn":  # sees 1333 x 666 pixels in cells of 32: here is the first in the spot
        gray[32:80, 64:160] = 200
        width, height = 32 * 256 / 1333, 32 * 128 / 666
        return lightness(gray), (11 * width, 6 * height, 12 * width, 7 * height)
    gray[32:80, 64:160] = 200  # stretched: a cell of 8 is 32 wide and 16 high
    return lightness(gray), (96, 48, 128, 64)


@pytest.fixture(params=GRAPHS)
def made(request: pytest.FixtureRequest, tmp_path: Path) -> Made:
    build, family = GRAPHS[request.param]
    return build(tmp_path / "detector.onnx"), family


def test_a_file_is_recognized_and_finds_the_spot(made: Made) -> None:
    path, family = made
    detector = loaded(path)
    assert isinstance(detector, OnnxDetector)
    assert detector.family == family
    L, cell = spot(family)
    best = detector.detect(L)[0]
    assert best.box == pytest.approx(cell, abs=1e-3)
    assert best.label == "dog"
    score = {"yolox": 0.9 * 200 / 255, "builtin": float(lightness([[200]])[0, 0]) / 100}.get(family, 200 / 255)
    assert best.score == pytest.approx(score, abs=1e-3)


def test_threshold_and_limit(made: Made) -> None:
    path, family = made
    L, _ = spot(family)
    few = loaded(path, limit=2).detect(L)
    assert len(few) == 2
    assert few[0].score >= few[1].score
    assert loaded(path, threshold=0.99).detect(L) == []
    everything = loaded(path, threshold=0.0, limit=1000).detect(L)
    assert min(item.score for item in everything) < 0.1


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(width=st.integers(1, 300), height=st.integers(1, 300))
def test_boxes_of_any_photo_lie_inside_it(made: Made, width: int, height: int) -> None:
    detector = loaded(made[0], threshold=0.1, threads=1)
    found = detector.detect(np.full((height, width), 80, np.float32))
    assert found
    for x0, y0, x1, y1 in (item.box for item in found):
        assert 0 <= x0 < x1 <= width
        assert 0 <= y0 < y1 <= height


def test_a_photo_without_pixels_has_no_objects(made: Made) -> None:
    assert loaded(made[0]).detect(np.zeros((0, 5), np.float32)) == []


def test_one_detector_serves_several_threads(made: Made) -> None:
    path, family = made
    detector = loaded(path, threads=1)
    L, _ = spot(family)
    alone = detector.detect(L)
    with ThreadPoolExecutor(4) as pool:
        assert all(found == alone for found in pool.map(detector.detect, [L] * 8))


def test_named_family_with_imagenet_normalization(tmp_path: Path) -> None:
    path = graphs.detr(tmp_path / "x.onnx", imagenet=True)
    L, cell = spot("detr")
    best = loaded(f"deim-dinov3:{path}").detect(L)[0]
    assert best.box == pytest.approx(cell)
    assert best.score == pytest.approx(200 / 255, abs=1e-3)


def test_labels_by_the_ids_of_the_annotation_files(tmp_path: Path) -> None:
    path = graphs.detr(tmp_path / "x.onnx", label=90)
    L, _ = spot("detr")
    assert loaded(path, labels=NAME_OF_ID).detect(L)[0].label == "toothbrush"
    assert loaded(path).detect(L)[0].label == "class 90"


def test_mask_rcnn_gives_each_object_the_part_of_its_box_that_it_fills(tmp_path: Path) -> None:
    L, cell = spot("mask-rcnn")
    found = loaded(graphs.mask_rcnn(tmp_path / "x.onnx")).detect(L)
    assert len(found) == 8  # the first eight, as in the paper
    assert min(item.score for item in found) >= 0.7
    mask = found[0].mask
    assert mask
    assert mask.box == pytest.approx(cell, abs=1e-3)
    assert mask.plane.shape == (28, 28)
    inside = mask.over(mask.box, (6, 6)) >= 0.5
    assert inside[:, :3].all()
    assert not inside[:, 3:].any()


def test_mask_rcnn_counts_classes_from_one_and_limits_can_be_changed(tmp_path: Path) -> None:
    path = graphs.mask_rcnn(tmp_path / "x.onnx", label=80)
    L, _ = spot("mask-rcnn")
    assert loaded(path).detect(L)[0].label == "toothbrush"
    assert loaded(path, labels={80: "brush"}).detect(L)[0].label == "brush"
    assert len(loaded(path, limit=20).detect(L)) == 20
    assert loaded(path, threshold=0.8).detect(L) == []


def test_masks_stay_with_their_objects_through_threshold_order_and_clipping() -> None:
    boxes = np.array([(0, 0, 5, 5), (-10, 0, 10, 9), (20, 0, 30, 9), (-np.inf, 0, 9, 40)], np.float32)
    masks = np.stack([np.full((2, 2), value, np.float32) for value in (0.1, 0.2, 0.3, 0.4)])
    found = findings.best(
        Findings(boxes, np.array([0.1, 0.8, 0.9, 0.7], np.float32), np.zeros(4, np.int64), masks),
        (40, 20),
        threshold=0.5,
        limit=9,
        labels=findings.COCO_80,
        overlap=1.0,
    )
    assert [item.box for item in found] == [(20, 0, 30, 9), (0, 0, 10, 9), (0, 0, 9, 20)]
    assert [item.mask and item.mask.plane[0, 0] for item in found] == [np.float32(0.3), np.float32(0.2), None]
    kept = [item.mask for item in found if item.mask]
    assert kept[1].box == (-10, 0, 10, 9)
    assert all(mask.plane.base is None for mask in kept)


class FakeNetwork:
    """Answers like torchvision's Mask R-CNN: one dog in the middle of the picture, whose left half it is."""

    def __init__(self, **options: Any) -> None:
        self.options = options
        self.seen: list[torch.Tensor] = []
        self.state: dict[str, torch.Tensor] | None = None

    def eval(self) -> Self:
        return self

    def load_state_dict(self, state: dict[str, torch.Tensor]) -> None:
        self.state = state

    def __call__(self, pictures: list[torch.Tensor]) -> list[dict[str, torch.Tensor]]:
        torch = pytest.importorskip("torch")
        (picture,) = pictures
        self.seen.append(picture)
        height, width = picture.shape[1:]
        masks = torch.zeros(1, 1, height, width)
        masks[..., : width // 2] = 1
        box = torch.tensor([[width / 4, height / 4, width * 3 / 4, height * 3 / 4]])
        return [{"boxes": box, "labels": torch.tensor([18]), "scores": torch.tensor([0.9]), "masks": masks}]


class Torchvision(ModuleType):
    """A stand-in for the package's module of detectors; it has the network that was made last."""

    network: FakeNetwork

    def maskrcnn_resnet50_fpn_v2(self, **options: Any) -> FakeNetwork:
        self.network = FakeNetwork(**options)
        return self.network


@pytest.fixture
def torchvision(monkeypatch: pytest.MonkeyPatch) -> Torchvision:
    pytest.importorskip("torch")
    package, models, detection = ModuleType("torchvision"), ModuleType("models"), Torchvision("detection")
    for name, module in (("", package), (".models", models), (".models.detection", detection)):
        monkeypatch.setitem(sys.modules, f"torchvision{name}", module)
    return detection


def test_torchvision_finds_objects_with_masks_in_a_picture_of_its_size(torchvision: Torchvision) -> None:
    (item,) = loaded("torchvision").detect(np.full((1200, 4000), 50, np.float32))
    (picture,) = torchvision.network.seen
    assert picture.shape == (3, 400, 1333)  # the masks of a large photo would be as large
    assert float(picture.min()) == float(picture.max()) == pytest.approx(119 / 255, abs=0.003)
    assert item.label == "dog"
    assert item.box == pytest.approx((1000, 300, 3000, 900), abs=1)
    assert item.mask
    assert item.mask.plane.shape == (28, 28)
    assert item.mask.box == item.box
    assert item.mask.plane[:, :13].min() > 0.9
    assert item.mask.plane[:, 15:].max() < 0.1


def test_torchvision_takes_threshold_limit_labels_and_a_file(torchvision: Torchvision, tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    L = np.full((30, 40), 50, np.float32)
    assert loaded("torchvision", labels={18: "hound"}).detect(L)[0].label == "hound"
    own = torchvision.network.options
    assert (own["weights"], own["box_score_thresh"], own["box_detections_per_img"]) == ("DEFAULT", 0.7, 8)
    assert loaded("torchvision", threshold=0.95).detect(L) == []
    torch.save({"a": torch.ones(1)}, tmp_path / "w.pth")
    loaded(f"torchvision:{tmp_path / 'w.pth'}", limit=3)
    assert torchvision.network.state == {"a": torch.ones(1)}
    assert torchvision.network.options["box_detections_per_img"] == 3
    assert torchvision.network.options["weights"] is None
    assert loaded("torchvision").detect(np.zeros((0, 5), np.float32)) == []


def test_torchvision_opens_no_pickle_and_errors_are_one_line(torchvision: Torchvision, tmp_path: Path) -> None:
    (tmp_path / "bad.pth").write_bytes(pickle.dumps(Path("x")))
    message = error_of(f"torchvision:{tmp_path / 'bad.pth'}")
    assert message.startswith(f"{tmp_path / 'bad.pth'}: the weights cannot be loaded")
    assert "no such file" in error_of(f"torchvision:{tmp_path / 'none.pth'}").lower()


def test_without_torchvision_its_name_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torchvision", None)
    assert "needs torch and torchvision" in error_of("torchvision")


def test_names_and_ids_of_coco() -> None:
    assert len(COCO_NAMES) == len(NAME_OF_ID) == 80
    assert (NAME_OF_ID[1], NAME_OF_ID[18], NAME_OF_ID[44], NAME_OF_ID[90]) == ("person", "dog", "bottle", "toothbrush")


def test_threads_reach_the_session(tmp_path: Path) -> None:
    detector = loaded(graphs.detr(tmp_path / "x.onnx"), threads=1)
    assert isinstance(detector, OnnxDetector)
    assert detector.file._session.get_session_options().intra_op_num_threads == 1


def test_none_is_no_detector() -> None:
    assert load_detector("none") is None


def error_of(name: str | Path, **options: Any) -> str:
    with pytest.raises(DetectorError) as caught:
        load_detector(name, **options)
    message = str(caught.value)
    assert "\n" not in message
    return message


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "no such file"),
        (b"", "not a usable ONNX file"),
        (b"\x08\x08\x12\x07garbage" * 9, "not a usable ONNX file"),
    ],
)
def test_missing_and_damaged_files_are_named(tmp_path: Path, content: bytes | None, reason: str) -> None:
    path = tmp_path / "broken.onnx"
    if content is not None:
        path.write_bytes(content)
    message = error_of(path)
    assert str(path) in message
    assert reason in message


def test_a_truncated_file_is_named(tmp_path: Path) -> None:
    path = graphs.nanodet(tmp_path / "cut.onnx")
    path.write_bytes(path.read_bytes()[:-500])
    assert str(path) in error_of(path)


def test_a_folder_is_not_a_detector(tmp_path: Path) -> None:
    assert "not a file" in error_of(tmp_path)


def test_a_network_of_another_kind_is_refused_with_its_shapes(tmp_path: Path) -> None:
    message = error_of(graphs.classifier(tmp_path / "net.onnx"))
    assert "no known family" in message
    assert "logits 1x10" in message


@pytest.mark.parametrize("family", families())
def test_a_wrong_family_by_name_is_an_error_not_a_finding(tmp_path: Path, family: str) -> None:
    detector = loaded(f"{family}:{graphs.classifier(tmp_path / 'net.onnx')}")
    with pytest.raises(DetectorError, match=r"net\.onnx") as caught:
        detector.detect(np.full((8, 8), 50, np.float32))
    assert "\n" not in str(caught.value)


def test_a_boxes_file_is_not_a_detector() -> None:
    assert "give it as boxes" in error_of("boxes.json")


def test_an_unknown_name_lists_the_known_ones() -> None:
    message = error_of("nonesuch")
    assert "nonesuch: no such detector" in message
    assert "nanodet:FILE" in message


class Registered:
    """What another package would register."""

    def __init__(self, threshold: float = 0.5, **options: Any) -> None:
        self.threshold = threshold
        self.options = options
        if options.get("limit") == 0:
            raise RuntimeError("nothing\nto find")

    def detect(self, L: NDArray[np.float32]) -> list[DetectedObject]:
        return [DetectedObject((0, 0, 1, 1), "dot", self.threshold)]


def test_detectors_of_other_packages_load_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    point = EntryPoint("theirs", f"{__name__}:Registered", "instcolor.detectors")
    monkeypatch.setattr(instcolor.detectors, "entry_points", lambda group: [point] if group == point.group else [])
    detector = loaded("theirs", threshold=0.7, threads=2)
    assert isinstance(detector, Registered)
    assert detector.options == {"threads": 2}
    assert detector.detect(np.zeros((4, 4), np.float32))[0].score == 0.7
    assert error_of("theirs", limit=0) == "detector theirs: nothing to find"


def test_broken_findings_are_dropped_and_large_boxes_clipped(tmp_path: Path) -> None:
    class Broken(OnnxDetector):
        family, default_threshold = "broken", 0.5

        @classmethod
        def recognizes(cls, file: OnnxFile) -> bool:
            return True

        def find(self, L: NDArray[np.float32]) -> Findings:
            nan, inf = float("nan"), float("inf")
            boxes = [(nan, 0, 5, 5), (0, 0, 5, 5), (5, 5, 5, 9), (6, 6, 2, 2), (-inf, -3, inf, 4), (0, 0, 9, 9)]
            scores = np.array([0.9, nan, 0.9, 0.9, 0.8, 0.4], np.float32)
            return Findings(np.array(boxes, np.float32), scores, np.zeros(6, np.int64))

    found = Broken(OnnxFile(graphs.classifier(tmp_path / "net.onnx"))).detect(np.zeros((10, 20), np.float32))
    assert [(item.box, round(item.score, 3)) for item in found] == [((0, 0, 20, 4), 0.8)]


def test_overlaps_are_suppressed_within_a_class_only() -> None:
    boxes = np.array([(0, 0, 10, 10), (0, 0, 10, 9), (0, 0, 10, 9), (20, 0, 30, 10)], np.float32)
    scores = np.array([0.5, 0.9, 0.8, 0.7], np.float32)
    assert suppress(boxes, scores, np.array([1, 1, 2, 1]), 0.6) == [1, 2, 3]


def test_gray_values_survive_the_way_through_lightness() -> None:
    gray = np.arange(256).reshape(16, 16)
    assert np.array_equal(np.asarray(gray_picture(lightness(gray))), gray)
    assert np.array_equal(np.asarray(gray_picture(np.array([[-5, 0, 100, 120]], np.float32))), [[0, 0, 255, 255]])


def test_large_planes_are_converted_like_small_ones() -> None:
    L = np.random.default_rng(0).uniform(0, 100, (700, 300)).astype(np.float32)  # several strips
    whole = np.asarray(gray_picture(L))
    assert np.array_equal(whole[333:335], np.asarray(gray_picture(L[333:335])))


def test_letterbox_keeps_the_aspect_and_fills_the_rest() -> None:
    picture, scale = letterboxed(Image.new("L", (200, 100), 250), (64, 64), 114)
    plane = np.asarray(picture)
    assert scale == 0.32
    assert (plane[:32] == 250).all()
    assert (plane[32:] == 114).all()


def test_drawing_frames_the_box_and_leaves_the_photo_alone() -> None:
    photo = Image.new("L", (640, 480), 128)
    item = DetectedObject((100.2, 100, 300, 300), "cat", 0.9)
    drawn = draw(
        photo, [item, DetectedObject((700, 0, 800, 9), "out", 0.9), DetectedObject((float("nan"),) * 4, "x", 1)]
    )
    assert (drawn.mode, drawn.size) == ("RGB", photo.size)
    assert photo.getextrema() == (128, 128)
    changed = (np.asarray(drawn) != 128).any(axis=2)
    assert changed[100:300, 100].all()
    assert changed[299, 100:300].all()
    assert not changed[110:290, 110:290].any()
    assert not changed[:, 310:].any()


@pytest.mark.parametrize("side", [40, 640])
def test_drawing_tints_what_a_mask_holds(side: int) -> None:
    plane = np.zeros((28, 28), np.float32)
    plane[:, :14] = 1
    box = (side / 4, side / 4, side * 3 / 4, side * 3 / 4)
    found = DetectedObject(box, "cat", 0.9, Mask(box, plane))
    drawn = np.asarray(draw(Image.new("L", (side, side), 128), [found])).astype(int)
    last = len(drawn) // 2
    assert (drawn[last, len(drawn) * 3 // 8] != 128).any()
    assert (drawn[last, len(drawn) * 5 // 8] == 128).all()


def test_drawing_enlarges_small_photos_so_that_labels_can_be_read() -> None:
    drawn = draw(Image.new("RGB", (40, 30)), [DetectedObject((0, 0, 40, 30), "tennis racket", 0.5)])
    assert drawn.size == (320, 240)


# From detect to colorize ---------------------------------------------------------------------------------------------


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command in a folder with a photo of a bright spot, a detector that finds it, and a small color model."""
    models = tmp_path / "models"
    models.mkdir()
    stand_in.write_model(models)
    monkeypatch.setenv("INSTCOLOR_MODELS", str(models))
    folder = tmp_path / "album"
    folder.mkdir()
    monkeypatch.chdir(folder)
    gray = np.full((64, 64), 20, np.uint8)
    gray[16:48, 16:48] = 250
    Image.fromarray(gray).save("old.1920.png")
    graphs.nanodet(Path("dogs.onnx"))

    def invoke(*words: str) -> Result:
        return CliRunner().invoke(app, [*words])

    return invoke


DETECT = ("detect", "old.1920.png", "--detector", "dogs.onnx", "--limit", "3")
COLORIZE = ("colorize", "old.1920.png", "--model", stand_in.NAME, "--json", "--overwrite")


@pytest.mark.parametrize("form", [(), ("--coco",)])
def test_what_detect_writes_is_what_colorize_colors(run: Run, form: tuple[str, ...]) -> None:
    result = run(*DETECT, "--out", "boxes.json", *form)
    assert result.exit_code == 0
    assert result.stdout.startswith("old.1920.png: dog")
    written = read_boxes("boxes.json")["old.1920.png"]
    assert (len(written.objects), written.size) == (3, (64, 64))
    colored = json.loads(run(*COLORIZE, "--boxes", "boxes.json").stdout)["photos"][0]
    given = {item.box for item in written.objects}
    assert colored["objects"]
    assert {tuple(item["box"]) for item in colored["objects"]} <= given


def test_what_detect_prints_as_results_of_coco_is_read_alone(run: Run) -> None:
    listed = json.loads(run(*DETECT, "--coco").stdout)
    assert {"image_id", "category_id", "bbox", "score"} <= set(listed["annotations"][0])
    results = [item | {"image_id": "old.1920.png"} for item in listed["annotations"]]
    Path("results.json").write_text(json.dumps(results))
    colored = json.loads(run(*COLORIZE, "--boxes", "results.json").stdout)["photos"][0]
    assert {item["label"] for item in colored["objects"]} == {"dog"}


def test_detect_never_writes_over_a_file_unasked_nor_over_a_photo(run: Run) -> None:
    before = Path("old.1920.png").read_bytes()
    Path("boxes.json").write_text("mine")
    result = run(*DETECT, "--out", "boxes.json")
    assert result.exit_code == 1
    assert "boxes.json: exists already" in result.stderr
    assert Path("boxes.json").read_text() == "mine"
    assert run(*DETECT, "--out", "old.1920.png", "--overwrite").exit_code == 2
    assert Path("old.1920.png").read_bytes() == before
    assert run(*DETECT, "--out", "boxes.json", "--overwrite", "--quiet").stdout == ""
    assert len(read_boxes("boxes.json")) == 1
    assert run(*DETECT, "--out", "nowhere/boxes.json").exit_code == 1


def test_the_boxes_of_su_et_al_are_colored(run: Run) -> None:
    Path("boxes").mkdir()
    np.savez("boxes/old.npz", bbox=np.array([[16, 16, 48, 48.9]], np.float32), scores=np.array([0.9]))
    for place in ("boxes", "boxes/old.npz"):
        colored = json.loads(run(*COLORIZE, "--boxes", place).stdout)["photos"][0]
        assert [item["box"] for item in colored["objects"]] == [[16, 16, 48, 48.9]]


# The public files, where they lie beside the checkout ----------------------------------------------------------------

# On all 375 photos, at IoU 0.5 with the same label, for boxes of score 0.5 and more. A part of them may give 0.08 less.
RECALL = {"nanodet_plus_m_1.5x_416": 0.932, "deimv2_hgnetv2_femto_coco": 0.948, "deimv2_hgnetv2_atto_coco": 0.841}


@pytest.mark.parametrize("name", RECALL)
def test_public_detectors_find_in_gray_what_was_found_in_color(name: str) -> None:
    path, photos = SHARED / "weights" / f"{name}.onnx", SHARED / "data" / "val.zip"
    if not (path.exists() and photos.exists()):
        pytest.skip("needs the public detector files and the validation photos")
    detector = loaded(path, threads=1)
    boxes = read_boxes(SHARED / "data" / "boxes.json")
    hits = total = 0
    with zipfile.ZipFile(photos) as archive:
        for file in sorted(archive.namelist())[::8]:
            photo = Image.open(io.BytesIO(archive.read(file))).convert("RGB")
            found = detector.detect(srgb_to_lab(np.asarray(photo, np.float32) / 255)[..., 0])
            wanted = [item for item in boxes.for_photo(file, photo.size) if item.score >= 0.5]
            total += len(wanted)
            hits += sum(any(f.label == w.label and iou(f.box, w.box) >= 0.5 for f in found) for w in wanted)
    assert total > 60
    assert hits / total >= RECALL[name] - 0.08
