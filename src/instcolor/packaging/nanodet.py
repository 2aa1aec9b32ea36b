"""The weights of a published NanoDet-Plus-m-1.5x (ONNX, BatchNorm folded in) as weights of `Detector`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from ..errors import ModelError
from ..networks.detector import Conv, Detector

MEAN, DEVIATION = (103.53, 116.28, 123.675), (57.375, 57.12, 58.395)  # of blue, green and red, 0..255


def load_nanodet(path: str | Path) -> Detector:
    """A `Detector` that answers to lightness what the network in an ONNX file answers to a gray picture of it.

    Its BatchNorms change nothing but add the file's biases. Raises ModelError where the file is missing, damaged, or
    another network's.
    """
    detector = Detector().eval()
    layers, given = _in_order_of_use(detector), _convolutions(Path(path))
    if given and given[0][0].shape[1] == len(MEAN):
        given[0] = (_of_gray(given[0][0]), given[0][1])
    if [_weight(layer).shape for layer in layers] != [weight.shape for weight, _ in given]:
        raise ModelError(f"{path}: not a NanoDet-Plus-m-1.5x")
    with torch.no_grad():
        for layer, (weight, bias) in zip(layers, given, strict=True):
            _weight(layer).copy_(weight)
            if isinstance(layer, Conv):
                layer.norm.weight.fill_((1 + layer.norm.eps) ** 0.5)
                layer.norm.bias.copy_(bias)
            elif layer.bias is not None:
                layer.bias.copy_(bias)
    return detector


def _of_gray(weight: Tensor) -> Tensor:
    """The first convolution's (c, 3, k, k) on normalized BGR as (c, 2, k, k) on gray in -1..1 and a plane of ones."""
    scale, mean = (torch.tensor(values).view(1, 3, 1, 1) for values in (DEVIATION, MEAN))
    gray = (weight * 127.5 / scale).sum(1)
    ones = (weight * (127.5 - mean) / scale).sum(1)
    return torch.stack([gray, ones], 1)


def _weight(layer: Conv | nn.Conv2d) -> Tensor:
    return layer.conv.weight if isinstance(layer, Conv) else layer.weight


def _in_order_of_use(detector: Detector) -> list[Conv | nn.Conv2d]:
    """The layers with weights, as they come when the network answers."""
    used: list[Conv | nn.Conv2d] = []
    answers = [head[-1] for head in detector.heads]  # type: ignore[index]
    layers = [*(m for m in detector.modules() if isinstance(m, Conv)), *answers]
    hooks = [layer.register_forward_hook(lambda module, *_: used.append(module)) for layer in layers]
    with torch.no_grad():
        detector(torch.zeros(1, 1, detector.multiple, detector.multiple))
    for hook in hooks:
        hook.remove()
    return used


def _convolutions(path: Path) -> list[tuple[Tensor, Tensor]]:
    """Weight and bias of every convolution of a graph, in the order in which its first output comes to need them.

    That is the order in which `Detector` computes: it follows from the structure, not from names or the file's order.
    """
    import onnx

    try:
        graph = onnx.load(str(path)).graph
        constants = {c.name: onnx.numpy_helper.to_array(c) for c in graph.initializer}
        makers = {name: i for i, node in enumerate(graph.node) for name in node.output}
        order: dict[int, None] = {}
        waiting = [(graph.output[0].name, False)]
        while waiting:
            name, inputs_done = waiting.pop()
            if (place := makers.get(name)) is None or place in order:
                continue
            if inputs_done:
                order[place] = None
            else:
                waiting += [(name, True), *((needed, False) for needed in reversed(graph.node[place].input))]
        convs = [graph.node[i] for i in order if graph.node[i].op_type == "Conv"]
        pairs = [[torch.from_numpy(constants[name].astype(np.float32)) for name in conv.input[1:3]] for conv in convs]
    except OSError as error:
        raise ModelError(f"{path}: cannot be read ({error.strerror})") from None
    except Exception as error:  # protobuf raises its own, a strange graph KeyError and more
        raise ModelError(f"{path}: not weights in ONNX ({' '.join(str(error).split())[:120]})") from None
    return [(weight, bias) for weight, bias in pairs]
