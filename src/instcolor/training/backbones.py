"""What the stages must know of a backbone besides its `forward`: which parts freeze, and how its fusion is trained."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, cast

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from ..errors import InstcolorError, ModelError
from ..inputs import Inputs
from ..networks.backbone import Backbone, Prediction
from ..networks.fusion import Fusion, predict
from ..networks.lite import Encoder, Lite
from ..networks.siggraph17 import Siggraph17
from ..networks.siggraph17_fusion import Siggraph17Fusion, instance_features
from ..torch_models.weights import load_weights
from .config import Config
from .teacher import ColorTeacher


@dataclass(frozen=True)
class Family:
    """A kind of color network."""

    make_network: Callable[[Config], nn.Module]
    encoder: str  # prefix of the parameters that learn at `lr_encoder`
    heads: tuple[str, ...]  # parts that the instance stage leaves as they are

    def make(self, config: Config, weights: str = "") -> nn.Module:
        network = self.make_network(config)
        if weights:
            load_weights(network, weights)
        elif config.encoder:
            if not isinstance(network, Lite):
                raise InstcolorError(f"encoder: {config.backbone} does not start from ImageNet weights")
            load_imagenet(network.encoder, config.encoder)
        return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def teacher(self, config: Config, device: torch.device) -> ColorTeacher | None:
        """What `teaching` asks for, where the whole network learns. Raises InstcolorError without ImageNet weights, and
        for another kind."""
        if not config.teaching or config.only:
            return None
        if config.backbone != "lite" or not config.encoder:
            raise InstcolorError("teaching: needs the backbone lite, and its ImageNet weights as encoder")
        encoder = Encoder(planes=3)
        load_imagenet(encoder, config.encoder)
        return ColorTeacher(encoder, device)

    def frozen(self, network: nn.Module, stages: int) -> list[nn.Module]:
        """The parts of a network that `frozen_stages` names."""
        if stages == 0:
            return []
        if isinstance(network, Lite):
            return [network.encoder.conv_stem, network.encoder.bn1, *list(network.encoder.blocks)[:stages]]
        return [network.get_submodule(f"model{i}") for i in range(1, stages + 1)]

    def parameters(self, network: nn.Module, config: Config) -> list[dict]:
        """Encoder and rest with their learning rates; what is frozen takes no gradient."""
        for part in self.frozen(network, config.frozen_stages):
            part.requires_grad_(False)
        named = list(network.named_parameters())
        encoder = [p for name, p in named if self.encoder and name.startswith(self.encoder) and p.requires_grad]
        rest = [p for name, p in named if not (self.encoder and name.startswith(self.encoder))]
        groups = [{"params": encoder, "lr": config.lr_encoder}, {"params": rest, "lr": config.lr_rest}]
        return [group for group in groups if group["params"]]


FAMILIES = {
    "lite": Family(lambda config: Lite(), "encoder.", ("head_ab", "head_bins")),
    "siggraph17": Family(lambda config: Siggraph17(config.mask_center), "", ()),
}


class TrainedFusion(Protocol):
    """The third stage of a backbone: `network` is what learns, `predict` colors a photo with its objects."""

    @property
    def network(self) -> nn.Module: ...

    def parameters(self) -> list[nn.Parameter]: ...

    def predict(self, inputs: Inputs[Tensor]) -> Prediction: ...


class LiteFusion:
    """The weight predictors of all taps, between two frozen networks."""

    def __init__(self, config: Config, device: torch.device):
        self.full, self.instance = (frozen(config, weights, device) for weights in (config.full, config.instance))
        full = cast(Backbone, self.full)
        self.network = Fusion(full.taps).to(device)

    def parameters(self) -> list[nn.Parameter]:
        return list(self.network.parameters())

    def predict(self, inputs: Inputs[Tensor]) -> Prediction:
        return predict(cast(Backbone, self.full), cast(Backbone, self.instance), self.network, inputs)


class Siggraph17FusionNetwork(Siggraph17Fusion):
    """The weight predictors and the network that they sit in, under the names of the published fusion network."""

    def __init__(self, trunk: Siggraph17):
        super().__init__()
        for name, part in trunk.named_children():
            self.add_module(name, part)


class Siggraph17Trained:
    """As Su et al. do it: the weight predictors and the last layers of the full-image network's copy learn."""

    learns = ("weight_layer", "model10.", "model_out.")

    def __init__(self, config: Config, device: torch.device):
        self.instance = frozen(config, config.instance, device)
        self.trunk = cast(Siggraph17, frozen(config, config.full, device))
        self.network = Siggraph17FusionNetwork(self.trunk).to(device)
        for name, parameter in self.network.named_parameters():
            parameter.requires_grad_(name.startswith(self.learns))

    def parameters(self) -> list[nn.Parameter]:
        return [p for p in self.network.parameters() if p.requires_grad]

    def predict(self, inputs: Inputs[Tensor]) -> Prediction:
        with torch.no_grad():
            features = instance_features(cast(Siggraph17, self.instance), *inputs.objects)
        height, width = inputs.photo.L.shape[2:]
        merged = self.network.merge([(features, inputs.places)], (height, width))
        return self.trunk(*inputs.photo, self.network.blend(merged))


FUSIONS: dict[str, type[LiteFusion] | type[Siggraph17Trained]] = {"lite": LiteFusion, "siggraph17": Siggraph17Trained}


def frozen(config: Config, weights: str, device: torch.device) -> nn.Module:
    """A trained network that stays as it is, BatchNorm statistics too."""
    if not weights:
        raise InstcolorError("the fusion stage needs the weights of both networks: full and instance")
    return FAMILIES[config.backbone].make(config, weights).to(device).eval().requires_grad_(False)


def load_imagenet(encoder: Encoder, path: str) -> None:
    """Takes the encoder's weights from an ImageNet classifier's safetensors file."""
    try:
        encoder.load_imagenet(load_file(path))
    except (OSError, SafetensorError) as error:
        raise ModelError(f"{path}: not readable weights ({str(error).splitlines()[0]})") from None
    except (ValueError, RuntimeError, KeyError):
        raise ModelError(f"{path}: not the ImageNet weights of this encoder") from None
