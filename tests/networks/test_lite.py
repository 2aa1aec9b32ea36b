"""The `lite` network: budget, encoder, hints. What it shares with the other networks is in test_backbones.py."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from instcolor.networks.lite import DropPath, Encoder, Lite, SameConv
from support.places import SHARED
from support.random_networks import photo, random_lite

IMAGENET = SHARED / "weights" / "efficientnet_lite2_imagenet.safetensors"


def imagenet_state(seed: int = 0) -> dict[str, Tensor]:
    """Random weights under the names of timm's `tf_efficientnet_lite2`: three-color stem, head and classifier."""
    torch.manual_seed(seed)
    state = {k: v for k, v in Encoder().state_dict().items() if not k.endswith("num_batches_tracked")}
    state["conv_stem.weight"] = torch.randn(32, 3, 3, 3)
    extra = {"conv_head.weight": torch.randn(8, 352, 1, 1), "bn2.weight": torch.randn(8)}
    return {k: v.half() for k, v in state.items()} | extra | {"classifier.bias": torch.randn(8)}


# Budget


def test_parameters_and_operations_stay_within_the_budget() -> None:
    network = Lite().eval()
    assert sum(p.numel() for p in network.parameters()) <= 9_000_000
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network(*photo(1, 256, 256, seed=0))
    assert counter.get_total_flops() <= 5e9  # a multiply and an add are two


# Start of a training


@torch.no_grad()
def test_untrained_network_ignores_hints_and_answers_almost_gray() -> None:
    torch.manual_seed(0)
    network = Lite().eval()
    L, hint_ab, hint_mask = photo(1, 64, 64, seed=1)
    hinted = network(L, hint_ab, hint_mask)
    plain = network(L, 0 * hint_ab, 0 * hint_mask)
    assert torch.equal(hinted.ab, plain.ab)
    assert torch.equal(hinted.logits, plain.logits)
    assert plain.ab.abs().max() < 5


def test_dropped_paths_keep_the_mean_and_are_dropped_in_training_alone() -> None:
    torch.manual_seed(0)
    drop, x = DropPath(), torch.ones(4000, 2, 1, 1)
    drop.rate = 0.25
    dropped = drop(x)
    assert set(dropped.unique().tolist()) == {0.0, torch.tensor(1 / 0.75).item()}
    assert (dropped[:, 0] == dropped[:, 1]).all()  # the whole branch of a sample
    assert dropped.mean().item() == pytest.approx(1, abs=0.05)
    assert torch.equal(drop.eval()(x), x)


# SAME padding


def same_convolution(x: np.ndarray, weight: np.ndarray, stride: int) -> np.ndarray:
    """TensorFlow's SAME rule, written out for one plane (h, w) and one kernel (k, k)."""
    kernel = len(weight)
    sizes = [-(-side // stride) for side in x.shape]
    totals = [max((n - 1) * stride + kernel - side, 0) for n, side in zip(sizes, x.shape, strict=True)]
    padded = np.pad(x, [(total // 2, total - total // 2) for total in totals])
    result = np.zeros(sizes)
    for i, j in np.ndindex(*sizes):
        window = padded[i * stride : i * stride + kernel, j * stride : j * stride + kernel]
        result[i, j] = (window * weight).sum()
    return result


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("kernel", [3, 5])
@torch.no_grad()
def test_padding_is_tensorflows_same(kernel: int, stride: int) -> None:
    torch.manual_seed(kernel + stride)
    conv = SameConv(2, 2, kernel, stride, groups=2)
    x = torch.randn(1, 2, 8, 12)
    for channel in range(2):
        expected = same_convolution(x[0, channel].double().numpy(), conv.weight[channel, 0].double().numpy(), stride)
        np.testing.assert_allclose(conv(x)[0, channel].numpy(), expected, atol=1e-5)


# Encoder


def test_imagenet_weights_load_with_one_gray_plane_for_three_colors() -> None:
    state = imagenet_state()
    encoder = Encoder()
    encoder.load_imagenet(state)
    own = encoder.state_dict()
    assert all(torch.equal(own[k], v.float()) for k, v in state.items() if k in own and k != "conv_stem.weight")
    L = 100 * torch.rand(1, 1, 32, 32)
    gray = ((L / 100 - 0.5) / 0.5).expand(1, 3, 32, 32)
    expected = F.conv2d(F.pad(gray, (0, 1, 0, 1)), state["conv_stem.weight"].float(), stride=2)
    torch.testing.assert_close(encoder.conv_stem(L / 50 - 1), expected, atol=1e-4, rtol=0)
    colored = Encoder(planes=3)
    colored.load_imagenet(state)
    assert torch.equal(colored.conv_stem.weight, state["conv_stem.weight"].float())


@pytest.mark.parametrize("lacking", ["conv_stem.weight", "blocks.3.2.conv_dw.weight", "bn1.running_mean"])
def test_imagenet_weights_that_lack_one_are_refused(lacking: str) -> None:
    state = imagenet_state()
    del state[lacking]
    with pytest.raises(ValueError, match=lacking):
        Encoder().load_imagenet(state)


def test_weights_with_one_too_many_are_refused() -> None:
    with pytest.raises(ValueError, match="blocks.7.0.se.weight"):
        Encoder().load_imagenet(imagenet_state() | {"blocks.7.0.se.weight": torch.zeros(1)})


@pytest.mark.skipif(not IMAGENET.is_file(), reason="needs the ImageNet encoder, which is not in the repository")
@torch.no_grad()
def test_gray_photo_through_one_plane_equals_three_equal_colors() -> None:
    from safetensors.torch import load_file

    encoder, colored = Encoder().eval(), Encoder(planes=3).eval()
    for each in (encoder, colored):
        each.load_imagenet(load_file(IMAGENET))
    L = 50 + 25 * F.interpolate(torch.randn(1, 1, 8, 8, generator=torch.Generator().manual_seed(0)), (64, 96))
    L = L.clamp(0, 100)
    one, three = encoder.stem(L), colored.stem(L.expand(1, 3, 64, 96))
    for index in range(4):
        one, three = encoder.group(index, one), colored.group(index, three)
        assert one.shape == (1, encoder.channels[index], 64 >> index + 2, 96 >> index + 2)
        torch.testing.assert_close(one, three, atol=1e-3, rtol=0)
        assert three.std() > 0.1


# Hints


@pytest.fixture(scope="module")
def network() -> Lite:
    return random_lite(3)


def point(y: int, x: int, ab: tuple[float, float], side: int = 256) -> tuple[Tensor, Tensor]:
    hint_ab, mask = torch.zeros(1, 2, side, side), torch.zeros(1, 1, side, side)
    hint_ab[0, :, y, x] = torch.tensor(ab)
    mask[0, 0, y, x] = 1
    return hint_ab, mask


@torch.no_grad()
def test_features_of_a_hint_reach_the_next_cell_and_no_further(network: Lite) -> None:
    hints = network.hints8
    away = hints(*point(0, 0, (0, 0), side=64)) - hints(*(0 * plane for plane in point(0, 0, (0, 0), side=64)))
    assert away[0, :, 0, 0].abs().max() > 0  # a gray hint is a hint
    changed = hints(*point(33, 26, (40, 20), side=64)) - hints(*(0 * plane for plane in point(0, 0, (0, 0), side=64)))
    cells = changed.abs().amax(1)[0] > 0
    assert cells[4, 3]
    rows, columns = cells.nonzero(as_tuple=True)
    assert rows.min() >= 3
    assert rows.max() <= 5
    assert columns.min() >= 2
    assert columns.max() <= 4


@torch.no_grad()
def test_hints_of_a_cell_count_as_their_mean(network: Lite) -> None:
    hints = network.hints4
    hint_ab, mask = torch.zeros(1, 2, 16, 16), torch.zeros(1, 1, 16, 16)
    hint_ab[..., 4, 4], hint_ab[..., 7, 6] = 10.0, 30.0
    mask[..., 4, 4] = mask[..., 7, 6] = 1
    mean, one = torch.zeros_like(hint_ab), torch.zeros_like(mask)
    mean[..., 5, 5], one[..., 5, 5] = 20.0, 1
    torch.testing.assert_close(hints(hint_ab, mask), hints(mean, one), atol=1e-4, rtol=0)


@torch.no_grad()
def test_a_hint_changes_its_surroundings_most(network: Lite) -> None:
    L = photo(1, 256, 256, seed=4)[0]
    none = torch.zeros(1, 2, 256, 256), torch.zeros(1, 1, 256, 256)
    before: Any = network(L, *none)
    after: Any = network(L, *point(40, 200, (60, 30)))
    change = (after.ab - before.ab).abs().mean(1)[0]  # (64, 64)
    near = change[9:12, 49:52].mean()
    assert near > 0.1
    assert near > 3 * change[32:].mean()
    assert near > 3 * change[:, :32].mean()


@torch.no_grad()
def test_autocast_keeps_the_result_near(network: Lite) -> None:
    planes = photo(1, 64, 64, seed=5)
    exact = network(*planes)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        rough = network(*planes)
    assert (rough.ab.float() - exact.ab).abs().mean() < 0.1 * exact.ab.abs().mean() + 1
