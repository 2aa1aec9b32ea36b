"""Times the color work on a whole photo beside the usual ways, in one run, and prints a Markdown table.

    python benchmarks/image_path.py [--megapixels 12] [--repeats 7]

Every row is timed in turn with its yardstick, so that both meet the same machine load. "Out of gamut" is the share
of pixels whose chroma has to be reduced: the conversion's time depends on it.
"""

from __future__ import annotations

import argparse
import math
import statistics
import time
import warnings
from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from skimage.color import lab2rgb, rgb2lab

from instcolor.colorspace import lab_to_linear, lab_to_srgb8, srgb8_to_L
from instcolor.cores import core_count
from instcolor.upsampling import resize_plane, upsample_ab

Plane = NDArray[np.float32]
Work = Callable[[], object]


def photo(megapixels: float) -> tuple[Plane, Plane]:
    """L* (h, w) with grain and edges, and ab (64, 64, 2) that changes slowly, of a 4:3 photo."""
    random = np.random.default_rng(0)
    height = round(math.sqrt(megapixels * 1e6 * 3 / 4))
    width = round(height * 4 / 3)
    blocks = Image.fromarray(random.uniform(5, 92, (12, 16)).astype(np.float32))
    L = np.asarray(blocks.resize((width, height), Image.Resampling.NEAREST)) + random.normal(0, 2, (height, width))
    ab = Image.fromarray(random.uniform(-1, 1, (6, 6)).astype(np.float32)).resize((64, 64), Image.Resampling.BICUBIC)
    plane = np.asarray(ab)
    return L.clip(0, 100).astype(np.float32), np.stack([plane, plane[::-1]], axis=-1)


def pillow_bilinear(ab: Plane, shape: tuple[int, ...]) -> Plane:
    planes = [Image.fromarray(np.ascontiguousarray(ab[..., i])) for i in range(2)]
    return np.stack([np.asarray(p.resize((shape[1], shape[0]), Image.Resampling.BILINEAR)) for p in planes], axis=-1)


def pillow_reduced(L: Plane) -> Plane:
    return np.asarray(Image.fromarray(L).resize((256, 256), Image.Resampling.BILINEAR))


def skimage_srgb8(L: Plane, ab: Plane) -> NDArray[np.uint8]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it tells of the colors that it clips
        rgb: Plane = lab2rgb(np.dstack([L, ab]))
    return np.rint(rgb * 255).astype(np.uint8)


def out_of_gamut(L: Plane, ab: Plane) -> float:
    linear = lab_to_linear(np.dstack([L, ab])[::7, ::7])
    return float(((linear.min(-1) < -1e-4) | (linear.max(-1) > 1 + 1e-4)).mean())


def seconds(work: Work) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def row(name: str, ours: Work, yardstick: str, theirs: Work, repeats: int) -> str:
    """One line of the table: both timed in turn; the ratio is that of the medians."""
    pairs = [(seconds(ours), seconds(theirs)) for _ in range(repeats)]
    us, them = zip(*pairs, strict=True)
    ratio = statistics.median(them) / statistics.median(us)
    cells = [f"{min(side):.3f} / {statistics.median(side):.3f}" for side in (us, them)]
    return f"| {name} | {cells[0]} | {yardstick} | {cells[1]} | {ratio:.2f} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--megapixels", type=float, default=12)
    parser.add_argument("--repeats", type=int, default=7)
    options = parser.parse_args()
    L, small_ab = photo(options.megapixels)
    size = f"{L.size / 1e6:.1f} megapixels ({L.shape[1]} x {L.shape[0]})"
    print(f"{size}, {core_count()} cores, {options.repeats} repeats\n")
    print("| work | seconds, least / median | yardstick | seconds | times as fast |")
    print("|---|---|---|---|---|")
    for chroma in (10, 25, 60):
        ab = upsample_ab(small_ab * chroma, L)
        name = f"Lab to 8-bit sRGB, {out_of_gamut(L, ab):.0%} out of gamut"
        theirs = partial(skimage_srgb8, L, ab)
        print(row(name, partial(lab_to_srgb8, L, ab), "scikit-image lab2rgb", theirs, options.repeats), flush=True)
    rgb = lab_to_srgb8(L, ab)
    print(
        row(
            "8-bit sRGB to L*", partial(srgb8_to_L, rgb), "scikit-image rgb2lab", partial(rgb2lab, rgb), options.repeats
        )
    )
    guided, bilinear = partial(upsample_ab, small_ab, L), partial(pillow_bilinear, small_ab, L.shape)
    print(row("ab to full size, guided", guided, "Pillow bilinear", bilinear, options.repeats))
    reduced, whole = partial(resize_plane, L, (256, 256)), partial(pillow_reduced, L)
    print(row("L* to 256 x 256, in bands", reduced, "Pillow, whole plane", whole, options.repeats))


if __name__ == "__main__":
    main()
