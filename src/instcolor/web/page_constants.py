"""The numbers that the page shares with Python: `python -m instcolor.web.page_constants` writes `static/constants.js`.

The page paints by itself while a slider moves, with the numbers that the server paints with at full size.
"""

from __future__ import annotations

import json
from pathlib import Path

from .. import colorspace, tuning, upsampling
from ..editing import previews
from . import schemas

PATH = Path(__file__).parent / "static" / "constants.js"


def script() -> str:
    """The module `constants.js`."""
    values = {
        "ANCHORS": len(tuning.ANCHORS),
        "TUNING": vars(tuning.Tuning()),
        "WARM": tuning.WARM,
        "PLANE_STEPS": previews.PLANE_STEPS,
        "EDGE_VARIANCE": upsampling.EDGE_VARIANCE,
        "RGB_FROM_XYZ": colorspace.RGB_FROM_XYZ,
        "WHITE": colorspace.WHITE,
        "EPSILON": colorspace.EPSILON,
        "KINK": colorspace.KINK,
        "GAMUT_TOLERANCE": colorspace.GAMUT_TOLERANCE,
        "MAX_STROKE_POINTS": schemas.MAX_STROKE_POINTS,
    }
    lines = (f"export const {name} = {json.dumps(value)};" for name, value in values.items())
    return "\n".join(["// Written by python -m instcolor.web.page_constants: the numbers that Python has.", *lines, ""])


if __name__ == "__main__":
    PATH.write_text(script(), encoding="utf-8")
