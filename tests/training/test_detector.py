"""The detector's training: boxes follow their photo, cells learn the object they fit, the losses say what is wrong."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

import torch
from torch import Tensor

from instcolor.errors import ModelError
from instcolor.networks.detector import BINS, CLASSES, Conv, Detector, boxes, cells
from instcolor.training.config import Augmentation
from instcolor.training.damage import enlarged, vignetted
from instcolor.training.detection.assignment import assign, overlaps
from instcolor.training.detection.losses import detection_loss, edge_loss, teaching_loss
from instcolor.training.detection.samples import DetectionSamples, cropped
from instcolor.training.detection.stage import DetectorStage, started
from instcolor.training.draws import Draws
from instcolor.training.loop import Training, train
from instcolor.training.photos import PhotoStore
from instcolor.training.stages import make_stage
from support import trainings

SIZE = 64
LIKELY, UNLIKELY = 6.0, -6.0


def white_square(box: tuple[int, int, int, int], size: tuple[int, int] = (100, 60)) -> PhotoStore:
    """A black photo with a white object on it."""
    rgb = np.zeros((size[1], size[0], 3), np.uint8)
    rgb[box[1] : box[3], box[0] : box[2]] = 255
    rows = np.array([[*box, 0.8, 7]], np.float32)
    return PhotoStore(rgb.ravel(), ["photo"], np.array([rgb.shape[:2]]), np.array([[0, rgb.size]]), [rows])


def answer_of(rows: list[list[float]], size: int = SIZE) -> Tensor:
    """(1, cells, 112): every cell inside a box (x0, y0, x1, y1, class) answers it, the others nothing."""
    places = cells((size, size))
    answer = torch.zeros(1, len(places), CLASSES + 4 * BINS)
    answer[..., :CLASSES] = UNLIKELY
    for x0, y0, x1, y1, kind in rows:
        for i, (column, row, stride) in enumerate(places.tolist()):
            x, y = column * stride, row * stride
            reach = [v / stride for v in (x - x0, y - y0, x1 - x, y1 - y)]
            if min(reach) > 0 and max(reach) < BINS - 1:
                answer[0, i, int(kind)] = LIKELY
                bins = torch.arange(BINS)
                near = [(-20 * (bins - value).abs()).clamp(min=-40) for value in map(round, reach)]
                answer[0, i, CLASSES:] = torch.cat(near)
    return answer


def test_boxes_follow_crop_and_mirror() -> None:
    store = white_square((30, 20, 60, 50))
    plain = Augmentation(crop=(0.6, 1.0), stretch=0.3, film=0)
    samples = DetectionSamples(store, trainings.small(Path(), Path(), "detector", {"augmentation": asdict(plain)}))
    mirrored = set()
    for seed in range(20):
        batch = samples.batch(np.array([0]), 80, [np.random.default_rng(seed)])
        white = (batch.L[0, 0] > 50).nonzero()
        box = batch.objects[0][0]
        expected = [*white.min(0).values.flip(0).tolist(), *(white.max(0).values.flip(0) + 1).tolist()]
        np.testing.assert_allclose(box[:4], expected, atol=1.5)
        np.testing.assert_allclose(box[4:], [0.8, 7])
        mirrored.add(bool(box[0] + box[2] > 80))
    assert mirrored == {True, False}


def test_what_a_crop_hides_is_doubtful() -> None:
    rows = np.array(
        [
            [0, 0, 40, 40, 0.9, 1],  # whole
            [90, 0, 130, 40, 0.9, 2],  # a quarter shows
            [80, 0, 120, 40, 0.9, 3],  # half shows
            [0, 0, 40, 40, 0.3, 4],  # not sure
            [10, 10, 12, 40, 0.9, 5],  # too thin
            [120, 0, 150, 40, 0.9, 6],  # outside
        ],
        np.float32,
    )
    shown, is_sure = cropped(rows, (0.0, 0.0, 100.0, 50.0), 100)
    assert shown[:, 5].tolist() == [1, 2, 3, 4, 5]
    assert shown[is_sure, 5].tolist() == [1, 3]
    np.testing.assert_allclose(shown[2], [80, 0, 100, 80, 0.9, 3])


def test_a_sample_is_seeded_and_its_clean_photo_is_not_aged() -> None:
    store = white_square((30, 20, 60, 50))
    old = Augmentation(film=1.0, vignette=1.0, coarse=1.0, scratches=1.0)
    samples = DetectionSamples(store, trainings.small(Path(), Path(), "detector", {"augmentation": asdict(old)}))
    first, again, other = (samples.batch(np.array([0]), SIZE, [np.random.default_rng(s)]) for s in (1, 1, 2))
    assert torch.equal(first.L, again.L)
    assert not torch.equal(first.L, other.L)
    assert not torch.equal(first.L, first.clean)
    assert set(first.clean.round().unique().tolist()) >= {0.0, 100.0}


@pytest.mark.parametrize("damage", [vignetted, enlarged])
def test_damage_changes_lightness_within_its_range(damage: Callable[[Tensor, Draws, Tensor], Tensor]) -> None:
    L = torch.rand(3, 1, 40, 56) * 100
    draws = Draws([np.random.default_rng(s) for s in range(3)])
    result = damage(L, draws, torch.ones(3, dtype=torch.bool))
    assert result.shape == L.shape
    assert ((result >= 0) & (result <= 100)).all()
    assert ((result - L).abs().mean((1, 2, 3)) > 1).all()


def test_overlaps() -> None:
    a = torch.tensor([[0.0, 0, 2, 2], [0, 0, 1, 1]])
    b = torch.tensor([[1.0, 0, 3, 2], [2, 0, 3, 1]])
    assert overlaps(a, b).tolist() == pytest.approx([1 / 3, 0])
    assert overlaps(a, b, generalized=True).tolist() == pytest.approx([1 / 3, -1 / 3])


def test_cells_that_fit_learn_each_object() -> None:
    objects = torch.tensor([[6.0, 6, 30, 30, 0.9, 3], [34, 34, 58, 58, 0.9, 5]])
    answer = answer_of([[6, 6, 30, 30, 3], [34, 34, 58, 58, 5]])[0]
    places = cells((SIZE, SIZE))
    given = assign(answer[:, :CLASSES], boxes(answer[:, CLASSES:], places), places, objects)
    assert set(given.objects.tolist()) == {0, 1}
    assert len(given.cells.unique()) == len(given.cells)
    corners = places[given.cells, :2] * places[given.cells, 2:]
    box = objects[given.objects, :4]
    assert ((corners > box[:, :2]) & (corners < box[:, 2:])).all()
    assert given.iou.max() > 0.6
    nothing = assign(answer[:, :CLASSES], boxes(answer[:, CLASSES:], places), places, objects[:0])
    assert len(nothing.cells) == 0


def test_a_cell_learns_one_object_where_two_are() -> None:
    objects = torch.tensor([[6.0, 6, 40, 40, 0.9, 3], [6, 6, 41, 41, 0.9, 5]])
    answer = answer_of([[6, 6, 40, 40, 3]])[0]
    places = cells((SIZE, SIZE))
    given = assign(answer[:, :CLASSES], boxes(answer[:, CLASSES:], places), places, objects)
    assert len(given.cells.unique()) == len(given.cells)
    assert 0 in given.objects


def test_the_right_answer_costs_least() -> None:
    objects = [torch.tensor([[8.0, 8, 40, 40, 0.9, 3]])]
    places = cells((SIZE, SIZE))

    def loss(answer: Tensor) -> float:
        return detection_loss(answer, places, objects, [torch.zeros(0, 6)])[0].item()

    right = loss(answer_of([[8, 8, 40, 40, 3]]))
    assert right < loss(answer_of([[8, 8, 40, 40, 4]]))
    assert right < loss(answer_of([[16, 8, 48, 40, 3]]))
    objects[0] = objects[0][:0]
    assert loss(answer_of([])) < loss(answer_of([[8, 8, 40, 40, 3]]))


def test_what_is_perhaps_there_is_not_held_to_be_nothing() -> None:
    answer = answer_of([[8, 8, 40, 40, 3]]).requires_grad_()
    places = cells((SIZE, SIZE))
    perhaps = torch.tensor([[8.0, 8, 40, 40, 0.3, 3]])
    loss, _ = detection_loss(answer, places, [torch.zeros(0, 6)], [perhaps])
    loss.backward()
    assert answer.grad is not None
    corners = places[:, :2] * places[:, 2:]
    inside = ((corners >= 8) & (corners <= 40)).all(1)
    assert not answer.grad[0, inside, 3].any()
    assert answer.grad[0, ~inside, 3].all()
    assert answer.grad[0, inside, 4].all()


def test_edges_are_learned_between_two_bins() -> None:
    place, box = torch.tensor([[4.0, 4, 8]]), torch.tensor([[12.0, 16, 48, 60]])  # 2.5, 2, 2 and 3.5 strides away
    logits = torch.zeros(1, 4 * BINS, requires_grad=True)
    optimizer = torch.optim.SGD([logits], lr=50)
    for _ in range(300):
        optimizer.zero_grad()
        edge_loss(logits, box, place).sum().backward()
        optimizer.step()
    np.testing.assert_allclose(boxes(logits.detach(), place), box, atol=0.3)


def test_a_teacher_has_nothing_to_say_to_an_equal() -> None:
    answer = answer_of([[8, 8, 40, 40, 3]])
    assert teaching_loss(answer, answer).item() == pytest.approx(0, abs=1e-6)
    assert teaching_loss(answer_of([]), answer) > 0.1
    assert teaching_loss(answer_of([[16, 16, 48, 48, 3]]), answer) > 0.1


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trainings.write_photos(tmp_path_factory.mktemp("detector") / "photos")


def test_learns_to_find_things(photos: Path, tmp_path: Path) -> None:
    settings = {"optimizer.batch": 4, "optimizer.samples": 400, "optimizer.warmup": 5}
    config = trainings.small(photos, tmp_path, "detector", {**settings, **trainings.plain("detector")})
    faster = config.replaced({"optimizer.lr_encoder": 3e-3, "optimizer.lr_rest": 3e-3})
    training = Training(faster, make_stage(config, torch.device("cpu")), torch.device("cpu"))
    assert isinstance(training.stage, DetectorStage)
    batch = training.stage.samples.batch(np.arange(4), SIZE, [np.random.default_rng(i) for i in range(4)])
    losses = [training._learn(batch)["loss"].item() for _ in range(25)]
    assert min(losses[-3:]) < 0.8 * losses[0]
    training.stage.network.eval()
    with torch.no_grad():
        rows = training.stage.pictures(batch)
    assert len(rows) == 4
    assert len({picture.shape for row in rows for picture in row}) == 1


def test_runs_as_every_stage_does(photos: Path, tmp_path: Path) -> None:
    config = trainings.small(photos, tmp_path, "detector", {"data.held_out": 2, "log.pictures": 1})
    weights = train(config)
    assert started(str(weights)).state_dict().keys() >= {"encoder.stem.conv.weight"}
    lines = [json.loads(line) for line in (weights.parent / "log.jsonl").read_text().splitlines()]
    assert {"classes", "boxes", "edges", "loss"} <= lines[0].keys()
    assert any("held_out_boxes" in line for line in lines)
    assert list((weights.parent / "pictures").glob("*.png"))

    settings = {"weights.start": str(weights), "teaching": 1.0, "optimizer.lr_encoder": 1e-4}
    taught = train(config.replaced({"run": str(tmp_path / "on"), **settings}))
    before, after = started(str(weights)).state_dict(), started(str(taught)).state_dict()
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert any(name.endswith("conv.weight") for name in changed)
    assert not any("running" in name for name in changed)


def test_a_start_that_is_no_detector_is_refused(photos: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="nothing.safetensors"):
        train(trainings.small(photos, tmp_path, "detector", {"weights.start": str(tmp_path / "nothing.safetensors")}))


def test_untrained_it_finds_next_to_nothing() -> None:
    torch.manual_seed(0)
    network = Detector().eval()
    assert any(isinstance(module, Conv) for module in network.modules())
    with torch.no_grad():
        assert network(torch.rand(1, 1, SIZE, SIZE) * 100)[..., :CLASSES].sigmoid().max() < 0.1
