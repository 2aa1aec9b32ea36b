"""What is kept of a photo for the page."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from instcolor import Colorizer
from instcolor.editing.previews import PLANE_STEPS
from instcolor.styles import confidence
from instcolor.web.tasks import keep, kept, looked
from support import stand_in


@pytest.mark.parametrize("model", [stand_in.FakeModel(), stand_in.FineModel()], ids=["one grid", "two grids"])
def test_planes_of_styles_and_confidence_share_the_grid_of_ab(model: stand_in.FakeModel, tmp_path: Path) -> None:
    look = Colorizer(model).look(np.full((40, 60), 120, np.uint8))
    keep(tmp_path, look)
    rows, columns = looked(look).grid
    planes = np.frombuffer((tmp_path / "planes").read_bytes(), "<i2").reshape(rows, columns, 7) / PLANE_STEPS
    np.testing.assert_allclose(planes[..., :2], look.answer.ab, atol=0.01)
    np.testing.assert_allclose(planes[..., 6], 100 * confidence(look.answer.logits)[0, 0], atol=0.01)
    assert kept(tmp_path)[0].ab.shape == look.answer.ab.shape
