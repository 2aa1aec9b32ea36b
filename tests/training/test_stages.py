"""The three stages: what each starts from and leaves alone, that it learns, and that it resumes to the last bit."""

from __future__ import annotations

import hashlib
import json
import resource
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("safetensors.torch")

import torch
from safetensors.torch import load_file
from torch import Tensor

from instcolor.errors import InstcolorError, ModelError
from instcolor.training import loop
from instcolor.training.backbones import TapFusion
from instcolor.training.batches import SHOWN, fixed_batch
from instcolor.training.config import Config, Optimizer
from instcolor.training.loop import Training, train
from instcolor.training.samples import FullSamples, ObjectSamples
from instcolor.training.stage import Samples
from instcolor.training.stages import BackboneStage, FusionStage, make_stage
from support import trainings

CPU = torch.device("cpu")
STAGES = ("full", "instance", "fusion")


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """Photos, and the three stages trained on them one after the other without a break."""
    work = tmp_path_factory.mktemp("training")
    photos = trainings.write_photos(work / "photos")
    for stage in STAGES:
        train(trainings.small(photos, work / "unbroken", stage))
    return SimpleNamespace(photos=photos, work=work, unbroken=work / "unbroken")


def config_of(trained: SimpleNamespace, work: Path, stage: str, settings: Mapping[str, Any] | None = None) -> Config:
    """A config whose run folder is in `work` and whose earlier stages are the trained ones."""
    config = trainings.small(trained.photos, trained.unbroken, stage)
    return config.replaced({"run": str(work / stage), **(settings or {})})


def same(a: Mapping[str, Tensor], b: Mapping[str, Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[k], b[k]) for k in a)


def weights(folder: Path, name: str = "model.safetensors") -> dict[str, Tensor]:
    return load_file(folder / name)


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


# What a stage starts from and leaves alone


def test_the_instance_stage_starts_from_the_weights_of_the_full_stage(trained: SimpleNamespace, tmp_path: Path) -> None:
    stage = make_stage(config_of(trained, tmp_path, "instance"), CPU)
    started = {k: v for k, v in stage.network.state_dict().items() if not k.endswith("num_batches_tracked")}
    assert same(started, weights(trained.unbroken / "full"))


def test_the_instance_stage_changes_all_but_its_heads_and_frozen_parts(trained: SimpleNamespace) -> None:
    before, after = weights(trained.unbroken / "full"), weights(trained.unbroken / "instance")
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    frozen = ("head_ab.", "head_bins.", "encoder.conv_stem.", "encoder.bn1.", "encoder.blocks.0.", "encoder.blocks.1.")
    assert changed == {name for name in before if not name.startswith(frozen)}


def test_frozen_encoder_stages_keep_weights_and_statistics(trained: SimpleNamespace, tmp_path: Path) -> None:
    stage = make_stage(config_of(trained, tmp_path, "full"), CPU)
    before = {k: v.clone() for k, v in stage.network.state_dict().items()}
    after = torch.load(trained.unbroken / "full" / "checkpoint.pt", weights_only=True)["network"]
    frozen = ("encoder.conv_stem.", "encoder.bn1.", "encoder.blocks.0.", "encoder.blocks.1.")
    assert all(torch.equal(after[k], before[k]) for k in before if k.startswith(frozen))
    moved = [k for k in before if not torch.equal(after[k], before[k])]
    assert "encoder.blocks.2.0.conv_pw.weight" in moved
    assert "encoder.blocks.2.0.bn1.running_mean" in moved


def test_heads_stay_as_they_are_where_that_is_wanted(trained: SimpleNamespace, tmp_path: Path) -> None:
    start = str(trained.unbroken / "full/model.safetensors")
    train(config_of(trained, tmp_path, "full", {"weights.start": start, "learns.frozen_heads": True}))
    before, after = weights(trained.unbroken / "full"), weights(tmp_path / "full")
    assert {k for k in before if k.startswith("head_") and not torch.equal(before[k], after[k])} == set()
    assert not torch.equal(before["up4.convs.0.weight"], after["up4.convs.0.weight"])


def test_named_parts_can_learn_alone(trained: SimpleNamespace, tmp_path: Path) -> None:
    start = str(trained.unbroken / "full/model.safetensors")
    settings = {"weights.start": start, "learns.only": ["hints8", "hints4"], "hints.share": 1.0}
    train(config_of(trained, tmp_path, "full", settings))
    before, after = weights(trained.unbroken / "full"), weights(tmp_path / "full")
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed == {name for name in before if name.startswith(("hints8.", "hints4."))}


def test_fusion_leaves_both_networks_bit_identical(trained: SimpleNamespace, tmp_path: Path) -> None:
    stage = make_stage(config_of(trained, tmp_path, "fusion", {"optimizer.samples": 4}), CPU)
    assert isinstance(stage, FusionStage)
    assert isinstance(stage.fusion, TapFusion)
    networks = {"full": stage.fusion.full, "instance": stage.fusion.instance}
    before = {name: {k: v.clone() for k, v in n.state_dict().items()} for name, n in networks.items()}
    fusion = {k: v.clone() for k, v in stage.network.state_dict().items()}
    training = Training(stage.config, stage, CPU)
    (tmp_path / "fusion").mkdir()
    training.run_until(2, tmp_path / "fusion", [])
    assert training.step == 2
    for name, network in networks.items():
        assert same(network.state_dict(), before[name]), name
        assert weights(trained.unbroken / name).keys() <= before[name].keys()
    assert not any(torch.equal(v, fusion[k]) for k, v in stage.network.state_dict().items() if k.endswith("0.weight"))


def test_the_loss_falls_on_eight_photos_in_every_stage(trained: SimpleNamespace, tmp_path: Path) -> None:
    settings = {"optimizer.warmup": 1, "optimizer.ema": 0.0, "log.checkpoint_every": 100}
    settings |= {"loss.emphasis": 0.0333}  # nearly gray networks give the fusion little else to choose by
    for name, rate, steps, fall in (("full", 3e-3, 12, 0.7), ("instance", 3e-3, 8, 0.93), ("fusion", 3e-3, 24, 0.98)):
        rates = {"optimizer.lr_rest": rate, "optimizer.samples": 2 * steps}
        if name != "fusion":
            rates["optimizer.lr_encoder"] = rate
        config = trainings.small(trained.photos, tmp_path, name, {**trainings.plain(name), **settings, **rates})
        stage = make_stage(config, CPU)
        eight = fixed_batch(stage.config, stage.samples, SHOWN, np.arange(8))
        run = tmp_path / name
        run.mkdir()

        def loss(stage: Any = stage, eight: Any = eight) -> float:
            stage.train_mode()
            return float(stage.loss(eight)[0].detach())

        before = loss()
        Training(stage.config, stage, CPU).run_until(steps, run, [])
        assert loss() < fall * before, name


# Going on


@pytest.mark.parametrize(("stage", "stop"), [("full", 1), ("full", 3), ("instance", 3), ("fusion", 3)])
def test_a_stopped_training_ends_bit_identical(trained: SimpleNamespace, tmp_path: Path, stage: str, stop: int) -> None:
    config = config_of(trained, tmp_path, stage)
    train(config, stop_after=stop)
    train(config)
    assert_same_run(tmp_path / stage, trained.unbroken / stage)


def test_a_stopped_training_drops_the_same_paths_and_keeps_its_teacher(
    trained: SimpleNamespace, tmp_path: Path
) -> None:
    encoder = str(trainings.imagenet_file(tmp_path / "encoder.safetensors"))
    for folder in ("stopped", "unbroken"):
        settings = {"network.drop_path": 0.5, "teaching": 1.0, "weights.encoder": encoder}
        config = config_of(trained, tmp_path / folder, "instance", settings)
        if folder == "stopped":
            train(config, stop_after=3)
        train(config)
    assert_same_run(tmp_path / "stopped" / "instance", tmp_path / "unbroken" / "instance")
    taught, alone = weights(tmp_path / "unbroken" / "instance"), weights(trained.unbroken / "instance")
    assert taught.keys() == alone.keys()  # nothing of the teacher is left
    assert not same(taught, alone)


def test_a_network_learns_to_foretell_what_its_teacher_sees_in_the_colors(
    trained: SimpleNamespace, tmp_path: Path
) -> None:
    encoder = str(trainings.imagenet_file(tmp_path / "encoder.safetensors"))
    settings = {"optimizer.warmup": 1, "optimizer.ema": 0.0, "optimizer.samples": 24, **trainings.plain("full")}
    settings |= {"teaching": 1.0, "weights.encoder": encoder}
    stage = make_stage(config_of(trained, tmp_path, "full", settings), CPU)
    eight = fixed_batch(stage.config, stage.samples, SHOWN, np.arange(8))
    assert isinstance(stage, BackboneStage)
    assert stage.teacher
    before = {k: v.clone() for k, v in stage.teacher.encoder.state_dict().items()}

    def taught() -> float:
        stage.train_mode()
        return float(stage.loss(eight)[1]["teaching"])

    first = taught()
    Training(stage.config, stage, CPU).run_until(12, tmp_path, [])
    assert taught() < 0.8 * first
    assert same(stage.teacher.encoder.state_dict(), before)
    stage.network.eval()
    assert "teaching" not in stage.loss(eight)[1]  # photos held out are measured by their colors


def assert_same_run(run: Path, unbroken: Path) -> None:
    """Equal in everything that a run leaves."""
    assert digest(run / "model.safetensors") == digest(unbroken / "model.safetensors")
    ours, theirs = (torch.load(folder / "checkpoint.pt", weights_only=True) for folder in (run, unbroken))
    assert ours["step"] == theirs["step"] == 4
    assert same(ours["network"], theirs["network"])
    assert same(ours["average"], theirs["average"])
    pairs = zip(ours["optimizer"]["state"].values(), theirs["optimizer"]["state"].values(), strict=True)
    assert all(same(a, b) for a, b in pairs)
    timeless = [
        [
            {k: v for k, v in json.loads(line).items() if k != "photos_per_second"}
            for line in log.read_text().splitlines()
        ]
        for log in (run / "log.jsonl", unbroken / "log.jsonl")
    ]
    assert timeless[0] == timeless[1]
    assert not list(run.glob("*.part"))


KILLED = """
import os, signal, sys, torch
from pathlib import Path
from instcolor.training.config import Config
from instcolor.training.loop import train
import instcolor.training.checkpoint as checkpoint

class Dying:
    "A file that ends the process after so many bytes, as a power cut would."
    def __init__(self, file): self.file, self.left = file, 10_000_000
    def write(self, data):
        self.left -= self.file.write(data)
        if self.left < 0:
            self.file.flush()
            os.kill(os.getpid(), signal.SIGKILL)
        return len(data)
    def flush(self): self.file.flush()

save, saves = torch.save, []
def dying_save(state, file):
    saves.append(state["step"])
    save(state, file if len(saves) == 1 else Dying(file))
torch.save = dying_save
train(Config.read(Path(sys.argv[1])))
"""


def test_a_training_killed_while_it_writes_a_checkpoint_ends_bit_identical(
    trained: SimpleNamespace, tmp_path: Path
) -> None:
    config = config_of(trained, tmp_path, "fusion", {"log.checkpoint_every": 1})
    reference = config_of(trained, tmp_path / "reference", "fusion", {"log.checkpoint_every": 1})
    (tmp_path / "config.yaml").write_text(config.to_yaml())
    script = KILLED.replace("10_000_000", "1_000_000")  # a fusion's checkpoint is small
    ended = subprocess.run([sys.executable, "-c", script, tmp_path / "config.yaml"], capture_output=True, text=True)
    assert ended.returncode == -9, ended.stderr
    assert (tmp_path / "fusion" / "checkpoint.pt.part").stat().st_size > 900_000
    assert torch.load(tmp_path / "fusion" / "checkpoint.pt", weights_only=True)["step"] == 1
    train(config)
    train(reference)
    (tmp_path / "fusion" / "config.yaml").unlink()
    assert_same_run(tmp_path / "fusion", Path(reference.run))


@contextmanager
def full_disk(bytes_a_file: int) -> Iterator[None]:
    """A disk that has room for so much of every file."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (bytes_a_file, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_costs_nothing_but_the_checkpoint(
    trained: SimpleNamespace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = config_of(trained, tmp_path, "fusion")
    run = Path(config.run)
    train(config, stop_after=2)
    before = {name: digest(run / name) for name in ("checkpoint.pt", "model.safetensors")}
    with full_disk(2_000_000), pytest.raises(InstcolorError, match="step 4 could not be saved") as caught:
        train(config.replaced({"log.checkpoint_every": 1}))
    assert "\n" not in str(caught.value)
    assert "step 3 could not be saved" in capsys.readouterr().err  # and went on
    assert before["checkpoint.pt"] == digest(run / "checkpoint.pt")
    assert not list(run.glob("*.part"))
    train(config)
    assert_same_run(run, trained.unbroken / "fusion")


def test_a_log_that_cannot_be_written_does_not_stop_a_training(
    trained: SimpleNamespace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = config_of(trained, tmp_path, "fusion")
    (tmp_path / "fusion" / "log.jsonl").mkdir(parents=True)
    train(config)
    assert digest(tmp_path / "fusion" / "model.safetensors") == digest(
        trained.unbroken / "fusion" / "model.safetensors"
    )
    assert capsys.readouterr().err.count("not written") == 1


def test_a_damaged_checkpoint_is_an_error_in_one_line(trained: SimpleNamespace, tmp_path: Path) -> None:
    config = config_of(trained, tmp_path, "fusion")
    run = Path(config.run)
    run.mkdir()
    (run / "checkpoint.pt").write_bytes((trained.unbroken / "fusion" / "checkpoint.pt").read_bytes()[:100_000])
    with pytest.raises(ModelError, match=r"checkpoint\.pt: damaged") as caught:
        train(config)
    assert "\n" not in str(caught.value)


def test_a_checkpoint_of_another_stage_is_refused(trained: SimpleNamespace, tmp_path: Path) -> None:
    config = config_of(trained, tmp_path, "fusion")
    Path(config.run).mkdir()
    shutil.copy(trained.unbroken / "full" / "checkpoint.pt", Path(config.run))
    with pytest.raises(InstcolorError, match="of another network or stage"):
        train(config)


def test_changed_settings_are_named_when_a_run_goes_on(
    trained: SimpleNamespace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = config_of(trained, tmp_path, "fusion")
    train(config, stop_after=2)
    train(config.replaced({"optimizer.lr_rest": 0.5, "seed": 3}), stop_after=3)
    assert "other settings than it began with: optimizer.lr_rest, seed" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("capabilities", "used"), [({"avx2": True, "avx512_bf16": False}, False), ({"bf16": True}, True)]
)
def test_bf16_is_used_where_the_device_has_it(
    trained: SimpleNamespace,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    capabilities: dict[str, bool],
    used: bool,
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities)
    seen: list[bool] = []
    monkeypatch.setattr(Training, "run_until", lambda self, *_: seen.append(self.config.machine.bf16))
    config = config_of(trained, tmp_path, "full", {"machine.bf16": True})
    train(config)
    assert seen == [used]
    assert Config.read(Path(config.run) / "config.yaml").machine.bf16 is used
    assert ("no bf16 of its own" in capsys.readouterr().err) is not used


# Newest and best


def test_the_best_weights_are_those_with_the_lowest_loss_on_photos_held_out(
    trained: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    measured = iter([3.0, 1.0, 2.0])
    monkeypatch.setattr(Training, "_measure", lambda self: ({"held_out": next(measured)}, {}))
    config = config_of(trained, tmp_path, "fusion", {"log.checkpoint_every": 1})
    train(config, stop_after=2)
    at_two = digest(Path(config.run) / "model.safetensors")
    train(config, stop_after=3)
    assert digest(Path(config.run) / "best.safetensors") == at_two
    assert digest(Path(config.run) / "model.safetensors") != at_two
    assert torch.load(Path(config.run) / "checkpoint.pt", weights_only=True)["best"] == 1.0


def test_measuring_changes_nothing(trained: SimpleNamespace, tmp_path: Path) -> None:
    config = config_of(trained, tmp_path, "full", {"data.held_out": 2, "log.pictures": 2})
    training = Training(config, make_stage(config, CPU), CPU)
    with torch.no_grad():
        training.average["head_bins.bias"] += 1
    before = {k: v.clone() for k, v in training.stage.network.state_dict().items()}
    first, pictures = training._measure()
    second, _ = training._measure()
    assert first == second
    assert first["held_out"] > 0
    assert same(training.stage.network.state_dict(), before)
    assert pictures["results"].shape == (2 * (64 + 4), 3 * (64 + 4), 3)


def names_of(samples: Samples) -> list[str]:
    assert isinstance(samples, FullSamples | ObjectSamples)
    return samples.store.names


def test_photos_held_out_are_the_same_in_every_stage_and_never_trained_on(
    trained: SimpleNamespace, tmp_path: Path
) -> None:
    names = []
    for name in STAGES:
        stage = make_stage(config_of(trained, tmp_path, name, {"data.held_out": 3}), CPU)
        held, rest = names_of(stage.held_out), names_of(stage.samples)
        assert len(held) == 3
        assert not set(held) & set(rest)
        names.append(held)
    assert names[0] == names[1] == names[2]


# Settings that cannot be


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"stage": "large"}, "no stage 'large'"),
        ({"network.name": "large"}, "no backbone 'large'"),
        ({"loss.name": "l7"}, "no loss 'l7'"),
        ({"data.photos": ["nowhere"]}, "nowhere: no such folder"),
        ({"weights.encoder": "nowhere.safetensors"}, "nowhere.safetensors: not readable"),
        ({"stage": "instance", "weights.full": ""}, "starts from the weights of the full-image network"),
        ({"stage": "fusion", "weights.instance": ""}, "needs the weights of both networks"),
        ({"stage": "instance", "weights.full": "nowhere.safetensors"}, "nowhere.safetensors: "),
        ({"learns.only": ["hints8", "nose"]}, "only: no such part of the network .*nose"),
        ({"teaching": 1.0}, "teaching: needs the backbone lite, and its ImageNet weights"),
        ({"stage": "fusion", "data.boxes": []}, "no photo to train the stage fusion on"),
    ],
)
def test_settings_that_cannot_be_are_one_line(
    trained: SimpleNamespace, tmp_path: Path, settings: dict[str, Any], reason: str
) -> None:
    config = config_of(trained, tmp_path, settings.get("stage", "full") if settings.get("stage") in STAGES else "full")
    with pytest.raises(InstcolorError, match=reason) as caught:
        train(config.replaced(settings))
    assert "\n" not in str(caught.value)


def test_learning_rates_warm_up_stay_and_fall_to_zero() -> None:
    settings = Optimizer(warmup=10)
    assert loop.schedule(settings, 0, 100) == pytest.approx(0.1)
    assert loop.schedule(settings, 50, 100) == pytest.approx(0.5)
    assert loop.schedule(settings, 99, 100) < 0.001
    held = replace(settings, schedule="linear", hold=0.6)
    assert loop.schedule(held, 59, 100) == 1
    assert loop.schedule(held, 80, 100) == pytest.approx(0.5)


def test_an_imagenet_encoder_starts_the_full_stage(trained: SimpleNamespace, tmp_path: Path) -> None:
    path = trainings.imagenet_file(tmp_path / "encoder.safetensors")
    encoder = load_file(path)
    state = make_stage(config_of(trained, tmp_path, "full", {"weights.encoder": str(path)}), CPU).network.state_dict()
    assert torch.equal(state["encoder.blocks.3.0.conv_pw.weight"], encoder["blocks.3.0.conv_pw.weight"])
    assert torch.allclose(state["encoder.conv_stem.weight"], encoder["conv_stem.weight"].sum(1, keepdim=True))
