"""Training in two processes: the same result as in one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
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

from instcolor.errors import InstcolorError
from instcolor.networks.lite import Lite
from instcolor.training import loop
from instcolor.training.config import Config
from instcolor.training.loop import train
from instcolor.training.processes import GlobalBatchNorm
from instcolor.training.stages import make_stage
from support import trainings

SCRIPT = """
import sys
from pathlib import Path
from instcolor.training.config import Config
from instcolor.training.loop import train
for path in sys.argv[1:]:
    train(Config.read(Path(path)))
"""


def log_of(config: Config) -> list[dict[str, float]]:
    lines = (Path(config.run) / "log.jsonl").read_text().splitlines()
    return [{k: v for k, v in json.loads(line).items() if k != "photos_per_second"} for line in lines]


def weights_of(config: Config) -> dict[str, torch.Tensor]:
    return load_file(Path(config.run) / "model.safetensors")


def test_two_processes_come_to_the_result_of_one(tmp_path: Path) -> None:
    photos = trainings.write_photos(tmp_path / "photos")
    settings = {"optimizer.batch": 4, "optimizer.samples": 8, "optimizer.ema": 0.0}
    settings |= {"log.checkpoint_every": 2, "data.held_out": 2}
    alone = [trainings.small(photos, tmp_path / "alone", stage, settings) for stage in ("full", "fusion")]
    # the fusion between two full-image networks, which both ways of training share
    given = str(tmp_path / "given.safetensors")
    state = Lite().state_dict()
    save_file({k: v.contiguous() for k, v in state.items()}, given)
    alone[1] = alone[1].replaced({"weights.full": given, "weights.instance": given})
    encoder = str(trainings.imagenet_file(tmp_path / "encoder.safetensors"))
    alone[0] = alone[0].replaced({"teaching": 1.0, "weights.encoder": encoder})
    together = [replace(config, run=str(tmp_path / "together" / config.stage)) for config in alone]
    files = []
    for config in together:
        files.append(tmp_path / f"{config.stage}.yaml")
        files[-1].write_text(config.to_yaml())
    (tmp_path / "train.py").write_text(SCRIPT)
    for config in alone:
        train(config)
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "--master-port", "0"]
    command += ["--rdzv-backend", "c10d", "--rdzv-endpoint", "localhost:0"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    ended = subprocess.run(
        [*command, tmp_path / "train.py", *files], capture_output=True, text=True, env=environment, timeout=240
    )
    assert ended.returncode == 0, ended.stderr[-3000:]
    assert "Warning" not in ended.stderr
    for one, two in zip(alone, together, strict=True):
        for a, b in zip(log_of(one), log_of(two), strict=True):
            assert a.keys() == b.keys()
            assert [b[k] for k in a] == pytest.approx([a[k] for k in a], rel=2e-3)
        start, ours, theirs = (
            make_stage(one, torch.device("cpu")).network.state_dict(),
            weights_of(one),
            weights_of(two),
        )
        assert ours.keys() == theirs.keys()
        moved = sum(float((ours[k] - start[k]).square().sum()) for k in ours)
        off = sum(float((ours[k] - theirs[k]).square().sum()) for k in ours)
        assert off < 0.01 * moved  # Adam's first steps go by signs, which rounding turns where a gradient is near zero


def test_a_batch_that_cannot_be_shared_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "world", lambda: 3)
    config = trainings.small(trainings.write_photos(tmp_path / "photos"), tmp_path, settings={"optimizer.batch": 4})
    with pytest.raises(InstcolorError, match="4 photos cannot be shared by 3 processes"):
        train(config)


def test_batch_norm_over_all_processes_is_torchs_where_there_is_one(tmp_path: Path) -> None:
    torch.distributed.init_process_group("gloo", init_method=(tmp_path / "store").as_uri(), rank=0, world_size=1)
    try:
        first = torch.nn.Conv2d(2, 3, 3)
        network, ours = (torch.nn.Sequential(first, torch.nn.BatchNorm2d(3)) for _ in range(2))
        GlobalBatchNorm.replace_in(ours)
        assert ours.state_dict().keys() == network.state_dict().keys()
        x = torch.from_numpy(np.random.default_rng(0).normal(3, 2, (4, 2, 9, 9)).astype(np.float32))
        results = []
        for module in (network, ours):
            module.zero_grad()
            (module(x) ** 3).sum().backward()
            assert first.weight.grad is not None
            results.append([module(x).detach(), first.weight.grad.clone(), *[b.clone() for b in module.buffers()]])
        assert all(torch.allclose(a, b, rtol=1e-4, atol=1e-4) for a, b in zip(*results, strict=True))
        assert torch.allclose(ours.eval()(x), network.eval()(x), atol=1e-5)
    finally:
        torch.distributed.destroy_process_group()
