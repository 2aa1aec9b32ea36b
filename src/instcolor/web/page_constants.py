"""The numbers that the page shares with Python: `python -m instcolor.web.page_constants` writes them as modules.

The page paints by itself while a slider moves, with the numbers that the server paints with at full size; and where
there is no server (`alone`), it does all that Python does.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .. import bins, coco, coherence, colorspace, hints, inputs, objects, regions, styles, tuning, upsampling
from ..detectors import builtin, faces, masks, onnx_nanodet
from ..editing import previews, suggestions
from ..models import registry
from ..objects import crops, detected
from ..runtime import coverage
from . import alone, schemas, tasks

STATIC = Path(__file__).parent / "static"
PATH = STATIC / "constants.js"
ALONE = STATIC / "alone" / "numbers.js"


def script() -> str:
    """The module `constants.js`."""
    return _module(
        {
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
    )


def numbers() -> str:
    """The module `alone/numbers.js`: what the whole way of a photograph needs."""
    lite, detector, found = (registry.find(name) for name in (registry.DEFAULT, registry.DETECTOR, registry.FACES))
    return _module(
        {
            "PIXELS": alone.PIXELS,
            "XYZ_FROM_RGB": colorspace.XYZ_FROM_RGB,
            "DETECTOR": {
                "side": builtin.SIDE,
                "strides": onnx_nanodet.STRIDES,
                "classes": onnx_nanodet.CLASSES,
                "bins": onnx_nanodet.BINS,
                **{key: detector.network[key] for key in ("slope", "offset", "threshold")},
                "least": builtin.LEAST,
                "overlap": builtin.BuiltinDetector.overlap,
                "gap": builtin.REDUCING_GAP,
                "labels": coco.COCO_NAMES,
            },
            "FACES": {
                "side": faces.LONG_SIDE,
                "multiple": faces.MULTIPLE,
                "strides": faces.STRIDES,
                "threshold": found.network["threshold"],
                "overlap": faces.OVERLAP,
                "beside": faces.BESIDE,
                "above": faces.ABOVE,
                "below": faces.BELOW,
                "label": faces.LABEL,
            },
            "MASKS": {
                "side": masks.SIDE,
                "together": masks.TOGETHER,
                "surroundings": crops.SURROUNDINGS,
                "outside": crops.OUTSIDE,
            },
            "SELECT": {
                "limit": objects.LIMIT,
                "area": detected.MIN_AREA,
                "overlap": detected.MAX_IOU,
                "smallArea": detected.SMALL_AREA,
                "withSmall": detected.WITH_SMALL,
            },
            "INPUTS": {
                "side": lite.side,
                "square": lite.instance_size,
                "multiple": lite.multiple,
                "surroundings": inputs.SURROUNDINGS,
                "patch": hints.PATCH,
            },
            "COVERAGE": {
                "cells": coverage.CELLS,
                "sure": coverage.SURE,
                "unsure": coverage.UNSURE,
                "doubt": [coverage.DOUBT_FROM, coverage.DOUBT_TO],
            },
            "COHERENCE": {
                "share": coherence.SHARE,
                "regions": coherence.REGIONS,
                "rounds": coherence.ROUNDS,
                "lightness": coherence.LIGHTNESS,
                "color": coherence.COLOR,
                "position": coherence.POSITION,
                "object": coherence.OBJECT,
            },
            "STYLES": [vars(style) for style in styles.STYLES.values()],
            "BINS": bins.BIN_CENTERS.astype(int).tolist(),
            "SUGGEST": {
                "count": suggestions.COUNT,
                "apart": suggestions.APART,
                "spread": suggestions.SPREAD,
                "faintest": suggestions.FAINTEST_CELL,
                "middle": suggestions.OBJECT_SHARE,
                "points": suggestions.OBJECT_POINTS,
            },
            "REGIONS": {
                "side": regions.SIDE,
                "share": regions.SHARE,
                "sure": regions.SURE,
                "doubted": regions.DOUBTED,
                "maskCells": regions.MASK_CELLS,
                "spotSide": regions.SPOT_SIDE,
                "near": regions.NEAR,
                "far": regions.FAR,
                "step": regions.STEP,
                "noise": regions.NOISE,
                "within": regions.WITHIN,
            },
            "SAME_OBJECT": tasks.SAME_OBJECT,
            "PREVIEW": previews.PREVIEW,
        }
    )


def _module(values: Mapping[str, Any]) -> str:
    lines = (f"export const {name} = {json.dumps(value)};" for name, value in values.items())
    return "\n".join(["// Written by python -m instcolor.web.page_constants: the numbers that Python has.", *lines, ""])


if __name__ == "__main__":
    PATH.write_text(script(), encoding="utf-8")
    ALONE.write_text(numbers(), encoding="utf-8")
