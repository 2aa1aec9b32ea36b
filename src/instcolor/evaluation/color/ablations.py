"""The paper's ablations (Su et al. 2020, section 5.2) as rows: where fusion happens, and with which boxes.

Fewer taps means that the trained fusion is asked at those alone; nothing is trained again.
"""

from __future__ import annotations

import zlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

import numpy as np
from torch import Tensor

from ...inputs import Places
from ...networks.backbone import Backbone, Blend
from ...networks.fusion import Fusion, InstanceTap
from ...objects import DetectedObject, select
from ...torch_models.model import TorchModel
from ...torch_models.paste import BoxPaste
from .methods import Method, chosen_objects
from .protocol import Case

SURE = 0.7  # the score from which the threshold row takes boxes, as in the paper's code
PASTE = "box paste"


class SomeTaps(Fusion):
    """A trained fusion that blends at some of its taps only; at the others the photo's features go on as they are."""

    def __init__(self, fusion: Fusion, names: Collection[str]) -> None:
        super().__init__(fusion.taps)
        self.load_state_dict(fusion.state_dict())
        self.names = frozenset(names)

    def blend(self, taps: Mapping[str, InstanceTap], places: Places[Tensor]) -> Blend:
        everywhere = super().blend(taps, places)
        return lambda name, feature: everywhere(name, feature) if name in self.names else feature


def encoder_taps(backbone: Backbone) -> tuple[str, ...]:
    """The taps on the way down: those up to the last at the largest stride."""
    coarsest = max(tap.stride for tap in backbone.taps)
    last = max(i for i, tap in enumerate(backbone.taps) if tap.stride == coarsest)
    return tuple(tap.name for tap in backbone.taps[: last + 1])


def box_paste(model: TorchModel, owner: str) -> Method:
    """The row that fusion has to beat."""
    return Method(PASTE, BoxPaste(model), chosen_objects, owner)


def ablations(model: TorchModel, owner: str) -> list[Method]:
    """The rows beside box paste, full image (which is fusion at no tap) and fused (at all taps)."""
    encoder = encoder_taps(model.full)
    decoder = [tap.name for tap in model.full.taps if tap.name not in encoder]
    return [
        Method("fused at encoder taps", _at_taps(model, encoder), chosen_objects, owner),
        Method("fused at decoder taps", _at_taps(model, decoder), chosen_objects, owner),
        Method("fused, 8 best boxes", model, best_boxes, owner),
        Method("fused, 8 random boxes", model, random_boxes, owner),
        Method(f"fused, boxes from score {SURE}", model, sure_boxes, owner),
    ]


def _at_taps(model: TorchModel, names: Collection[str]) -> TorchModel:
    fusion, sizes = SomeTaps(model.fusion, names), model.sizes
    return TorchModel(model.full, model.instance, fusion, side=sizes.side, instance_size=sizes.instance_size)


def best_boxes(case: Case) -> Sequence[DetectedObject]:
    """The best by score, whatever the score."""
    return select(case.candidates, case.source.size)


def random_boxes(case: Case) -> Sequence[DetectedObject]:
    """As many at random; the same ones in every run."""
    rng = np.random.default_rng(zlib.crc32(case.name.encode()))
    return select((replace(item, score=float(rng.random())) for item in case.candidates), case.source.size)


def sure_boxes(case: Case) -> Sequence[DetectedObject]:
    """All from a score on."""
    return select(case.candidates, case.source.size, limit=len(case.candidates), min_score=SURE)
