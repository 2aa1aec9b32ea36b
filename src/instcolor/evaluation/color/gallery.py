"""A page of results to look at: one HTML file with its pictures inside, which loads nothing from anywhere."""

from __future__ import annotations

import base64
import html
import io
import json
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .measure import Result
from .methods import FULL, GRAY
from .protocol import Case
from .run import Evaluation
from .scores import PictureScore

LONGEST = 512  # pixels of a picture in the page
QUALITY = 85
LABELS = {  # metric -> what it is called, and whether more is better
    "over_gray": ("PSNR over gray, dB", True),
    "over_full": ("PSNR over full image, dB", True),
    "psnr": ("PSNR, dB", True),
    "ssim": ("SSIM", True),
    "delta_e2000": ("dE2000", False),
    "lpips": ("LPIPS", False),
    "spread": ("spread", False),
    "colorfulness": ("colorfulness", True),
}


@dataclass(frozen=True)
class Choice:
    """The row that the gallery shows as ours, and the photos with its metrics, by photo name."""

    model: str
    method: str
    style: str
    metrics: dict[str, dict[str, float]]


def choose(evaluation: Evaluation, method: str, style: str, model: str = "", count: int = 8) -> Choice:
    """The `count` worst and best photos by each metric of a row. KeyError where the evaluation has no such row."""
    by_key: dict[tuple[str, str, str], dict[str, PictureScore]] = {}
    for score in evaluation.pictures:
        by_key.setdefault((score.model, score.method, score.style), {})[score.photo] = score
    own = by_key[model, method, style]
    bases = {"over_gray": by_key.get(("", GRAY, ""), {})}
    if method != FULL:
        bases["over_full"] = by_key.get((model, FULL, style), {})
    metrics = {}
    for photo, score in own.items():
        values = {name: getattr(score, name) for name in LABELS if hasattr(score, name)}
        values |= {name: score.psnr - base[photo].psnr for name, base in bases.items() if photo in base}
        metrics[photo] = {name: value for name, value in values.items() if np.isfinite(value)}
    shown: set[str] = set()
    for name in LABELS:
        ranked = sorted((photo for photo in metrics if name in metrics[photo]), key=lambda p: metrics[p][name])
        shown |= {*ranked[:count], *ranked[-count:]}
    return Choice(model, method, style, {photo: values for photo, values in metrics.items() if photo in shown})


def page(evaluation: Evaluation, choice: Choice, results: Iterable[Result]) -> str:
    """The HTML of the chosen photos; `results` holds them in gray, by the full image alone and by the chosen row."""
    pictures: dict[str, dict[str, NDArray[np.uint8]]] = {}
    cases: dict[str, Case] = {}
    for result in results:
        pictures.setdefault(result.case.name, {})[result.picture.method] = result.rgb
        cases[result.case.name] = result.case
    cards = [_card(cases[name], shown, choice) for name, shown in pictures.items()]
    metrics = [name for name in LABELS if any(name in values for values in choice.metrics.values())]
    template = files(__package__).joinpath("gallery.html").read_text(encoding="utf-8")
    filled = {
        "TITLE": html.escape(f"{choice.model} {choice.method}, {choice.style}".strip()),
        "PROTOCOL": "".join(f"<li>{html.escape(line)}</li>" for line in evaluation.protocol.lines()),
        "METRICS": "".join(f'<option value="{name}">{html.escape(LABELS[name][0])}</option>' for name in metrics),
        "MORE_IS_BETTER": json.dumps({name: LABELS[name][1] for name in metrics}),
        "CARDS": "\n".join(cards),
    }
    for name, text in filled.items():
        template = template.replace(f"<!--{name}-->", text).replace(f"/*{name}*/", text)
    return template


def _card(case: Case, pictures: dict[str, NDArray[np.uint8]], choice: Choice) -> str:
    values = choice.metrics[case.name]
    height, width = case.truth.shape[:2]
    strip = [("gray", _image(pictures[GRAY], "gray")), ("ours", _image(pictures[choice.method], "ours"))]
    if choice.method != FULL and FULL in pictures:
        strip.append(("full image only", _image(pictures[FULL], "full image only")))
    came = "truth" if case.known else "as it came"
    strip.append((came, _image(case.truth, came) + _boxes(case)))
    figures = "".join(f"<figure><div>{shown}</div><figcaption>{name}</figcaption></figure>" for name, shown in strip)
    told = ", ".join(f"{html.escape(LABELS[name][0])}: {values[name]:.2f}" for name in LABELS if name in values)
    data = html.escape(json.dumps(values), quote=True)
    return (
        f'<article data-metrics="{data}"><h2>{html.escape(case.name)}</h2><p>{told}</p>'
        f'<div class="strip">{figures}</div><div class="slider" style="aspect-ratio:{width}/{height}">'
        '<img alt="gray"><div class="over"><img alt="ours"></div>'  # the page's script copies them from the strip
        '<input type="range" min="0" max="100" value="50" aria-label="gray to color"></div></article>'
    )


def _boxes(case: Case) -> str:
    """The measured objects as an SVG over the truth."""
    width, height = case.source.size
    parts = []
    for item in case.objects:
        x0, y0, x1, y1 = item.box
        text = html.escape(f"{item.label} {item.score:.2f}")
        parts.append(
            f'<rect x="{x0:.1f}" y="{y0:.1f}" width="{x1 - x0:.1f}" height="{y1 - y0:.1f}"><title>{text}</title></rect>'
        )
    return f'<svg viewBox="0 0 {width} {height}" preserveAspectRatio="none">{"".join(parts)}</svg>'


def _image(rgb: NDArray[np.uint8], name: str) -> str:
    image = Image.fromarray(rgb)
    image.thumbnail((LONGEST, LONGEST), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    image.save(buffer, "WEBP", quality=QUALITY)
    data = base64.b64encode(buffer.getvalue()).decode("ascii")
    return f'<img alt="{name}" src="data:image/webp;base64,{data}">'
