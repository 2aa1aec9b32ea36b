"""The one training loop: seeded batches, cosine schedule, moving average, checkpoints that resume exactly."""

from __future__ import annotations

import json
import math
import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file
from torch import Tensor, nn

from .config import Config
from .stages import Stage, make_stage

LOG_EVERY = 50  # steps


def train(config: Config, stop_after: int | None = None) -> Path:
    """Trains one stage, or goes on where its run folder stands; returns the weights file (safetensors).

    `stop_after` ends the run early after so many steps in all, as a kill at that point would.
    """
    torch.set_num_threads(config.threads)
    torch.set_flush_denormal(True)  # tiny gradients make convolutions several times slower otherwise
    run = Path(config.run)
    run.mkdir(parents=True, exist_ok=True)
    (run / "config.yaml").write_text(config.to_yaml())
    stage = make_stage(config)
    optimizer = torch.optim.AdamW(stage.parameters(), betas=(0.9, 0.99), weight_decay=config.weight_decay, fused=True)
    base_rates = [group["lr"] for group in optimizer.param_groups]
    average = {k: v.detach().clone() for k, v in stage.network.state_dict().items()}
    total = config.samples // config.batch
    step = _resume(run, stage.network, optimizer, average)
    with ThreadPoolExecutor(1) as pool, (run / "log.jsonl").open("a") as log:
        upcoming = pool.submit(_batch, config, stage, step, total)
        started, first = time.monotonic(), step
        sums: dict[str, float] = {}
        while step < min(total, stop_after or total):
            batch = upcoming.result()
            upcoming = pool.submit(_batch, config, stage, step + 1, total)
            for group, rate in zip(optimizer.param_groups, base_rates, strict=True):
                group["lr"] = rate * _schedule(step, total, config.warmup)
            stage.train_mode()
            loss, scalars = stage.loss(batch)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_([p for g in optimizer.param_groups for p in g["params"]], config.clip)
            optimizer.step()
            step += 1
            _average(average, stage.network, min(config.ema, step / (step + 10)))
            for name, value in {"loss": loss.item(), **scalars}.items():
                sums[name] = sums.get(name, 0.0) + value
            if step % LOG_EVERY == 0:
                pace = (step - first) * config.batch / (time.monotonic() - started)
                line = {"step": step, "samples": step * config.batch, "photos_per_second": round(pace, 2)}
                line |= {name: round(value / LOG_EVERY, 5) for name, value in sums.items()}
                log.write(json.dumps(line) + "\n")
                log.flush()
                started, first, sums = time.monotonic(), step, {}
            if step % config.checkpoint_every == 0 or step == total:
                _save(run, step, stage.network, optimizer, average)
        upcoming.cancel()
    return run / "model.safetensors"


def _batch(config: Config, stage: Stage, step: int, total: int) -> Any:
    """The batch of a step, from the step's number alone: a resumed run sees what an unbroken one sees."""
    if step >= total:
        return None
    indices = _indices(config, stage.count, step)
    rng = np.random.default_rng((config.seed, 1, step))
    return stage.batch(indices, config.size_at(step / total), rng)


def _indices(config: Config, count: int, step: int) -> NDArray[np.int64]:
    """Every photo once in a random order, then again in another one, and so on."""
    places = np.arange(step * config.batch, (step + 1) * config.batch)
    orders = {
        epoch: np.random.default_rng((config.seed, 0, int(epoch))).permutation(count) for epoch in set(places // count)
    }
    return np.array([orders[place // count][place % count] for place in places])


def _schedule(step: int, total: int, warmup: int) -> float:
    """Linear warm-up, then half a cosine to zero."""
    return min(1.0, (step + 1) / warmup) * 0.5 * (1 + math.cos(math.pi * step / total))


@torch.no_grad()
def _average(average: dict[str, Tensor], network: nn.Module, decay: float) -> None:
    state = network.state_dict()
    floats = [k for k, v in state.items() if v.is_floating_point()]
    torch._foreach_lerp_([average[k] for k in floats], [state[k] for k in floats], 1 - decay)


def _save(
    run: Path, step: int, network: nn.Module, optimizer: torch.optim.Optimizer, average: dict[str, Tensor]
) -> None:
    """Writes the averaged weights and everything needed to go on; a kill at any point leaves the older pair."""
    state = {"step": step, "network": network.state_dict(), "optimizer": optimizer.state_dict(), "average": average}
    _replace(run / "checkpoint.pt", lambda path: torch.save(state, path))
    weights = {k: v.contiguous() for k, v in average.items() if not k.endswith("num_batches_tracked")}
    _replace(run / "model.safetensors", lambda path: save_file(weights, path))


def _replace(path: Path, write: Any) -> None:
    part = path.with_name(path.name + ".part")
    write(part)
    with part.open("rb") as written:
        os.fsync(written.fileno())
    part.replace(path)


def _resume(run: Path, network: nn.Module, optimizer: torch.optim.Optimizer, average: dict[str, Tensor]) -> int:
    path = run / "checkpoint.pt"
    if not path.exists():
        return 0
    state = torch.load(path, weights_only=True)
    network.load_state_dict(state["network"])
    optimizer.load_state_dict(state["optimizer"])
    average.update(state["average"])
    return int(state["step"])
