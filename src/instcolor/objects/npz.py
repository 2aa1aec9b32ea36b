"""The boxes files of Su et al. 2020: one NumPy archive a photo, `old.npz` for `old.jpg`.

`bbox` is (N, 4), x0, y0, x1, y1 in pixels of the photo; `scores` is (N,). Labels there are none. Their program cuts a
photo's name at its first dot: `old.1920.jpg` has its boxes in `old.npz`.
"""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np

from ..errors import BoxesError
from .detected import DetectedObject, PhotoObjects

SUFFIX = ".npz"
LABEL = "object"
MAX_BYTES = 1 << 20  # of an array, unpacked: 32,768 boxes in double precision


def read_npz(path: Path) -> PhotoObjects:
    """The objects of one photo; the entry is called as its file. Nothing in the file is run. Raises BoxesError."""
    try:
        with zipfile.ZipFile(path) as archive:
            if any(member.file_size > MAX_BYTES for member in archive.infolist()):
                raise BoxesError(f"{path}: an array of more than {MAX_BYTES:,} bytes")
        with np.load(path, allow_pickle=False) as arrays:
            boxes, scores = np.asarray(arrays["bbox"], np.float64), np.asarray(arrays["scores"], np.float64)
    except BoxesError:
        raise
    except KeyError as error:
        raise BoxesError(f"{path}: no arrays called bbox and scores in it") from error
    except OSError as error:
        raise BoxesError(f"{path}: cannot be read ({error.strerror or error})") from error
    except Exception as error:  # zipfile, zlib and NumPy have no common base class for their errors
        raise BoxesError(f"{path}: not a NumPy archive of numbers ({_line(error)})") from error
    if scores.ndim != 1 or boxes.shape != (len(scores), 4) and (boxes.size or scores.size):
        raise BoxesError(f"{path}: bbox {boxes.shape} and scores {scores.shape} are not (N, 4) and (N,)")
    found = zip(boxes.reshape(-1, 4).tolist(), scores.tolist(), strict=True)
    return PhotoObjects(
        path.name, None, tuple(DetectedObject((x0, y0, x1, y1), LABEL, s) for (x0, y0, x1, y1), s in found)
    )


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
