"""What every color network offers: two outputs, and taps that see and replace its features. One test for all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from instcolor.bins import BIN_COUNT
from instcolor.networks.eccv16 import Eccv16
from instcolor.networks.fusion import record
from instcolor.networks.siggraph17 import Siggraph17
from support.random_networks import photo, random_lite


def seeded(network: Callable[[], nn.Module]) -> nn.Module:
    torch.manual_seed(0)
    return network().eval()


BACKBONES: dict[str, Callable[[], Any]] = {
    "lite": lambda: random_lite(0),
    "siggraph17": lambda: seeded(Siggraph17),
    "eccv16": lambda: seeded(Eccv16),
}
WITHOUT_HINTS = {"eccv16"}


@pytest.fixture(scope="module", params=BACKBONES)
def backbone(request: pytest.FixtureRequest) -> Any:
    network = BACKBONES[request.param]()
    network.takes_hints = request.param not in WITHOUT_HINTS
    return network


def both(prediction: Sequence[Tensor]) -> Tensor:
    """Both outputs as one vector, to compare."""
    return torch.cat([plane.flatten() for plane in prediction])


@pytest.mark.parametrize(("rows", "columns"), [(1, 1), (2, 1), (1, 3)])
@torch.no_grad()
def test_any_multiple_gives_both_outputs_at_the_declared_strides(backbone: Any, rows: int, columns: int) -> None:
    height, width = rows * backbone.multiple, columns * backbone.multiple
    ab, logits = backbone(*photo(2, height, width, seed=1))
    assert ab.shape == (2, 2, height // backbone.stride, width // backbone.stride)
    assert logits.shape == (2, BIN_COUNT, height // backbone.logits_stride, width // backbone.logits_stride)
    assert ab.isfinite().all()
    assert logits.isfinite().all()
    assert ab.std() > 0
    assert logits.std() > 0


@torch.no_grad()
def test_ab_stays_within_the_plane_whatever_the_lightness(backbone: Any) -> None:
    L, hint_ab, hint_mask = photo(1, 32, 32, seed=2)
    colors = backbone.model_out.weight if isinstance(backbone, Eccv16) else torch.ones(1)  # its colors are weights
    limit = 110 * colors.abs().max() + 1e-3
    for plane in (torch.zeros_like(L), torch.full_like(L, 100), 1e4 * (L - 50)):
        assert backbone(plane, hint_ab, hint_mask).ab.abs().max() <= limit


@torch.no_grad()
def test_photos_of_a_batch_do_not_meet(backbone: Any) -> None:
    planes = photo(2, 32, 32, seed=3)
    together = backbone(*planes)
    for i in range(2):
        alone = backbone(*(plane[i : i + 1] for plane in planes))
        torch.testing.assert_close(both([plane[i : i + 1] for plane in together]), both(alone), rtol=1e-4, atol=1e-3)


@torch.no_grad()
def test_taps_come_in_order_with_the_declared_channels_and_strides(backbone: Any) -> None:
    features: dict[str, Tensor] = {}
    backbone(*photo(2, 32, 64, seed=4), record(features))
    for (found, feature), (name, channels, stride) in zip(features.items(), backbone.taps, strict=True):
        assert found == name
        assert feature.shape == (2, channels, 32 // stride, 64 // stride)


@torch.no_grad()
def test_looking_at_the_taps_changes_nothing(backbone: Any) -> None:
    planes = photo(1, 32, 32, seed=5)
    assert torch.equal(both(backbone(*planes)), both(backbone(*planes, record({}))))


@torch.no_grad()
def test_what_a_tap_gives_is_what_goes_on(backbone: Any) -> None:
    planes = photo(1, 32, 32, seed=6)
    before = both(backbone(*planes))
    for chosen, _, _ in backbone.taps:
        later: dict[str, Tensor] = {}

        def blend(name: str, feature: Tensor, chosen: str = chosen, later: dict[str, Tensor] = later) -> Tensor:
            later[name] = feature
            return feature + 1 if name == chosen else feature

        assert not torch.equal(both(backbone(*planes, blend)), before), chosen
        assert len(later) == len(backbone.taps)


@torch.no_grad()
def test_hints_matter_where_the_network_takes_them(backbone: Any) -> None:
    L, hint_ab, hint_mask = photo(1, 32, 32, seed=7)
    blank = torch.zeros_like(hint_mask)
    without = both(backbone(L, 0 * hint_ab, blank))
    changed = (both(backbone(L, hint_ab, hint_mask)) - without).abs().max()
    if backbone.takes_hints:
        assert changed > 0.01
        other = both(backbone(L, -hint_ab, hint_mask)) - both(backbone(L, hint_ab, hint_mask))
        assert other.abs().max() > 0.01  # their color too, not their place alone
    else:
        assert changed == 0
    # Color where no hint is said to be is no hint.
    assert torch.equal(both(backbone(L, hint_ab, blank)), without)


def test_every_weight_learns(backbone: Any) -> None:
    try:
        ab, logits = backbone.train()(*photo(2, 64, 64, seed=8))
        (ab.square().mean() + logits.square().mean()).backward()
    finally:
        backbone.eval()
    for name, parameter in backbone.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
        assert parameter.grad.abs().max() > 0, name
    backbone.zero_grad(set_to_none=True)


def test_weights_load_into_another_one_strictly(backbone: Any) -> None:
    state = backbone.state_dict()
    other = type(backbone)()
    other.load_state_dict(state)
    state.pop(next(iter(state)))
    with pytest.raises(RuntimeError, match="Missing key"):
        other.load_state_dict(state)
