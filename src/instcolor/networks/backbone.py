"""What every color network offers: two outputs, and named taps at which its features may be replaced."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

from torch import Tensor

Blend = Callable[[str, Tensor], Tensor]


class Prediction(NamedTuple):
    """ab (N, 2, h, w) in Lab units (the regression) and logits (N, bins, h, w) over the in-gamut ab bins.

    Each on its own grid over the whole input: the network's `stride` and `logits_stride`.
    """

    ab: Tensor
    logits: Tensor


class Tap(NamedTuple):
    """A place in a network where fusion blends features (Su et al. 2020)."""

    name: str
    channels: int
    stride: int  # input pixels a cell


class Backbone(Protocol):
    """A color network that fusion can reach into.

    `forward` takes the fields of an `inputs.Canvas` and calls `blend(name, feature)` at every tap: what that gives
    takes the feature's place.
    """

    taps: tuple[Tap, ...]  # in the order in which `forward` passes them
    multiple: int  # sides of the input are multiples of it
    stride: int  # of ab
    logits_stride: int

    def forward(self, L: Tensor, hint_ab: Tensor, hint_mask: Tensor, blend: Blend | None = None) -> Prediction:
        """ab (N, 2, h, w) in Lab units and bin logits (N, 261, h', w') of lightness (N, 1, H, W) in 0..100.

        `hint_ab` is (N, 2, H, W) in Lab units, `hint_mask` (N, 1, H, W) of 0 and 1; H and W are multiples of
        `multiple`. `blend(name, feature)` gives what takes the feature's place at a tap, in its shape; None leaves all
        as they are.
        """
        ...

    def __call__(self, *args: Any, **kwargs: Any) -> Any: ...  # nn.Module's, which calls forward
