"""The paper's recipe on its own backbone: one step of each stage, and what that step may change."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("safetensors.torch")

import torch
from safetensors.torch import (
    load_file,
    save_file,
)

from instcolor.networks.siggraph17 import Siggraph17
from instcolor.training.backbones import Siggraph17TrainedFusion
from instcolor.training.batches import TRAINING, fixed_batch
from instcolor.training.config import Config
from instcolor.training.loop import Training
from instcolor.training.recipes import BUNDLED
from instcolor.training.stages import FusionStage, make_stage
from support import trainings

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with photos and seeded weights."""
    folder = tmp_path_factory.mktemp("siggraph17")
    trainings.write_photos(folder / "photos", 4)
    torch.manual_seed(0)
    save_file(Siggraph17().state_dict(), folder / "full.safetensors")
    return folder


def bundled(stage: str, start: Path) -> Config:
    """The shipped config on small photos."""
    weights = str(start / "full.safetensors")
    needed = {"full": ["start"], "instance": ["full"], "fusion": ["full", "instance"]}[stage]
    given = {f"weights.{name}": weights for name in needed}
    small = trainings.small(start / "photos", start, stage).settings()
    paths = {"data": small["data"], "machine.threads": 1, "machine.device": "cpu"}
    sizes = {"crops.sizes": [[0.0, 32]], **({"crops.instance_size": 32} if stage == "fusion" else {})}
    changed = {**paths, **given, **sizes, "optimizer.lr_rest": 1e-3}
    return Config.read(BUNDLED / f"siggraph17-{stage}.yaml", changed)


def one_step(config: Config) -> tuple[Training, set[str]]:
    """A training after one step, and the names of what that changed."""
    training = Training(config, make_stage(config, CPU), CPU)
    before = {k: v.clone() for k, v in training.stage.network.state_dict().items()}
    batch = fixed_batch(config, training.stage.samples, TRAINING, np.arange(2))
    loss = training._learn(batch)["loss"]
    assert 0 < float(loss) < 100
    after = training.stage.network.state_dict()
    assert all(torch.equal(training.average[k], after[k]) for k in after if after[k].is_floating_point())  # no average
    return training, {k for k in before if not torch.equal(before[k], after[k])}


@pytest.mark.parametrize("stage", ["full", "instance"])
def test_both_networks_learn_as_a_whole(start: Path, stage: str) -> None:
    training, changed = one_step(bundled(stage, start))
    # the class head has no part in the paper's loss
    assert changed == {name for name in training.stage.network.state_dict() if not name.startswith("model_class")}


def test_of_the_fused_network_the_predictors_and_the_last_layers_learn(start: Path) -> None:
    training, changed = one_step(bundled("fusion", start))
    learned = ("weight_layer", "model10.", "model_out.")
    assert changed
    assert all(name.startswith(learned) for name in changed)
    assert {name.split(".")[0] for name in changed} >= {"weight_layer", "weight_layer8_1", "model10", "model_out"}
    assert isinstance(training.stage, FusionStage)
    assert isinstance(training.stage.fusion, Siggraph17TrainedFusion)
    given = load_file(start / "full.safetensors")
    instance = training.stage.fusion.instance.state_dict()
    assert all(torch.equal(instance[name], given[name]) for name in given)
