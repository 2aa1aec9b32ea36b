"""What a training sees: crops, aged lightness, hints; seeded for each photo, the color to be learned untouched."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")

import torch
from torch import Tensor

from instcolor.hints import PATCH
from instcolor.training.batches import make_batch, photo_order
from instcolor.training.config import Augmentation, Config
from instcolor.training.damage import compressed, halftone, scanned, scratched
from instcolor.training.draws import Draws
from instcolor.training.hints import Sampling, sample_hints, sample_points
from instcolor.training.photos import PhotoStore
from instcolor.training.samples import (
    FullSamples,
    FusionSamples,
    InstanceSamples,
    Part,
    lightness_and_color,
    random_crop,
)
from instcolor.training.scenes import scene
from instcolor.training.stage import Samples
from support import trainings

EVERYTHING = Augmentation(collage=0.5, lightness=0.5, film=0.5, scratches=0.5, halftone=0.5, jpeg=0.5)
NO_HINTS = Sampling(share=0.0)
EFFECTS = ("lightness", "film", "scratches", "halftone", "jpeg")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trainings.write_photos(tmp_path_factory.mktemp("samples") / "photos")


@pytest.fixture(scope="module")
def store(folder: Path) -> PhotoStore:
    return PhotoStore.open([folder], [folder / "boxes.json"], folder.parent / "cache")


@pytest.fixture
def config(folder: Path) -> Config:
    settings = {"augmentation": asdict(EVERYTHING), "hints.share": 0.5, "hints.objects": 0.5}
    return trainings.small(folder, folder.parent, settings=settings)


def rngs(*seeds: int) -> list[np.random.Generator]:
    return [np.random.default_rng(seed) for seed in seeds]


def scenes(count: int = 4) -> Tensor:
    return torch.from_numpy(np.stack([scene(i, (64, 64))[0] for i in range(count)]))


def flat(batch: object) -> list[Tensor]:
    if isinstance(batch, Tensor):
        return [batch]
    return [t for part in batch for t in flat(part)] if isinstance(batch, tuple | list) else []


# Seeds


@pytest.mark.parametrize("kind", [FullSamples, InstanceSamples, FusionSamples])
def test_a_photo_of_a_batch_depends_on_its_own_generator_alone(
    store: PhotoStore, config: Config, kind: Callable[[PhotoStore, Config], Samples]
) -> None:
    samples = kind(store, config)
    together = samples.batch(np.array([3, 0, 5]), 64, rngs(7, 8, 9))
    alone = samples.batch(np.array([5]), 64, rngs(9))
    if kind is FusionSamples:
        together = together[2:]
    pairs = zip(flat(together), flat(alone), strict=True)
    assert all(torch.allclose(a[-len(b) :], b, atol=1e-4) for a, b in pairs)
    other = samples.batch(np.array([5]), 64, rngs(10))
    assert not torch.equal(flat(other)[0], flat(alone)[0])


def test_batches_depend_on_seed_and_step_alone(store: PhotoStore, config: Config) -> None:
    samples = FullSamples(store, config)
    first, again = (make_batch(config, samples, 3, 10) for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(flat(first), flat(again), strict=True))
    for other in (make_batch(config, samples, 4, 10), make_batch(config.replaced({"seed": 1}), samples, 3, 10)):
        assert not torch.equal(first.L, other.L)


def test_every_photo_comes_once_before_any_comes_again() -> None:
    order = photo_order(0, 8, np.arange(24))
    assert [sorted(order[i : i + 8]) for i in (0, 8, 16)] == [list(range(8))] * 3
    assert order[:8].tolist() != order[8:16].tolist()


# Aging


@pytest.mark.parametrize("effect", EFFECTS)
def test_an_effect_changes_lightness_and_never_the_color_to_learn(effect: str) -> None:
    plain_L, plain_ab = lightness_and_color(scenes(), trainings.PLAIN, rngs(1, 2, 3, 4))
    always: dict[str, Any] = {effect: 1.0}
    L, ab = lightness_and_color(scenes(), replace(trainings.PLAIN, **always), rngs(1, 2, 3, 4))
    assert torch.equal(ab, plain_ab)
    assert all((a - b).abs().mean() > 0.2 for a, b in zip(L, plain_L, strict=True))
    assert L.shape == plain_L.shape
    assert 0 <= L.min() < L.max() <= 100


def test_without_effects_lightness_is_the_photos_own() -> None:
    first, _ = lightness_and_color(scenes(), trainings.PLAIN, rngs(1, 2, 3, 4))
    again, _ = lightness_and_color(scenes(), trainings.PLAIN, rngs(5, 6, 7, 8))
    assert torch.equal(first, again)


def test_the_share_of_an_effect_is_the_share_of_photos_that_get_it() -> None:
    rgb = scenes(1).expand(200, -1, -1, -1)[:, ::4, ::4]
    plain, _ = lightness_and_color(rgb, trainings.PLAIN, rngs(*range(200)))
    L, _ = lightness_and_color(rgb, replace(trainings.PLAIN, halftone=0.3), rngs(*range(200)))
    changed = sum(not torch.equal(a, b) for a, b in zip(L, plain, strict=True))
    assert 40 <= changed <= 80


@pytest.mark.parametrize("effect", [scanned, halftone, scratched, compressed])
def test_effects_keep_the_picture_recognizable(effect: Callable[[Tensor, Draws, Tensor], Tensor]) -> None:
    L, _ = lightness_and_color(scenes(), trainings.PLAIN, rngs(1, 2, 3, 4))
    for before, after in zip(L, effect(L, Draws(rngs(1, 2, 3, 4)), torch.ones(4)), strict=True):
        assert torch.corrcoef(torch.stack([before.flatten(), after.flatten()]))[0, 1] > 0.6


# Crops and hints


def test_a_crop_lies_in_the_photo_and_a_whole_one_is_squashed() -> None:
    rgb = np.zeros((40, 60, 3), np.uint8)
    rgb[:, :, 0] = np.arange(60) * 4
    whole = random_crop(rgb, 20, replace(trainings.PLAIN, crop=(0, 0)), np.random.default_rng(0))
    assert whole.shape == (20, 20, 3)
    assert whole[0, 0, 0] < 10
    assert whole[0, -1, 0] > 226
    part = random_crop(rgb, 20, replace(trainings.PLAIN, crop=(0.5, 0.5)), np.random.default_rng(0))
    assert np.ptp(part[..., 0]) < 90


def test_an_objects_crop_can_show_its_surroundings_or_the_box_alone(store: PhotoStore, config: Config) -> None:
    plain = replace(config, augmentation=trainings.PLAIN, hints=NO_HINTS)
    alone_config = plain.replaced({"crops.surroundings": 0.0})
    around = InstanceSamples(store, plain).batch(np.arange(4), 64, rngs(1, 2, 3, 4))
    alone = InstanceSamples(store, alone_config).batch(np.arange(4), 64, rngs(1, 2, 3, 4))
    assert around.weight is not None
    assert alone.weight is not None
    assert (around.weight.flatten(1).min(1).values < 1).all()
    assert (alone.weight == 1).all()
    photo = FusionSamples(store, alone_config).photo(2, 64, np.random.default_rng(0))
    assert (photo.inputs.places.crop - photo.inputs.places.box).abs().max() < 1 / 96
    photo = FusionSamples(store, plain).photo(2, 64, np.random.default_rng(0))
    assert (photo.inputs.places.crop - photo.inputs.places.box).abs().max() > 2 / 96


def test_flipped_photos_have_flipped_boxes(store: PhotoStore, config: Config) -> None:
    always = replace(config, augmentation=replace(trainings.PLAIN, flip=True), hints=NO_HINTS)
    samples = FusionSamples(store, always)
    photos = [samples.photo(0, 64, np.random.default_rng(seed)) for seed in range(20)]
    orange = store.boxes[0][0, [0, 2]] / 112
    seen = {round(float(v), 3) for p in photos for v in p.inputs.places.box[:, 0]}
    assert round(float(orange[0]), 3) in seen
    assert round(float(1 - orange[1]), 3) in seen


def test_a_collage_shows_another_photo_in_a_rectangle_with_its_own_colors(store: PhotoStore, config: Config) -> None:
    def batch(collage: float) -> list[Tensor]:
        settings = replace(config, augmentation=replace(trainings.PLAIN, collage=collage), hints=NO_HINTS)
        made = FullSamples(store, settings).batch(np.arange(8), 64, rngs(*range(8)))
        return list(torch.cat([made.L, made.ab], 1))

    for plain, pasted in zip(batch(0.0), batch(1.0), strict=True):
        changed = ((plain - pasted).abs() > 1e-3).any(0)
        rows, columns = (torch.nonzero(changed.any(axis)).flatten() for axis in (1, 0))
        height, width = (int(at.max() - at.min()) + 1 for at in (rows, columns))
        assert all(0.25 * 64 <= side <= 0.85 * 64 for side in (height, width))
        assert changed.sum() > 0.8 * height * width  # and nothing outside


@pytest.mark.parametrize("mirrored", [False, True])
def test_hints_on_objects_are_patches_around_their_middles(mirrored: bool) -> None:
    rgb, box = np.zeros((40, 80, 3), np.uint8), np.array([[20, 5, 40, 25]], np.float32)
    part = Part((10, 0, 50, 40), mirrored)
    (at,) = part.middles(box, 80)
    assert at.tolist() == [80 - 40 if mirrored else 40, 30]
    assert part.picture(rgb, 80).shape == (80, 80, 3)
    assert len(part.middles(box + 100, 80)) == 0
    ab = torch.rand(1, 2, 80, 80)
    for seed in range(5):
        _, mask = sample_hints(ab, Sampling(1.0, 1.0, 1.0), rngs(seed), [at[None]])
        ys, xs = torch.nonzero(mask[0, 0], as_tuple=True)
        assert abs(float(xs.double().mean()) + 0.5 - at[0]) <= 0.5
        assert abs(float(ys.double().mean()) + 0.5 - at[1]) <= 0.5
        assert len(ys) == PATCH**2


@pytest.mark.parametrize("kind", [FullSamples, InstanceSamples])
def test_hints_on_objects_come_from_the_boxes(
    store: PhotoStore, config: Config, kind: type[FullSamples | InstanceSamples]
) -> None:
    augmentation = replace(trainings.PLAIN, crop=(0, 0))
    samples = kind(store, replace(config, augmentation=augmentation, hints=Sampling(1.0, 1.0, 1.0)))
    for index in range(4):
        batch = samples.batch(np.array([index]), 64, rngs(index))
        height, width = store[index].shape[:2]
        ys, xs = torch.nonzero(batch.hint_mask[0, 0], as_tuple=True)
        middle = np.array([float(xs.double().mean()) + 0.5, float(ys.double().mean()) + 0.5])
        rows = store.boxes[index]
        middles = (rows[:, :2] + rows[:, 2:4]) / 2 / (width, height) * 64
        if kind is InstanceSamples:  # the crop is around it, but for what lies outside the photo
            assert abs(middle - 32).max() < 16
        else:
            assert min(abs(middle - other).max() for other in middles) <= 1


def test_hints_are_mean_colors_of_patches_for_a_share_of_the_photos() -> None:
    _, ab = lightness_and_color(scenes(1).expand(100, -1, -1, -1), trainings.PLAIN, rngs(*range(100)))
    hint, mask = sample_hints(ab, Sampling(0.4, 0.125), rngs(*range(100)))
    hinted = mask.flatten(1).any(1)
    assert 25 <= hinted.sum() <= 55
    assert (hint[(mask == 0).expand_as(hint)] == 0).all()
    assert set(mask.unique().tolist()) == {0.0, 1.0}
    low, high = ab.amin((2, 3)), ab.amax((2, 3))
    inside = hint[hinted].flatten(2)
    assert (inside.amax(2) <= high[hinted].clamp(min=0) + 1e-4).all()
    assert (inside.amin(2) >= low[hinted].clamp(max=0) - 1e-4).all()


def test_points_are_the_middles_and_colors_of_the_same_patches() -> None:
    _, ab = lightness_and_color(scenes(1), trainings.PLAIN, rngs(0))
    for seed in range(20):
        hint, mask = sample_hints(ab, Sampling(1.0, 0.9), rngs(seed))
        points = sample_points(ab[0], Sampling(1.0, 0.9), np.random.default_rng(seed)).points
        if len(points) > 1:
            continue  # patches may lie over each other
        rows, columns = torch.nonzero(mask[0, 0], as_tuple=True)
        assert points[0, :2].tolist() == [columns.double().mean() + 0.5, rows.double().mean() + 0.5]
        assert points[0, 2:].tolist() == hint[0, :, rows[0], columns[0]].tolist()
