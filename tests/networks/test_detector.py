"""The detector's network: what it answers where, the weights it starts from, and the file it becomes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest

pytest.importorskip("torch")

import onnxruntime
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from typer.testing import CliRunner

from instcolor.cli import app
from instcolor.colorspace import L_to_gray, lab_to_linear, linear_to_srgb
from instcolor.detectors import load_detector
from instcolor.detectors.builtin import BuiltinDetector
from instcolor.errors import ModelError
from instcolor.networks.detector import BINS, CLASSES, STRIDES, Conv, Detector, boxes, cells
from instcolor.packaging.detector import export_detector
from instcolor.packaging.nanodet import DEVIATION, MEAN, load_nanodet
from support.places import SHARED

NANODET = SHARED / "weights" / "nanodet_plus_m_1.5x_416.onnx"


@pytest.fixture(scope="module")
def detector() -> Detector:
    """Random weights and statistics."""
    torch.manual_seed(3)
    network = Detector().eval()
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, Conv):
                module.norm.weight.uniform_(0.7, 1.5)
                module.norm.bias.normal_(0, 0.3)
                module.norm.get_buffer("running_mean").normal_(0, 0.2)
                module.norm.get_buffer("running_var").uniform_(0.5, 2)
            elif isinstance(module, nn.Conv2d) and module.bias is not None:  # the answers
                module.weight.normal_(0, 0.3)
                module.bias.normal_(0, 0.3)
    return network


@pytest.fixture(scope="module")
def weights(detector: Detector, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("detector") / "detector.safetensors"
    save_file({name: value.contiguous() for name, value in detector.state_dict().items()}, path)
    return path


@pytest.fixture(scope="module")
def exported(weights: Path) -> Path:
    return export_detector(weights, weights.with_name("whole.onnx"), half=False)


def lightness(height: int, width: int, seed: int = 0) -> Tensor:
    return torch.from_numpy(np.random.default_rng(seed).uniform(0, 100, (1, 1, height, width)).astype(np.float32))


def answered(path: Path, L: Tensor) -> np.ndarray:
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    assert [node.name for node in session.get_inputs()] == ["L"]
    (rows,) = session.run(["output"], {"L": L.numpy()})
    return np.asarray(rows)


@torch.no_grad()
def probabilities(detector: Detector, L: Tensor) -> np.ndarray:
    answer = detector(L)
    return torch.cat([answer[..., :CLASSES].sigmoid(), answer[..., CLASSES:]], -1).numpy()


@pytest.mark.parametrize("size", [(64, 64), (96, 160), (416, 416)])
def test_every_cell_has_a_row(detector: Detector, size: tuple[int, int]) -> None:
    places = cells(size)
    with torch.no_grad():
        assert detector(lightness(*size)).shape == (1, len(places), CLASSES + 4 * BINS)
    counts = [int((places[:, 2] == stride).sum()) for stride in STRIDES]
    assert counts == [-(-size[0] // s) * -(-size[1] // s) for s in STRIDES]


def test_cells_go_row_by_row_stride_after_stride() -> None:
    places = cells((64, 96)).tolist()
    assert places[:3] == [[0, 0, 8], [1, 0, 8], [2, 0, 8]]
    assert places[12] == [0, 1, 8]
    assert places[96] == [0, 0, 16]
    assert places[-2:] == [[0, 0, 64], [1, 0, 64]]


def test_distances_become_boxes() -> None:
    logits = torch.full((1, 4, BINS), -50.0)
    for edge, distance in enumerate((1, 0, 2, 7)):
        logits[0, edge, distance] = 50
    place = torch.tensor([[3.0, 2.0, 16.0]])
    assert boxes(logits.flatten(1), place).tolist() == [[32.0, 32.0, 80.0, 144.0]]
    logits[0, 0, 2] = 50  # half at 1, half at 2 strides
    assert boxes(logits.flatten(1), place)[0, 0].item() == pytest.approx(24.0)


def test_gray_is_that_of_the_lightness() -> None:
    L = np.linspace(0, 100, 501, dtype=np.float32)
    lab = np.stack([L, 0 * L, 0 * L], -1)
    expected = linear_to_srgb(lab_to_linear(lab)).mean(-1)
    np.testing.assert_allclose(L_to_gray(torch.from_numpy(L)).numpy(), expected, atol=2e-5)


def test_frozen_statistics_are_those_of_batch_norm() -> None:
    torch.manual_seed(0)
    layer = Conv(6, 6, 3, 2, groups=3)
    x = torch.randn(4, 6, 16, 16)
    for _ in range(3):
        layer(x)  # learns statistics
    layer.eval()
    expected = torch.nn.functional.leaky_relu(layer.norm(layer.conv(x)), 0.1)
    torch.testing.assert_close(layer(x), expected, atol=1e-5, rtol=1e-4)


def test_the_file_answers_as_the_network(detector: Detector, exported: Path) -> None:
    for size in ((64, 96), (160, 128)):
        L = lightness(*size)
        np.testing.assert_allclose(answered(exported, L), probabilities(detector, L), atol=1e-3)


def test_the_shipped_form_is_small_and_close(detector: Detector, weights: Path) -> None:
    path = export_detector(weights, weights.with_name("half.onnx"))
    assert path.stat().st_size < 6e6
    L = lightness(96, 96)
    off = np.abs(answered(path, L) - probabilities(detector, L))[..., :CLASSES]
    assert off.mean() < 2e-3
    assert not {node.op_type for node in onnx.load(str(path)).graph.node} & {"BatchNormalization", "Pad"}


def test_weights_are_found_in_a_graph_by_its_structure(detector: Detector, exported: Path) -> None:
    model = onnx.load(str(exported))
    names = {constant.name: f"x{i}" for i, constant in enumerate(reversed(model.graph.initializer))}
    for constant in model.graph.initializer:
        constant.name = names[constant.name]
    for node in model.graph.node:
        node.input[:] = [names.get(name, name) for name in node.input]
    renamed = exported.with_name("renamed.onnx")
    onnx.save(model, str(renamed))
    L = lightness(64, 128)
    np.testing.assert_allclose(probabilities(load_nanodet(renamed), L), probabilities(detector, L), atol=1e-3)


def test_files_that_are_no_nanodet_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="missing.onnx: cannot be read"):
        load_nanodet(tmp_path / "missing.onnx")
    (tmp_path / "text.onnx").write_text("no graph")
    with pytest.raises(ModelError, match="text.onnx: not weights in ONNX"):
        load_nanodet(tmp_path / "text.onnx")
    value = onnx.helper.make_tensor_value_info
    node = onnx.helper.make_node("Relu", ["x"], ["y"])
    sides = [1, 3, 8, 8]
    graph = onnx.helper.make_graph([node], "g", [value("x", 1, sides)], [value("y", 1, sides)])
    onnx.save(onnx.helper.make_model(graph), str(tmp_path / "other.onnx"))
    with pytest.raises(ModelError, match="other.onnx: not a NanoDet-Plus-m-1.5x"):
        load_nanodet(tmp_path / "other.onnx")


@pytest.mark.skipif(not NANODET.is_file(), reason="the weights of NanoDet-Plus are not here")
@pytest.mark.parametrize("size", [(128, 192), (320, 256)])
def test_starts_as_the_published_network_on_gray(size: tuple[int, int]) -> None:
    L = lightness(*size, seed=5)
    gray = 255 * L_to_gray(L)
    picture = torch.cat([(gray - mean) / deviation for mean, deviation in zip(MEAN, DEVIATION, strict=True)], 1)
    session = onnxruntime.InferenceSession(str(NANODET), providers=["CPUExecutionProvider"])
    expected = session.run(None, {session.get_inputs()[0].name: picture.numpy()})[0]
    np.testing.assert_allclose(probabilities(load_nanodet(NANODET), L), expected, atol=2e-4)


def test_the_command_writes_what_the_runtime_recognizes(weights: Path, tmp_path: Path) -> None:
    out = tmp_path / "mine.onnx"
    done = CliRunner().invoke(app, ["models", "export-detector", str(weights), str(out)])
    assert (done.exit_code, done.stdout.strip()) == (0, str(out))
    assert isinstance(load_detector(out), BuiltinDetector)
    failed = CliRunner().invoke(app, ["models", "export-detector", str(tmp_path / "none"), str(out)])
    assert failed.exit_code != 0
    assert "none: not readable weights" in failed.stderr
