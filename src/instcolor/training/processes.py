"""Training in several processes, as `torchrun` starts them: one device each, one result."""

from __future__ import annotations

import atexit
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, cast

import torch
import torch.distributed as dist
from torch import Tensor, nn

PATIENCE = timedelta(hours=24)  # of the processes that wait while the first one decodes the photos


def rank() -> int:
    """The number of this process, 0 where there is one alone."""
    return dist.get_rank() if dist.is_initialized() else 0


def world() -> int:
    """How many processes train together."""
    return dist.get_world_size() if dist.is_initialized() else 1


def say(line: str) -> None:
    """One line on stderr, from one process."""
    if rank() == 0:
        print(line, file=sys.stderr)


def join(device: str) -> torch.device:
    """Joins the other processes where `torchrun` started some; gives this process its device ("auto", "cpu", "cuda").

    They stay joined until they end: a second meeting in one process finds the traces of the first.
    """
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    if device == "cuda":
        device = f"cuda:{os.environ.get('LOCAL_RANK', 0)}"
    chosen = torch.device(device)
    if chosen.type == "cuda":
        torch.cuda.set_device(chosen)
    if int(os.environ.get("WORLD_SIZE", 1)) > 1 and not dist.is_initialized():
        dist.init_process_group("nccl" if chosen.type == "cuda" else "gloo", timeout=PATIENCE)
        atexit.register(dist.destroy_process_group)
    return chosen


def has_bf16(device: torch.device) -> bool:
    """Whether a device computes in bf16 itself; where it only imitates that, float32 is faster."""
    if device.type == "cuda":
        answer: bool = torch.cuda.is_bf16_supported(including_emulation=False)
        return answer
    if not hasattr(torch.cpu, "get_capabilities"):  # an older torch, which cannot tell
        return True
    capabilities = torch.cpu.get_capabilities()
    return any(capabilities.get(name) for name in ("avx512_bf16", "amx_bf16", "bf16"))


def autocast(bf16: bool, device: torch.device) -> torch.autocast:
    """A context in which what gains from it is computed in bfloat16, if `bf16`."""
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=bf16)


@contextmanager
def first_process_first() -> Iterator[None]:
    """What is inside is done by the first process, then by all others, who find its files."""
    if rank() > 0:
        dist.barrier()
    yield
    if rank() == 0 and world() > 1:
        dist.barrier()


class _Mean(torch.autograd.Function):
    """The mean of a tensor over all processes; so is the gradient that comes back, as each has a part of the loss."""

    @staticmethod
    def forward(_: Any, x: Tensor) -> Tensor:
        return _mean(x)

    @staticmethod
    def backward(_: Any, *gradient: Tensor) -> Tensor:
        return _mean(gradient[0])


def _mean(x: Tensor) -> Tensor:
    x = x / world()
    dist.all_reduce(x)
    return x


class GlobalBatchNorm(nn.BatchNorm2d):
    """BatchNorm whose statistics in training are those of all processes' batches (of equal size) together.

    torch's own SyncBatchNorm does this on GPUs only.
    """

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) normalized, in its own type; the statistics are kept in float32."""
        if not self.training:
            return super().forward(x)
        assert self.running_mean is not None
        assert self.running_var is not None
        assert self.momentum is not None
        dtype, x = x.dtype, x.float()
        count = x.numel() // x.shape[1] * world()
        mean = _Mean.apply(x.mean((0, 2, 3)))  # type: ignore[no-untyped-call]
        centered = x - mean[:, None, None]
        variance = _Mean.apply(centered.square().mean((0, 2, 3)))  # type: ignore[no-untyped-call]
        with torch.no_grad():
            self.running_mean.lerp_(mean, self.momentum)
            self.running_var.lerp_(variance * count / (count - 1), self.momentum)
            if self.num_batches_tracked is not None:
                self.num_batches_tracked += 1
        scale = self.weight * (variance + self.eps).rsqrt()
        answer: Tensor = (centered * scale[:, None, None] + self.bias[:, None, None]).to(dtype)
        return answer

    @classmethod
    def replace_in(cls, network: nn.Module) -> None:
        """Puts it in the place of every BatchNorm of a network; parameters and their names stay."""
        for module in list(network.modules()):
            for name, child in list(module.named_children()):
                if type(child) is nn.BatchNorm2d:
                    new = cls(child.num_features, child.eps, cast(float, child.momentum))
                    new.weight, new.bias = child.weight, child.bias
                    new.running_mean, new.running_var = child.running_mean, child.running_var
                    new.num_batches_tracked = child.num_batches_tracked
                    new.train(child.training)
                    setattr(module, name, new)
