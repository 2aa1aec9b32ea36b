"""In-box fusion of siggraph17 against the published arithmetic, which pads every object to the whole canvas.

    python benchmarks/fusion.py [--objects 8] [--side 256] [--runs 3] [--threads 1]

Same random weights, same boxes, same run, fp32. Prints a Markdown table: CPU seconds (median of the runs; other work on
the machine hardly shows in them) of the networks, of the fusion (predictors, resizing, softmax, sum) and of both
together, and how far the results differ.
"""

from __future__ import annotations

import argparse
import copy
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from instcolor.inputs import Canvas, Inputs, Places, cell_box
from instcolor.networks.backbone import Blend
from instcolor.networks.siggraph17_fusion import InstColorization, instance_features

SIZE = (640, 480)  # of the photo that the boxes are measured in
BOXES = (  # eight people and things as a detector finds them, from 1 % to 40 % of the photo
    (40, 60, 300, 470),
    (260, 90, 420, 460),
    (400, 40, 630, 330),
    (120, 20, 220, 140),
    (450, 300, 560, 420),
    (330, 200, 400, 260),
    (10, 350, 130, 470),
    (560, 360, 630, 440),
)
SMALLEST_CROP = 64


class Clock:
    """Sums the seconds spent inside the functions that it wraps."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*arguments: Any) -> Any:
            start = time.process_time()
            result = function(*arguments)
            self.seconds += time.process_time() - start
            return result

        return timed


def padded_blend(network: InstColorization, features: dict[str, Tensor], boxes: Sequence[Sequence[float]]) -> Blend:
    """Fusion as published: every object on a canvas of its own, a softmax over all canvases, a sum of all."""

    def at_tap(name: str, feature: Tensor) -> Tensor:
        layer = network.fusion.layer(name)
        height, width = feature.shape[2:]
        weights = layer.simple_instance_conv(features[name])
        canvases: list[Tensor] = []
        logits: list[Tensor] = []
        cover = torch.zeros(1, 1, height, width)
        for i, shares in enumerate(boxes):
            box = cell_box(shares, (height, width))
            margins = (box.left, width - box.left - box.width, box.top, height - box.top - box.height)
            for source, target in ((features[name], canvases), (weights, logits)):
                resized = F.interpolate(source[i : i + 1], (box.height, box.width), mode="bilinear")
                target.append(F.pad(resized, margins))
            cover[..., box.top : box.top + box.height, box.left : box.left + box.width] = 1
        logits.append(layer.simple_bg_conv(feature) + 100_000 * (1 - cover))
        share = torch.cat(logits, 1).softmax(1)  # (1, N + 1, H, W)
        stack = torch.cat([*canvases, feature])  # (N + 1, C, H, W)
        return (share.transpose(0, 1) * stack).sum(0, keepdim=True)

    return at_tap


def padded(network: InstColorization, inputs: Inputs[Tensor]) -> tuple[Tensor, float, float]:
    """ab, seconds of all, seconds of the fusion."""
    clock, start = Clock(), time.process_time()
    features = instance_features(network.instance, *inputs.objects)
    ab = network.trunk.regression(*inputs.photo, clock(padded_blend(network, features, inputs.places.box.tolist())))
    return ab, time.process_time() - start, clock.seconds


def in_boxes(network: InstColorization, inputs: Inputs[Tensor]) -> tuple[Tensor, float, float]:
    """The same of this package's fusion."""
    clock, start = Clock(), time.process_time()
    features = instance_features(network.instance, *inputs.objects)
    merged = clock(network.fusion.merge)([(features, inputs.places)], grid_of(inputs))
    ab = network.trunk.regression(*inputs.photo, clock(network.fusion.blend(merged)))
    return ab, time.process_time() - start, clock.seconds


def small_crops(network: InstColorization, inputs: Inputs[Tensor]) -> tuple[Tensor, float, float]:
    """The same with crops about as large as the boxes on the photo's input; other results."""
    clock, start = Clock(), time.process_time()
    grid = grid_of(inputs)

    def batches() -> Iterator[tuple[dict[str, Tensor], Places[Tensor]]]:
        for i, box in enumerate(inputs.places.box.tolist()):
            cells = cell_box(box, (grid[0] // 8, grid[1] // 8))
            size = tuple(min(max(8 * side, SMALLEST_CROP), grid[0]) for side in (cells.height, cells.width))
            planes = [F.interpolate(plane[i : i + 1], size, mode="area") for plane in inputs.objects]
            places = Places(*(plane[i : i + 1] for plane in inputs.places))
            yield clock(instance_features)(network.instance, *planes), places

    merged = network.fusion.merge(batches(), grid)
    merging = time.process_time() - start - clock.seconds
    clock.seconds = 0
    ab = network.trunk.regression(*inputs.photo, clock(network.fusion.blend(merged)))
    return ab, time.process_time() - start, merging + clock.seconds


def grid_of(inputs: Inputs[Tensor]) -> tuple[int, int]:
    return inputs.photo.L.shape[2], inputs.photo.L.shape[3]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--objects", type=int, default=8, choices=range(1, len(BOXES) + 1), metavar="1..8")
    parser.add_argument("--side", type=int, default=256)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    n, side = arguments.objects, arguments.side
    torch.set_grad_enabled(False)
    torch.manual_seed(0)
    network = InstColorization().eval()
    for parameter in network.parameters():
        if parameter.ndim == 4:
            torch.nn.init.kaiming_normal_(parameter)
    as_published = copy.deepcopy(network).to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]

    def canvas(count: int) -> Canvas[Tensor]:
        L = 100 * torch.rand(count, 1, side, side)
        return Canvas(L, torch.zeros(count, 2, side, side), torch.zeros(count, 1, side, side))

    boxes = torch.tensor(BOXES[:n]) / torch.tensor([*SIZE, *SIZE])
    inputs = Inputs(canvas(1), canvas(n), Places(boxes, boxes, torch.zeros(n, 2), torch.ones(n, 1, 1, 1)))
    methods = (
        ("padded canvases", padded, as_published),
        ("in boxes", in_boxes, network),
        ("in boxes, crops of the boxes' size", small_crops, network),
    )
    runs = [[run(weights, inputs) for _, run, weights in methods] for _ in range(arguments.runs)]
    difference = max((run[0][0] - run[1][0]).abs().max().item() for run in runs)
    spread = (runs[0][0][0].max() - runs[0][0][0].min()).item()

    print(f"{n} objects at {side} x {side}, fp32, threads: {arguments.threads}")
    print("\n| | networks, CPU s | fusion, CPU s | together, CPU s | times faster: fusion | together |")
    print("|---|---|---|---|---|---|")
    slowest: list[float] = []
    for column, (title, _, _) in enumerate(methods):
        both = statistics.median(run[column][1] for run in runs)
        fusion = statistics.median(run[column][2] for run in runs)
        networks = statistics.median(run[column][1] - run[column][2] for run in runs)
        slowest = slowest or [fusion, both]
        faster = f"{slowest[0] / fusion:.2f} | {slowest[1] / both:.2f}"
        print(f"| {title} | {networks:.2f} | {fusion:.2f} | {both:.2f} | {faster} |")
    print(
        f"\nPadded and in boxes differ by {difference:.2g} Lab units at most, {difference / spread:.1g} of ab's range."
    )


if __name__ == "__main__":
    main()
