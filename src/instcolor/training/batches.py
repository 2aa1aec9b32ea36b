"""Which photos a step sees: from its number alone, so that a resumed run sees what an unbroken one sees."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .config import Config
from .draws import Rngs
from .processes import rank, world
from .stage import Samples

ORDERS, TRAINING, HELD_OUT, SHOWN = range(4)  # what a stream of random numbers is for


def batches(config: Config, samples: Samples, first: int, last: int, total: int) -> Iterator[Any]:
    """This process's parts of the batches of steps `first` to `last` of `total`, made ahead in other threads."""
    steps = iter(range(first, last))
    with ThreadPoolExecutor(config.machine.workers) as pool:

        def submitted(count: int) -> Iterator[Future[Any]]:
            for step in islice(steps, count):
                yield pool.submit(make_batch, config, samples, step, total)

        waiting = deque(submitted(config.machine.workers))
        while waiting:
            batch = waiting.popleft().result()
            waiting.extend(submitted(1))
            yield batch


def make_batch(config: Config, samples: Samples, step: int, total: int) -> Any:
    """This process's part of one batch."""
    batch = config.optimizer.batch
    places = np.arange(step * batch, (step + 1) * batch)[rank() :: world()]
    indices = photo_order(config.seed, len(samples), places)
    return samples.batch(indices, config.size_at(step / total), generators(config, TRAINING, places))


def fixed_batch(config: Config, samples: Samples, stream: int, indices: NDArray[np.int64]) -> Any:
    """The same batch of these photos whenever it is asked for, at the last size of the training."""
    return samples.batch(indices, config.size_at(1), generators(config, stream, indices))


def photo_order(seed: int, count: int, places: NDArray[np.int64]) -> NDArray[np.int64]:
    """(k,) which of the `count` photos stand at `places` (k,): every photo once in a random order, then in another."""
    orders = {
        epoch: np.random.default_rng((seed, ORDERS, epoch)).permutation(count)
        for epoch in np.unique(places // count).tolist()
    }
    return np.array([orders[place // count][place % count] for place in places.tolist()])


def generators(config: Config, stream: int, places: NDArray[np.int64]) -> Rngs:
    """A random generator for each of `places` (k,) in the order of photos: of seed, stream and place alone."""
    return [np.random.default_rng((config.seed, stream, place)) for place in places.tolist()]


def moved(batch: Any, device: torch.device) -> Any:
    """The same tuples and lists with their tensors on a device."""
    if isinstance(batch, Tensor):
        return batch.to(device, non_blocking=True)
    if isinstance(batch, tuple) and hasattr(batch, "_fields"):
        return type(batch)(*(moved(part, device) for part in batch))
    if isinstance(batch, tuple | list):
        return type(batch)(moved(part, device) for part in batch)
    return batch
