"""The one training loop: seeded batches, schedule, moving average, checkpoints that resume exactly, any processes."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.distributed as dist
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from ..errors import InstcolorError
from .batches import HELD_OUT, SHOWN, batches, fixed_batch, moved
from .checkpoint import CHECKPOINT, WEIGHTS, read_checkpoint, write_checkpoint
from .config import Config, Optimizer
from .pictures import table
from .processes import GlobalBatchNorm, has_bf16, join, rank, say, world
from .settings import flat
from .sinks import Progress, Sink, opened
from .stage import Stage
from .stages import make_stage


def train(config: Config, stop_after: int | None = None, sinks: Sequence[str] = ()) -> Path:
    """Trains one stage, or goes on where its run folder stands; returns the weights file (safetensors).

    `stop_after` ends the run early after so many steps in all, as a kill at that point would. `sinks` names logs
    beside the JSON lines ("tensorboard", "wandb"). Raises InstcolorError: wrong settings, no photos, a full disk at
    the last step.
    """
    run = Path(config.run)
    device = join(config.machine.device)
    if config.machine.threads:
        torch.set_num_threads(config.machine.threads)
    if config.machine.bf16 and not has_bf16(device):
        say(f"{device}: has no bf16 of its own, float32 is used")
        config = config.replaced({"machine.bf16": False})
    batch = config.optimizer.batch
    if batch % world():
        raise InstcolorError(f"optimizer.batch: {batch} photos cannot be shared by {world()} processes")
    run.mkdir(parents=True, exist_ok=True)
    training = Training(config, make_stage(config, device), device)
    training.resume(run)
    if rank() == 0:
        _note_config(run, config, training.step)
    torch.set_flush_denormal(True)  # tiny gradients make convolutions several times slower otherwise
    try:
        with opened(config, sinks, training.step) as opened_sinks:
            training.run_until(stop_after or training.total, run, opened_sinks)
    finally:
        torch.set_flush_denormal(False)  # it is the whole thread's, not the training's alone
    return run / WEIGHTS


class Training:
    """A stage on its way: weights, their moving average, the optimizer and the number of steps done.

    AdamW (Loshchilov & Hutter, ICLR 2019) with the rates that the stage's `parameters` name, times `schedule`. What is
    measured and saved is the exponential moving average of the weights (`optimizer.ema`), not the weights themselves.
    """

    def __init__(self, config: Config, stage: Stage, device: torch.device):
        """At step 0 of `total`; the stage's network lies on `device` already. In several processes all make one."""
        self.config, self.stage, self.device = config, stage, device
        settings = config.optimizer
        samples = round(settings.epochs * len(stage.samples)) if settings.epochs else settings.samples
        self.step, self.total = 0, max(1, samples // settings.batch)
        self.best = math.inf  # lowest loss on the photos held out
        self.optimizer = torch.optim.AdamW(
            stage.parameters(), betas=settings.betas, weight_decay=settings.weight_decay, fused=True
        )
        self.rates = [group["lr"] for group in self.optimizer.param_groups]
        self.average = {k: v.detach().clone() for k, v in stage.network.state_dict().items()}
        self.loss: nn.Module = _Loss(stage)
        if world() > 1:
            for part in (stage.network, stage.scaffold):
                GlobalBatchNorm.replace_in(part)
            self.loss = DistributedDataParallel(self.loss)

    def resume(self, run: Path) -> None:
        """Goes on where the checkpoint of a run folder ends; without one changes nothing.

        Raises ModelError where the checkpoint is damaged, InstcolorError where it is of another network or stage.
        """
        state = read_checkpoint(run, self.device)
        if state is None:
            return
        try:
            self.stage.network.load_state_dict(state["network"])
            self.stage.scaffold.load_state_dict(state.get("aids", {}))
            self.optimizer.load_state_dict(state["optimizer"])
        except (RuntimeError, ValueError):
            raise InstcolorError(f"{run / CHECKPOINT}: of another network or stage") from None
        self.average.update(state["average"])
        self.step, self.best = int(state["step"]), float(state.get("best", math.inf))
        say(f"{run}: goes on after step {self.step} of {self.total}")

    def run_until(self, last: int, run: Path, sinks: list[Sink]) -> None:
        """Trains to step `last`, or to the end where that comes first.

        The figures of every `log.every` steps go to the sinks; every `log.checkpoint_every` steps, and at the end, the
        photos held out are measured with the averaged weights, and a checkpoint is written to the folder `run`. Raises
        InstcolorError where the last of them cannot be saved.
        """
        last, config, batch_size = min(last, self.total), self.config, self.config.optimizer.batch
        sums, since, started = _Sums(), self.step, time.monotonic()
        with Progress(config.stage, self.step, self.total) as progress:
            for batch in batches(config, self.stage.samples, self.step, last, self.total):
                sums.add(self._learn(batch))
                progress.update(self.step)
                if self.step % config.log.every == 0 or self.step == last:
                    pace = (self.step - since) * batch_size / (time.monotonic() - started)
                    figures = {"samples": self.step * batch_size, "photos_per_second": round(pace, 2), **sums.means()}
                    progress.update(self.step, f"{pace:.1f} photos/s, loss {figures['loss']:.3f}")
                    for sink in sinks:
                        sink.log(self.step, figures)
                    sums, since, started = _Sums(), self.step, time.monotonic()
                if self.step % config.log.checkpoint_every == 0 or self.step == self.total:
                    before = time.monotonic()
                    self._keep(run, sinks)
                    started += time.monotonic() - before

    def _learn(self, batch: Any) -> dict[str, Tensor]:
        """One step of the optimizer; the loss and its parts."""
        config = self.config
        for group, rate in zip(self.optimizer.param_groups, self.rates, strict=True):
            group["lr"] = rate * schedule(config.optimizer, self.step, self.total)
        self.stage.train_mode()
        own = np.random.SeedSequence((config.seed, self.step, rank()))  # a run that goes on drops the same paths
        torch.manual_seed(int(own.generate_state(1)[0]))
        loss, parts = self.loss(moved(batch, self.device))
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        if clip := config.optimizer.clip:
            nn.utils.clip_grad_norm_([p for g in self.optimizer.param_groups for p in g["params"]], clip)
        self.optimizer.step()
        self.step += 1
        _follow(self.average, self.stage.network, min(config.optimizer.ema, self.step / (self.step + 10)))
        return {"loss": loss.detach(), **parts}

    def _keep(self, run: Path, sinks: list[Sink]) -> None:
        """Measures, draws and saves, in the first process; the others wait for it at the next step."""
        if rank() > 0:
            return
        measured, pictures = self._measure()
        better = measured.get("held_out", math.inf) < self.best
        if better:
            self.best = measured["held_out"]
        for sink in sinks:
            if measured or pictures:
                sink.log(self.step, measured, pictures)
        state = {
            "step": self.step,
            "best": self.best,
            "network": self.stage.network.state_dict(),
            "aids": self.stage.scaffold.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "average": self.average,
        }
        try:
            write_checkpoint(run, state, best=better)
        except OSError as error:
            reason = f"{run}: step {self.step} could not be saved ({error.strerror or error})"
            if self.step == self.total:
                raise InstcolorError(f"{reason}; run the same command again when there is room") from None
            say(f"{reason}; the training goes on, the older checkpoint stays")

    @torch.no_grad()
    def _measure(self) -> tuple[dict[str, float], dict[str, NDArray[np.uint8]]]:
        """Loss of the averaged weights on the photos held out, always on the same batches, and a table of results."""
        config, samples = self.config, self.stage.held_out
        share = max(1, config.optimizer.batch // world())
        sums, weights = _Sums(), 0
        pictures = {}
        with averaged(self.stage.network, self.average):
            for start in range(0, len(samples), share):
                indices = np.arange(start, min(start + share, len(samples)))
                batch = moved(fixed_batch(config, samples, HELD_OUT, indices), self.device)
                loss, parts = self.stage.loss(batch)
                sums.add({k: v * len(indices) for k, v in {"loss": loss, **parts}.items()})
                weights += len(indices)
            shown = samples if len(samples) else self.stage.samples
            if config.log.pictures:
                indices = np.arange(min(config.log.pictures, len(shown)))
                batch = moved(fixed_batch(config, shown, SHOWN, indices), self.device)
                pictures["results"] = table(self.stage.pictures(batch))
        named = {"held_out" if k == "loss" else f"held_out_{k}": v / weights for k, v in sums.totals().items()}
        return named, pictures


class _Loss(nn.Module):
    """A stage's loss as a module, which is what torch spreads over processes."""

    def __init__(self, stage: Stage):
        super().__init__()
        self.network, self.scaffold, self.stage = stage.network, stage.scaffold, stage

    def forward(self, batch: Any) -> tuple[Tensor, dict[str, Tensor]]:
        return self.stage.loss(batch)


class _Sums:
    """Running sums that stay on the device until somebody asks."""

    def __init__(self) -> None:
        self.sums: dict[str, Tensor] = {}
        self.count = 0

    def add(self, values: dict[str, Tensor]) -> None:
        self.count += 1
        for name, value in values.items():
            self.sums[name] = self.sums[name] + value if name in self.sums else value

    def totals(self) -> dict[str, float]:
        return {name: value.item() for name, value in self.sums.items()}

    def means(self) -> dict[str, float]:
        """Means over the steps and over all processes; these must all ask."""
        stacked = torch.stack([value.float() for value in self.sums.values()]) / self.count / world()
        if world() > 1:
            dist.all_reduce(stacked)
        return dict(zip(self.sums, stacked.tolist(), strict=True))


def schedule(settings: Optimizer, step: int, total: int) -> float:
    """Factor of the learning rates: linear warm-up, perhaps level, then half a cosine or a line to zero."""
    left = 1 - max(0.0, (step / total - settings.hold) / (1 - settings.hold))
    falling = {"cosine": 0.5 * (1 - math.cos(math.pi * left)), "linear": left}
    return min(1.0, (step + 1) / max(1, settings.warmup)) * falling[settings.schedule]


@torch.no_grad()
def _follow(average: dict[str, Tensor], network: nn.Module, decay: float) -> None:
    state = network.state_dict()
    floats = [k for k, v in state.items() if v.is_floating_point()]
    torch._foreach_lerp_([average[k] for k in floats], [state[k] for k in floats], 1 - decay)


@contextmanager
def averaged(network: nn.Module, average: dict[str, Tensor]) -> Iterator[None]:
    """The network with the averaged weights, in eval mode; its own are back afterwards, to the last bit."""
    own = {k: v.clone() for k, v in network.state_dict().items()}
    network.load_state_dict(average)
    network.eval()
    try:
        yield
    finally:
        network.load_state_dict(own)


def _note_config(run: Path, config: Config, step: int) -> None:
    """Keeps the settings in the run folder; says which ones are not those that the run began with."""
    path = run / "config.yaml"
    try:
        if step and (changed := _changed(path, config)):
            say(f"{run}: goes on with other settings than it began with: {', '.join(changed)}")
        path.write_text(config.to_yaml(), encoding="utf-8")
    except OSError as error:
        raise InstcolorError(f"{path}: cannot be written ({error.strerror})") from None


def _changed(path: Path, config: Config) -> list[str]:
    try:
        before = flat(Config.read(path).settings())
    except InstcolorError:  # none there, or one of an older version
        return []
    return [name for name, value in flat(config.settings()).items() if before.get(name) != value]
