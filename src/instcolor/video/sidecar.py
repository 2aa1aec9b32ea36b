"""The folder beside a result in which a run keeps what it has found out, so that the next one need not.

    OUT.instcolor/film.json       which film it is, and what the networks were; scenes that are done
                  keys/N.npz      what the networks said of key frame N, and its objects
                  scenes/N.bin    the encoded pictures of a scene, or of several short ones, from frame N on

Answers stay when the film is done, for another style; scenes do not. Everything is written whole or not at all, and a
part that was made for another film, other networks or other settings is thrown away.
"""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import VideoError
from ..files import make_folder, shown, write_whole, written_whole
from ..objects import DetectedObject, Mask
from .answers import SmallAnswer

SUFFIX = ".instcolor"
FORM = 1  # of the files in here; another one is not read
FACTS = "film.json"


class Sidecar:
    """One run's folder.

    Args:
        folder: where it is, made when it is missing.
        film: what tells this film and the networks that see it from others; JSON values.
        manner: what else the encoded pictures depend on.

    Raises VideoError: a file that is no folder, or a folder of other things, stands there.
    """

    def __init__(self, folder: Path, film: Mapping[str, Any], manner: Mapping[str, Any]) -> None:
        self.folder = folder
        known = self._facts()
        self._keys, self._scenes = folder / "keys", folder / "scenes"
        facts = {"form": FORM, "film": dict(film), "manner": dict(manner)}
        same_film = known.get("form") == FORM and known.get("film") == facts["film"]
        if not same_film:
            shutil.rmtree(self._keys, ignore_errors=True)
        if not same_film or known.get("manner") != facts["manner"]:
            shutil.rmtree(self._scenes, ignore_errors=True)
            known = {}
        self._state: dict[str, Any] = facts | {"scenes": known.get("scenes", [])}
        for place in (folder, self._keys, self._scenes):
            make_folder(place)
        self._save()

    def _facts(self) -> dict[str, Any]:
        if not self.folder.exists():
            return {}
        path = self.folder / FACTS
        if not self.folder.is_dir() or (any(self.folder.iterdir()) and not path.exists()):
            raise VideoError(f"{shown(self.folder)}: is no folder of an earlier run; name another with --sidecar")
        try:
            facts = json.loads(path.read_bytes())
        except (OSError, ValueError):
            return {}
        return facts if isinstance(facts, dict) else {}

    def _save(self) -> None:
        write_whole(self.folder / FACTS, json.dumps(self._state, indent=1).encode(), overwrite=True)

    def answer(self, number: int) -> tuple[SmallAnswer, tuple[DetectedObject, ...]] | None:
        """What is known of a key frame."""
        try:
            with np.load(self._keys / f"{number}.npz", allow_pickle=False) as kept:
                answer = SmallAnswer(kept["share"], kept["ab"])
                masks = [kept[f"mask{i}"] for i in range(len(kept["boxes"]))]
                rows = zip(
                    kept["boxes"].tolist(), kept["labels"].tolist(), kept["mask_boxes"].tolist(), masks, strict=True
                )
                return answer, tuple(
                    DetectedObject(tuple(box[:4]), label, box[4], Mask(tuple(place), plane) if plane.size else None)
                    for box, label, place, plane in rows
                )
        except (OSError, ValueError, KeyError, zipfile.BadZipFile):
            return None

    def keep(self, number: int, answer: SmallAnswer, objects: tuple[DetectedObject, ...]) -> None:
        """Keeps what the networks said of a key frame."""
        boxes = np.array([(*o.box, o.score) for o in objects], np.float64).reshape(-1, 5)
        places = np.array([o.mask.box if o.mask else (0, 0, 0, 0) for o in objects], np.float64).reshape(-1, 4)
        masks: dict[str, Any] = {f"mask{i}": o.mask.plane if o.mask else np.zeros(0) for i, o in enumerate(objects)}
        labels = np.array([o.label for o in objects], np.str_)
        path = self._keys / f"{number}.npz"
        with written_whole(path, overwrite=True) as temporary, open(temporary, "wb") as file:
            np.savez_compressed(
                file, share=answer.share, ab=answer.ab, boxes=boxes, labels=labels, mask_boxes=places, **masks
            )

    def done(self, start: int) -> int:
        """The number of the first frame, from `start` on, whose pictures are not here."""
        return int(self._state["scenes"][-1]["stop"]) if self._state["scenes"] else start

    def scenes(self) -> list[Path]:
        """The files of encoded pictures, in order."""
        return [self.scene(scene["first"]) for scene in self._state["scenes"]]

    def scene(self, first: int) -> Path:
        """The file for the encoded pictures from frame `first` on."""
        return self._scenes / f"{first}.bin"

    def scene_is_done(self, first: int, stop: int, cuts: list[int]) -> None:
        """Notes that the pictures of the frames `first` to before `stop` are there; `cuts` are where scenes begin."""
        self._state["scenes"].append({"first": first, "stop": stop, "cuts": cuts})
        self._save()

    @property
    def done_scenes(self) -> list[dict[str, Any]]:
        """First frame, first frame behind, and cuts of everything that is encoded."""
        return list(self._state["scenes"])

    def finished(self) -> None:
        """When the film is done: the encoded pictures are in it; what the networks said stays, for another style."""
        shutil.rmtree(self._scenes, ignore_errors=True)
        self._state["scenes"] = []
        self._save()
