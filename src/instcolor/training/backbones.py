"""Backbones in training: what the stages must know of a color network besides its `forward`.

`BACKBONES` is where another one is added; other packages register theirs as entry points of the group
`instcolor.backbones`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Set
from dataclasses import dataclass
from typing import ClassVar, Protocol, cast

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from ..errors import InstcolorError, ModelError
from ..inputs import Inputs
from ..networks.backbone import Backbone, Prediction
from ..networks.fusion import Fusion, predict
from ..networks.lite import DropPath, Encoder, Lite
from ..networks.siggraph17 import Siggraph17
from ..networks.siggraph17_fusion import Siggraph17Fusion, instance_features
from ..torch_models.weights import load_weights
from .registry import find
from .settings import some
from .teacher import ColorTeacher

ENTRY_POINTS = "instcolor.backbones"


class TrainedFusion(Protocol):
    """The third stage of a backbone: `network` is what learns, and what is saved."""

    @property
    def network(self) -> nn.Module:
        """What is trained and saved; it lies on the device of the stage."""
        ...

    def parameters(self) -> list[nn.Parameter]:
        """What of the network learns."""
        ...

    def predict(self, inputs: Inputs[Tensor]) -> Prediction:
        """Colors one photo with its objects; see `networks.fusion.predict`."""
        ...


@dataclass(frozen=True, kw_only=True)
class TrainedBackbone(ABC):
    """A color network, and what its stages learn. Fields are its settings, the group `network` of a config."""

    name: str = ""

    multiple: ClassVar[int]  # sides of the input, in pixels, are multiples of it
    encoder: ClassVar[str] = ""  # prefix of the parameters that learn at `optimizer.lr_encoder`
    heads: ClassVar[tuple[str, ...]] = ()  # parts that the instance stage leaves as they are
    # settings that a stage has in general, and with this backbone has not
    lacks: ClassVar[Set[str]] = frozenset({"optimizer.lr_encoder", "weights.encoder", "teaching"})

    @staticmethod
    def named(name: str = "lite") -> type[TrainedBackbone]:
        """The class of that name. Raises InstcolorError."""
        found: type[TrainedBackbone] = find("backbone", name, BACKBONES, ENTRY_POINTS)
        return found

    @abstractmethod
    def network(self) -> nn.Module:
        """A new network, which is a `networks.backbone.Backbone`."""

    @abstractmethod
    def frozen(self, network: nn.Module, stages: int) -> list[nn.Module]:
        """The parts of a network that `learns.frozen_stages` names."""

    def load_imagenet(self, network: nn.Module, path: str) -> None:
        """Takes ImageNet weights (safetensors) for the encoder. Raises ModelError where they are not its own."""
        raise NotImplementedError(f"{self.name} takes no weights.encoder")

    def teacher(self, encoder: str, device: torch.device) -> ColorTeacher:
        """The teacher that `teaching` asks for, of ImageNet weights (safetensors). Raises InstcolorError."""
        raise NotImplementedError(f"{self.name} takes no teaching")

    def fusion(self, full: nn.Module, instance: nn.Module, device: torch.device) -> TrainedFusion:
        """The fusion between two networks that stay as they are."""
        return TapFusion(full, instance, device)

    def made(self, weights: str = "", encoder: str = "") -> nn.Module:
        """A network, with all its weights or those of its encoder from a file. Raises ModelError."""
        network = self.network()
        if weights:
            load_weights(network, weights)
        elif encoder:
            self.load_imagenet(network, encoder)
        answer: nn.Module = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        return answer


@dataclass(frozen=True, kw_only=True)
class TrainedLite(TrainedBackbone):
    """`lite`: starts from ImageNet, whose encoder may teach it; heads stay, so that features keep their meaning."""

    name: str = "lite"
    drop_path: float = some(0.0)  # share of the deepest residual branches that a step leaves out, shallower fewer

    multiple = Lite.multiple
    encoder = "encoder."
    heads = ("head_ab", "head_bins")
    lacks = frozenset()

    def network(self) -> nn.Module:
        network = Lite()
        paths = [module for module in network.modules() if isinstance(module, DropPath)]
        for depth, path in enumerate(paths, 1):
            path.rate = self.drop_path * depth / len(paths)
        return network

    def frozen(self, network: nn.Module, stages: int) -> list[nn.Module]:
        encoder = cast(Lite, network).encoder
        return [encoder.conv_stem, encoder.bn1, *list(encoder.blocks)[:stages]] if stages else []

    def load_imagenet(self, network: nn.Module, path: str) -> None:
        load_imagenet(cast(Lite, network).encoder, path)

    def teacher(self, encoder: str, device: torch.device) -> ColorTeacher:
        if not encoder:
            raise InstcolorError("teaching: needs the backbone lite, and its ImageNet weights as weights.encoder")
        seeing = Encoder(planes=3)
        load_imagenet(seeing, encoder)
        return ColorTeacher(seeing, device)


@dataclass(frozen=True, kw_only=True)
class TrainedSiggraph17(TrainedBackbone):
    """`siggraph17`, the paper's: one network that learns as a whole, and a fusion whose last layers learn too."""

    name: str = "siggraph17"
    mask_center: float = 0.5  # 0 where training starts from weights that come from Caffe

    multiple = Siggraph17.multiple

    def __post_init__(self) -> None:
        if self.mask_center not in (0, 0.5):
            raise InstcolorError(f"network.mask_center: {self.mask_center} is neither 0 nor 0.5")

    def network(self) -> nn.Module:
        return Siggraph17(self.mask_center)

    def frozen(self, network: nn.Module, stages: int) -> list[nn.Module]:
        return [network.get_submodule(f"model{i}") for i in range(1, stages + 1)]

    def fusion(self, full: nn.Module, instance: nn.Module, device: torch.device) -> TrainedFusion:
        return Siggraph17TrainedFusion(cast(Siggraph17, full), cast(Siggraph17, instance), device)


BACKBONES: dict[str, type[TrainedBackbone]] = {"lite": TrainedLite, "siggraph17": TrainedSiggraph17}


class TapFusion:
    """The weight predictors of all taps, between two frozen networks: for any backbone."""

    def __init__(self, full: nn.Module, instance: nn.Module, device: torch.device):
        self.full, self.instance = full, instance
        backbone = cast(Backbone, full)
        self.network = Fusion(backbone.taps).to(device)

    def parameters(self) -> list[nn.Parameter]:
        """All of the weight predictors."""
        return list(self.network.parameters())

    def predict(self, inputs: Inputs[Tensor]) -> Prediction:
        """The answer of both frozen networks, blended by the predictors."""
        return predict(cast(Backbone, self.full), cast(Backbone, self.instance), self.network, inputs)


class Siggraph17FusionNetwork(Siggraph17Fusion):
    """The weight predictors and the network that they sit in, under the names of the published fusion network."""

    def __init__(self, trunk: Siggraph17):
        super().__init__()
        for name, part in trunk.named_children():
            self.add_module(name, part)


class Siggraph17TrainedFusion:
    """As Su et al. do it: the weight predictors and the last layers of the full-image network's copy learn."""

    learns = ("weight_layer", "model10.", "model_out.")

    def __init__(self, trunk: Siggraph17, instance: Siggraph17, device: torch.device):
        self.trunk, self.instance = trunk, instance
        self.network = Siggraph17FusionNetwork(trunk).to(device)
        for name, parameter in self.network.named_parameters():
            parameter.requires_grad_(name.startswith(self.learns))

    def parameters(self) -> list[nn.Parameter]:
        """The weight predictors and the layers of the copy that learn."""
        return [p for p in self.network.parameters() if p.requires_grad]

    def predict(self, inputs: Inputs[Tensor]) -> Prediction:
        """The answer of the copy, blended with the features of the frozen network for objects."""
        with torch.no_grad():
            features = instance_features(self.instance, *inputs.objects)
        height, width = inputs.photo.L.shape[2:]
        merged = self.network.merge([(features, inputs.places)], (height, width))
        answer: Prediction = self.trunk(*inputs.photo, self.network.blend(merged))
        return answer


def load_imagenet(encoder: Encoder, path: str) -> None:
    """Takes the encoder's weights from an ImageNet classifier's safetensors file. Raises ModelError."""
    try:
        encoder.load_imagenet(load_file(path))
    except (OSError, SafetensorError) as error:
        raise ModelError(f"{path}: not readable weights ({str(error).splitlines()[0]})") from None
    except (ValueError, RuntimeError, KeyError):
        raise ModelError(f"{path}: not the ImageNet weights of this encoder") from None
