from __future__ import annotations

import json
import math
import zipfile
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import ArrayLike

from instcolor.errors import BoxesError
from instcolor.objects import DetectedObject, Mask, PhotoObjects, iou, read_boxes, select, to_coco, to_json
from instcolor.objects.geometry import Box

SIZE = (200, 100)


def item(box: Box, score: float = 0.5, label: str = "cat") -> DetectedObject:
    return DetectedObject(box, label, score)


def test_best_scores_come_first_and_the_limit_holds() -> None:
    objects = [item((10 * i, 0, 10 * i + 9, 9), score) for i, score in enumerate((0.2, 0.9, 0.5, 0.9))]
    assert [o.box[0] for o in select(objects, SIZE)] == [10, 30, 20, 0]
    assert [o.score for o in select(objects, SIZE, limit=1)] == [0.9, 0.9, 0.5]
    assert select(objects, SIZE, limit=0) == []


def test_small_objects_fill_up_three_times_the_limit() -> None:
    small = [item((10 * i, 10 * j, 10 * i + 9, 10 * j + 9)) for i in range(10) for j in range(10)]
    assert len(select(small, SIZE)) == 24
    assert len(select(small, SIZE, limit=1)) == 3
    large = [item((25 * i, 25 * j, 25 * i + 24, 25 * j + 24), 0.9) for i in range(4) for j in range(4)]
    assert len(select(large, SIZE)) == 8
    assert len(select([*large[:7], *small], SIZE)) == 24
    group = select([*large, *small], SIZE)  # better bodies leave room for the faces
    assert [o.score for o in group] == [0.9] * 8 + [0.5] * 16
    assert len(select([*large, *[item(o.box, 0.95) for o in small]], SIZE)) == 24  # the best, whatever their size


def test_boxes_are_clipped_to_the_photo() -> None:
    assert select([item((-5, 90, 30, 120))], SIZE)[0].box == (0, 90, 30, 100)


@pytest.mark.parametrize(
    "box",
    [
        (math.nan, 0, 9, 9),
        (0, 0, math.inf, 9),
        (50, 50, 50, 60),
        (60, 50, 50, 60),
        (200, 0, 210, 50),
        (-9, 0, 0, 50),
        (0, 0, 3, 3),
    ],
)
def test_boxes_without_a_finite_visible_part_and_tiny_ones_are_dropped(box: Box) -> None:
    good = item((0, 0, 50, 50), 0.1)
    assert select([item(box), good], SIZE) == [good]


def test_scores_decide_who_takes_part() -> None:
    assert select([item((0, 0, 50, 50), math.nan)], SIZE) == []
    assert select([item((0, 0, 50, 50), 0.4)], SIZE, min_score=0.5) == []
    assert len(select([item((0, 0, 50, 50), 0.5)], SIZE, min_score=0.5)) == 1


def test_smallest_area_one_below_at_and_above() -> None:
    share = 100 / (200 * 100)
    assert select([item((0, 0, 10, 9.9))], SIZE, min_area=share) == []
    assert len(select([item((0, 0, 10, 10))], SIZE, min_area=share)) == 1


def test_the_same_object_found_twice_counts_once_whatever_its_labels() -> None:
    twice = [item((0, 0, 100, 50), 0.6, "cow"), item((2, 0, 100, 50), 0.7, "horse"), item((60, 0, 160, 50), 0.3)]
    assert [o.label for o in select(twice, SIZE)] == ["horse", "cat"]
    assert len(select(twice, SIZE, max_iou=1.0)) == 3


def left_half(box: Box) -> Mask:
    plane = np.zeros((28, 28), np.float32)
    plane[:, :14] = 1
    return Mask(box, plane)


def test_a_mask_stays_on_its_object_and_in_its_place_when_the_box_is_clipped() -> None:
    mask = left_half((-40, 0, 40, 50))
    chosen = select([DetectedObject((-40, 0, 40, 50), "cat", 0.5, mask)], SIZE)[0]
    assert chosen.box == (0, 0, 40, 50)
    assert chosen.mask is mask
    assert mask.over(chosen.box, (50, 40))[:, 2:].max() < 0.5  # what remains of the box is its empty half


def test_a_mask_is_laid_over_any_grid() -> None:
    mask = left_half((20, 10, 60, 50))
    assert np.allclose(mask.over(mask.box, (28, 28)), mask.plane)
    fine = mask.over((0, 0, 80, 60), (60, 80)) >= 0.5
    assert fine[10:50, 20:40].all()
    assert fine.sum() == 40 * 20
    coarse = mask.over(mask.box, (1, 4))
    assert coarse.shape == (1, 4)
    assert np.allclose(coarse, [[1, 1, 0, 0]], atol=0.2)
    assert not mask.over((100, 10, 140, 50), (8, 8)).any()


@given(
    st.tuples(*[st.floats(-50, 250)] * 2),
    st.tuples(*[st.floats(0.5, 100)] * 2),
    st.tuples(*[st.integers(1, 40)] * 2),
)
def test_a_mask_stays_a_probability_on_any_grid(
    corner: tuple[float, float], extent: tuple[float, float], shape: tuple[int, int]
) -> None:
    box = (*corner, corner[0] + extent[0], corner[1] + extent[1])
    plane = left_half((20, 10, 60, 50)).over(box, shape)
    assert plane.shape == shape
    assert plane.dtype == np.float32
    assert plane.min() >= 0
    assert plane.max() <= 1 + 1e-6


def test_masks_of_a_large_photo_cost_little() -> None:
    masks = [left_half((0, 0, 4000, 3000)) for _ in range(8)]
    assert sum(mask.plane.nbytes for mask in masks) < 50_000
    assert masks[0].over((1000, 1000, 1100, 1050), (50, 100)).shape == (50, 100)  # no more pixels than asked for


def test_masks_follow_the_size_of_the_photo() -> None:
    item = DetectedObject((20, 10, 60, 50), "cat", 0.5, left_half((20, 10, 60, 50)))
    twice = PhotoObjects("a.jpg", (100, 50), (item,)).at((200, 150))[0]
    assert twice.mask
    assert twice.mask.box == twice.box == (40, 30, 120, 150)


@settings(deadline=None)
@given(
    st.lists(
        st.builds(
            DetectedObject,
            st.tuples(*[st.floats(-300, 300) | st.sampled_from([math.nan, math.inf, -math.inf])] * 4),
            st.sampled_from(["cat", "dog"]),
            st.floats(0, 1) | st.just(math.nan),
        ),
        max_size=30,
    )
)
def test_selection_holds_its_promises_for_any_boxes(objects: list[DetectedObject]) -> None:
    chosen = select(objects, SIZE)
    assert len(chosen) <= 8
    assert chosen == sorted(chosen, key=lambda o: -o.score)
    for i, o in enumerate(chosen):
        x0, y0, x1, y1 = o.box
        assert 0 <= x0 < x1 <= 200
        assert 0 <= y0 < y1 <= 100
        assert all(iou(o.box, other.box) <= 0.75 for other in chosen[:i])
    assert select(chosen, SIZE) == chosen


def test_iou_by_hand() -> None:
    assert iou((0, 0, 2, 2), (1, 1, 3, 3)) == pytest.approx(1 / 7)
    assert iou((0, 0, 2, 2), (2, 0, 4, 2)) == 0
    assert iou((0, 0, 2, 2), (0, 0, 2, 2)) == 1


PHOTOS = [
    PhotoObjects("holiday/a.b.jpg", (200, 100), (item((10, 20, 30.5, 60), 0.75), item((0, 0, 9, 9), 0.25, "gnome"))),
    PhotoObjects("c.png", (50, 50), ()),
]


def written(tmp_path: Path, data: object, name: str = "boxes.json") -> Path:
    path = tmp_path / name
    path.write_text(json.dumps(data))
    return path


@pytest.mark.parametrize("form", [to_json, to_coco])
def test_what_is_written_is_read_again(
    tmp_path: Path, form: Callable[[Iterable[PhotoObjects]], dict[str, Any]]
) -> None:
    boxes = read_boxes(written(tmp_path, form(PHOTOS)))
    assert list(boxes) == ["holiday/a.b.jpg", "c.png"]
    assert [boxes[p.file] for p in PHOTOS] == PHOTOS
    assert boxes.for_photo("elsewhere/a.b.tiff", SIZE) == list(PHOTOS[0].objects)
    assert boxes.for_photo("c.png", (50, 50)) == []
    assert boxes.for_photo("unknown.jpg", (50, 50)) == []


def test_coco_form_uses_the_official_ids() -> None:
    data = to_coco(PHOTOS)
    assert data["annotations"][0]["bbox"] == [10, 20, 20.5, 40]
    assert [a["category_id"] for a in data["annotations"]] == [17, 91]
    assert {"id": 91, "name": "gnome"} in data["categories"]


def test_boxes_are_scaled_to_the_photo_at_hand(tmp_path: Path) -> None:
    boxes = read_boxes(written(tmp_path, to_json(PHOTOS)))
    assert boxes.for_photo("a.b.jpg", (400, 100))[0].box == (20, 20, 61, 60)


def test_boxes_without_a_stated_size_are_taken_as_they_are(tmp_path: Path) -> None:
    boxes = read_boxes(written(tmp_path, {"photos": [{"file": "a.jpg", "objects": [{"box": [1, 2, 3, 4]}]}]}))
    assert boxes.for_photo("a.jpg", (10, 10)) == [DetectedObject((1, 2, 3, 4), "object", 1.0)]


def test_coco_with_categories_of_its_own(tmp_path: Path) -> None:
    data = {
        "images": [{"id": 7, "file_name": "x.webp", "width": 20, "height": 10}],
        "annotations": [{"image_id": 7, "bbox": [1, 2, 3, 4], "category_id": 5}],
        "categories": [{"id": 5, "name": "lantern"}],
    }
    assert read_boxes(written(tmp_path, data)).for_photo("x.jpg", (20, 10)) == [
        DetectedObject((1, 2, 4, 6), "lantern", 1.0)
    ]


def test_a_list_of_coco_results(tmp_path: Path) -> None:
    results = [
        {"image_id": 139, "category_id": 18, "bbox": [0, 0, 5, 5], "score": 0.5},
        {"image_id": "x", "category_id": 1, "bbox": [0, 0, 5, 5], "score": 0.5},
    ]
    boxes = read_boxes(written(tmp_path, results))
    assert boxes.for_photo("000000000139.jpg", (9, 9))[0].label == "dog"
    assert boxes.for_photo("x.jpg", (9, 9))[0].label == "person"
    assert len(read_boxes(written(tmp_path, []))) == 0


def test_photos_of_one_stem_are_told_apart_by_name_then_path(tmp_path: Path) -> None:
    photos = [PhotoObjects(f, None, (item((0, 0, i + 1, 1)),)) for i, f in enumerate(("a.jpg", "p/a.png", "q/a.png"))]
    boxes = read_boxes(written(tmp_path, to_json(photos)))
    assert boxes.for_photo("z/a.jpg", (9, 9))[0].box[2] == 1
    assert boxes.for_photo("q/a.png", (9, 9))[0].box[2] == 3
    with pytest.raises(BoxesError, match=r"boxes\.json: several photos are called a"):
        boxes.for_photo("z/a.png", (9, 9))


def test_a_box_outside_the_photo_is_an_error_for_that_photo_only(tmp_path: Path) -> None:
    good = PhotoObjects("good.jpg", (50, 50), (item((0, 0, 60, 9)),))
    bad = PhotoObjects("bad.jpg", (50, 50), (item((0, 0, 9, 9)), item((50, 0, 60, 9))))
    boxes = read_boxes(written(tmp_path, to_json([good, bad])))
    assert boxes.for_photo("good.jpg", (50, 50))[0].box == (0, 0, 50, 9)
    with pytest.raises(BoxesError, match=r"boxes\.json: photo bad\.jpg, object 1: .* outside the photo of 50 x 50"):
        boxes.for_photo("bad.jpg", (50, 50))


def plain(**changes: object) -> dict[str, Any]:
    return {"photos": [{"file": "a.jpg", "objects": [{"box": [0, 0, 5, 5], "label": "x", "score": 1} | changes]}]}


def coco(image: dict[str, Any] | None = None, **changes: object) -> dict[str, Any]:
    return {
        "images": [{"id": 1, "file_name": "a.jpg"} | (image or {})],
        "annotations": [{"image_id": 1, "category_id": 1, "bbox": [0, 0, 5, 5]} | changes],
    }


@pytest.mark.parametrize(
    ("data", "entry"),
    [
        ({}, "neither"),
        (3, "neither"),
        ({"photos": [{}]}, "photo 0"),
        ({"photos": [{"file": "a.jpg"}]}, "photo a.jpg"),
        ({"photos": [{"file": "a.jpg", "objects": [], "size": [0, 5]}]}, "photo a.jpg: size"),
        ({"photos": [{"file": "a.jpg", "objects": []}] * 2}, "listed twice"),
        ({"photos": [{"file": "a.jpg", "objects": [7]}]}, "photo a.jpg, object 0"),
        (plain(box=[0, 0, 5]), "photo a.jpg, object 0: box"),
        (plain(box=[0, 0, 5, "5"]), "photo a.jpg, object 0: box"),
        (plain(box=[0, 0, 5, 10**400]), "photo a.jpg, object 0: box"),
        (plain(score="high"), "score"),
        (coco(image_id=2), "annotation 0"),
        (coco(image_id=[1]), "annotation 0"),
        (coco(category_id=12), "annotation 0: unknown category_id 12"),
        (coco(image={"width": 5, "height": 2.5}), "image a.jpg: size"),
        ({"images": [{"id": 1}], "annotations": []}, "file_name"),
        ({"images": [{"id": 1, "file_name": "a"}, {"id": 1, "file_name": "b"}], "annotations": []}, "same id"),
        ({"images": [{"id": [], "file_name": "a"}], "annotations": []}, "images and categories"),
        ([{"bbox": [0, 0, 5, 5]}], "annotation 0"),
        ([5], "annotation 0"),
    ],
)
def test_faults_are_one_line_that_names_file_and_entry(tmp_path: Path, data: object, entry: str) -> None:
    path = written(tmp_path, data)
    with pytest.raises(BoxesError) as caught:
        read_boxes(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert entry in message
    assert "\n" not in message


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (plain(box=[0, 0, 5, math.nan]), "is not finite"),
        (plain(box=[0, 0, 5, -math.inf]), "is not finite"),
        (plain(score=math.nan), "is not finite"),
        (plain(box=[5, 0, 5, 5]), "is empty"),
        (coco(bbox=[0, 0, -5, 5]), "box [0, 0, -5, 5] is empty"),
    ],
)
def test_a_box_that_makes_no_sense_is_an_error_for_its_photo_only(tmp_path: Path, data: object, reason: str) -> None:
    path = written(tmp_path, data)
    boxes = read_boxes(path)
    assert boxes.for_photo("b.jpg", (9, 9)) == []
    with pytest.raises(BoxesError) as caught:
        boxes.for_photo("a.jpg", (9, 9))
    message = str(caught.value)
    assert message.startswith(f"{path}: photo a.jpg, object 0: ")
    assert reason in message


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe\x00", b"PK\x03\x04", b"[" * 100_000])
def test_what_is_not_json_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "boxes.json"
    path.write_bytes(content)
    with pytest.raises(BoxesError, match=r"boxes\.json: not JSON"):
        read_boxes(path)


def test_missing_files_and_folders_are_named(tmp_path: Path) -> None:
    with pytest.raises(BoxesError, match="No such file"):
        read_boxes(tmp_path / "none.json")
    with pytest.raises(BoxesError, match=r"there are no \.npz boxes files in this folder"):
        read_boxes(tmp_path)


LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3) | st.just([0, 0, 5, 5])
KEYS = ["photos", "file", "size", "objects", "box", "label", "score", "images", "annotations", "categories"]
KEYS += ["id", "name", "file_name", "width", "height", "image_id", "category_id", "bbox"]


@settings(max_examples=60, deadline=None)
@given(st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner)))
def test_any_json_is_read_or_refused(data: object) -> None:
    with TemporaryDirectory() as folder, suppress(BoxesError):
        boxes = read_boxes(written(Path(folder), data))
        assert all(photo.file == file for file, photo in boxes.items())


@settings(max_examples=60, deadline=None)
@given(st.lists(st.fixed_dictionaries({}, optional={key: LEAVES for key in KEYS[10:]}), max_size=3), st.booleans())
def test_any_coco_entries_are_read_or_refused(entries: list[dict[str, Any]], as_results: bool) -> None:
    data = entries if as_results else {"images": entries, "annotations": entries, "categories": entries}
    with TemporaryDirectory() as folder, suppress(BoxesError):
        boxes = read_boxes(written(Path(folder), data))
        assert all(isinstance(item.label, str) for photo in boxes.values() for item in photo.objects)


# The files of Su et al.


def archive(path: Path, boxes: ArrayLike = ((1, 2, 30, 40),), scores: ArrayLike = (0.75,), **more: Any) -> Path:
    np.savez(path, bbox=np.array(boxes, np.float32), scores=np.array(scores, np.float32), **more)
    return path


@pytest.mark.parametrize("name", ["old.jpg", "folder/old.png", "old.1920.jpg", "old.tar.gz.jpg"])
def test_an_archive_is_that_of_the_photo_named_to_the_first_dot(tmp_path: Path, name: str) -> None:
    boxes = read_boxes(archive(tmp_path / "old.npz"))
    assert boxes.for_photo(name, SIZE) == [DetectedObject((1, 2, 30, 40), "object", 0.75)]
    assert boxes.for_photo("older.jpg", SIZE) == []


def test_a_folder_of_archives(tmp_path: Path) -> None:
    archive(tmp_path / "a.npz")
    archive(tmp_path / "b.npz", np.zeros((0, 4)), ())
    archive(tmp_path / "c.npz", (), ())
    archive(tmp_path / "a.x.npz", ((0, 0, 9, 9), (0, 0, 8, 8)), (0.2, 0.9))
    (tmp_path / "notes.txt").write_text("not a boxes file")
    boxes = read_boxes(tmp_path)
    assert len(boxes) == 4
    assert [o.score for o in boxes.for_photo("a.jpg", SIZE)] == [0.75]
    assert [o.score for o in boxes.for_photo("a.x.jpg", SIZE)] == pytest.approx([0.2, 0.9])  # its own comes first
    assert [o.score for o in boxes.for_photo("a.y.jpg", SIZE)] == [0.75]
    assert boxes.for_photo("b.jpg", SIZE) == boxes.for_photo("c.jpg", SIZE) == []


def test_the_first_dot_ends_no_name_in_json(tmp_path: Path) -> None:
    boxes = read_boxes(written(tmp_path, plain()))
    assert len(boxes.for_photo("a.png", SIZE)) == 1
    assert boxes.for_photo("a.x.jpg", SIZE) == []


class Pickled:
    def __reduce__(self) -> tuple[Callable[..., None], tuple[str]]:
        return print, ("run",)


def test_archives_with_other_content_are_refused_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    faulty: dict[str, dict[str, Any]] = {
        "shape": dict(boxes=((1, 2, 3),)),
        "count": dict(scores=(0.5, 0.5)),
        "size": dict(boxes=np.zeros((40_000, 4)), scores=np.zeros(40_000), more=np.zeros(200_000)),
    }
    for name, content in faulty.items():
        archive(tmp_path / f"{name}.npz", **content)
    np.savez(tmp_path / "names.npz", boxes=np.zeros((1, 4)))
    np.savez(tmp_path / "words.npz", bbox=np.array([["a"] * 4]), scores=np.ones(1))
    pickled = np.array([Pickled()], dtype=object)
    np.savez(tmp_path / "pickle.npz", bbox=pickled, scores=np.ones(1))
    (tmp_path / "none.npz").write_bytes(b"PK nonsense")
    (tmp_path / "empty.npz").write_bytes(b"")
    with zipfile.ZipFile(tmp_path / "header.npz", "w") as file:
        file.writestr("bbox.npy", b"\x93NUMPY\x01\x00\x09\x00{'descr':")
        file.writestr("scores.npy", b"")
    for path in tmp_path.glob("*.npz"):
        with pytest.raises(BoxesError) as caught:
            read_boxes(path)
        assert str(caught.value).startswith(f"{path}: ")
        assert "\n" not in str(caught.value)
    with pytest.raises(BoxesError, match=r"gone\.npz: cannot be read"):
        read_boxes(tmp_path / "gone.npz")
    assert capsys.readouterr().out == ""


def test_a_senseless_box_of_an_archive_concerns_its_photo_only(tmp_path: Path) -> None:
    archive(tmp_path / "a.npz", ((5, 5, 5, 9),))
    archive(tmp_path / "b.npz")
    boxes = read_boxes(tmp_path)
    assert len(boxes.for_photo("b.jpg", SIZE)) == 1
    with pytest.raises(BoxesError, match=r"photo a\.npz, object 0: box .* is empty"):
        boxes.for_photo("a.jpg", SIZE)
