"""The nodes, in ComfyUI's V3 schema. Nothing is loaded or computed on import; the networks are loaded by the first use.

IMAGE is (B, H, W, 3) float32 sRGB in 0..1, MASK is (B, H, W) in 0..1, both torch tensors.
"""

from __future__ import annotations

import json
from typing import Any

from comfy_api.latest import ComfyExtension, io

CATEGORY = "instcolor"
Model = io.Custom("INSTCOLOR_MODEL")
STYLES = ["natural", "faithful", "vivid"]
HINTS = '[{"point": [120, 80], "color": "#2040c0"}]'


class LoadColorizer(io.ComfyNode):
    """A colorizer by the name that `instcolor models` lists."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="InstcolorLoad",
            display_name="Load instcolor",
            category=CATEGORY,
            inputs=[
                io.String.Input("model", default="lite", tooltip="A name that `instcolor models` lists"),
                io.String.Input("detector", default="builtin", tooltip="builtin, none, an ONNX file or a name"),
                io.Int.Input("limit", default=8, min=0, max=100, tooltip="Objects colored by themselves at most"),
            ],
            outputs=[Model.Output(display_name="colorizer")],
        )

    @classmethod
    def execute(cls, model: str, detector: str, limit: int) -> io.NodeOutput:
        from instcolor import Colorizer

        return io.NodeOutput(Colorizer(model, detector=detector, limit=limit).load())


class DetectObjects(io.ComfyNode):
    """The objects of the first image: a mask of each, and what they are."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="InstcolorDetect",
            display_name="Detect objects (instcolor)",
            category=CATEGORY,
            inputs=[Model.Input("colorizer"), io.Image.Input("image")],
            outputs=[io.Mask.Output(display_name="objects"), io.String.Output(display_name="found")],
        )

    @classmethod
    def execute(cls, colorizer: Any, image: Any) -> io.NodeOutput:
        import numpy as np
        import torch

        photo = pixels(image)[0]
        height, width = photo.shape[:2]
        found = colorizer.detect(photo)
        masks = np.zeros((max(1, len(found)), height, width), np.float32)
        for plane, thing in zip(masks, found, strict=False):
            plane[:] = coverage(thing, (height, width))
        told = [{"label": thing.label, "score": thing.score, "box": list(thing.box)} for thing in found]
        return io.NodeOutput(torch.from_numpy(masks), json.dumps(told))


class Colorize(io.ComfyNode):
    """Images in color. Masks, where given, are the objects; without them the colorizer's detector finds some."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="InstcolorColorize",
            display_name="Colorize (instcolor)",
            category=CATEGORY,
            inputs=[
                Model.Input("colorizer"),
                io.Image.Input("image"),
                io.Mask.Input("objects", optional=True, tooltip="One mask an object, of every image alike"),
                io.Combo.Input("style", options=STYLES, default="natural"),
                io.Float.Input("saturation", default=1.0, min=0.0, max=3.0, step=0.05),
                io.Float.Input("strength", default=1.0, min=0.0, max=1.0, step=0.05),
                io.String.Input("hints", default="", multiline=True, tooltip=f"Colors that are known: {HINTS}"),
            ],
            outputs=[io.Image.Output(display_name="image")],
        )

    @classmethod
    def execute(
        cls,
        colorizer: Any,
        image: Any,
        style: str,
        saturation: float,
        strength: float,
        hints: str = "",
        objects: Any = None,
    ) -> io.NodeOutput:
        import numpy as np
        import torch

        things = None if objects is None else [thing for mask in objects.cpu().numpy() for thing in object_of(mask)]
        wanted = {"objects": things, "hints": read_hints(hints), "style": style}
        photos = [
            colorizer.colorize(photo, saturation=saturation, strength=strength, **wanted).rgb()
            for photo in pixels(image)
        ]
        return io.NodeOutput(torch.from_numpy(np.stack(photos).astype(np.float32) / 255))


def pixels(image: Any) -> Any:
    """IMAGE as (B, H, W, 3) uint8."""
    import numpy as np

    return np.rint(image.cpu().numpy().clip(0, 1) * 255).astype(np.uint8)


def coverage(thing: Any, size: tuple[int, int]) -> Any:
    """How far each pixel of a photo of `size` (height, width) is an object's; its box where it has no mask."""
    import numpy as np

    plane = np.zeros(size, np.float32)
    x0, y0, x1, y1 = (round(edge) for edge in thing.box)
    inside = plane[y0:y1, x0:x1]
    inside[:] = 1 if thing.mask is None else thing.mask.coverage((x0, y0, x1, y1), inside.shape)
    return plane


def object_of(mask: Any) -> list[Any]:
    """A mask (H, W) as an object; none where it is empty."""
    import numpy as np

    from instcolor import DetectedObject
    from instcolor.objects import Mask

    rows, columns = np.nonzero(mask > 0.5)
    if not len(rows):
        return []
    box = (float(columns.min()), float(rows.min()), float(columns.max() + 1), float(rows.max() + 1))
    x0, y0, x1, y1 = map(int, box)
    return [DetectedObject(box, "object", 1.0, mask=Mask(box, mask[y0:y1, x0:x1].astype(np.float32)))]


def read_hints(text: str) -> Any:
    """Points with a known color, from JSON. Raises ValueError with a sentence where it is not such a list."""
    import numpy as np

    from instcolor import Hints
    from instcolor.colorspace import srgb_to_lab

    if not text.strip():
        return None
    try:
        given = json.loads(text)
        points = []
        for hint in given:
            rgb = np.array(list(bytes.fromhex(hint["color"].lstrip("#"))), np.float32) / 255
            points.append([*map(float, hint["point"]), *np.asarray(srgb_to_lab(rgb[None, None]))[0, 0, 1:]])
        return Hints(np.array(points, np.float32).reshape(-1, 4))
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise ValueError(f"hints are not a list like {HINTS} ({error})") from None


class InstcolorExtension(ComfyExtension):
    """What this pack brings."""

    async def get_node_list(self) -> list[type[io.ComfyNode]]:
        return [LoadColorizer, DetectObjects, Colorize]


async def comfy_entrypoint() -> InstcolorExtension:
    """What ComfyUI calls."""
    return InstcolorExtension()
