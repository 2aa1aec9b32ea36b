"""Color that makes up its mind: regions of a photo pool what the network says about them.

The distribution has several likely colors, and each place chooses among them alone, so one jacket is half blue and half
red. Places that look alike and lie near each other, or belong to one object, form regions, softly: k-means over
lightness, the network's own color, position and the objects' masks. Every place keeps a part of its own answer and
takes the rest from its regions' means. Means of logits keep a likely color where means of colors would give mud.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .runtime.model import Answer
from .upsampling import resize_plane, upsample_plane

Plane = NDArray[np.float32]

SHARE = 0.75  # of a place's answer that comes from its regions
REGIONS = 12
ROUNDS = 5  # of k-means
LIGHTNESS, COLOR = 12.0, 5.0  # Lab units that count as a distance of 1
POSITION, OBJECT = 4.0, 2.0  # distance across the photo, and between an object and what is not it


def coherent(answer: Answer, L: Plane, objects: Sequence[Plane] = ()) -> Answer:
    """The answer of a photo with L* (H, W), pooled; `objects` are planes of the logits' grid (h, w), 0..1."""
    grid = answer.logits.shape[:2]
    ab = np.stack([resize_plane(answer.ab[..., i], grid) for i in range(2)], -1)
    share = _regions(_features(resize_plane(L, grid), ab, objects))
    logits = _pooled(answer.logits, share)
    change = _pooled(ab, share) - ab
    if answer.ab.shape[:2] != grid:
        change = np.stack([upsample_plane(change[..., i], answer.ab.shape[:2]) for i in range(2)], -1)
    return Answer(answer.ab + change, logits)


def _features(L: Plane, ab: Plane, objects: Sequence[Plane]) -> Plane:
    """(h * w, n) in which two places are the further apart the less they belong together."""
    height, width = L.shape
    y, x = (np.arange(side, dtype=np.float32) * (POSITION / max(height, width)) for side in (height, width))
    rows, columns = np.broadcast_to(y[:, None], L.shape), np.broadcast_to(x, L.shape)
    covers = [plane * OBJECT for plane in objects]
    planes = [L / LIGHTNESS, ab[..., 0] / COLOR, ab[..., 1] / COLOR, rows, columns, *covers]
    return np.stack(planes, -1).reshape(L.size, -1).astype(np.float32)


def _regions(features: Plane) -> Plane:
    """(n, regions) how far each place belongs to each region; rows sum to 1."""
    centers = [features.mean(0)]
    nearest = _distances(features, centers[0][None])[:, 0]
    for _ in range(REGIONS - 1):  # what is furthest from all others begins a region
        centers.append(features[nearest.argmax()])
        nearest = np.minimum(nearest, _distances(features, centers[-1][None])[:, 0])
    found = np.stack(centers)
    for _ in range(ROUNDS):
        own = np.eye(REGIONS, dtype=np.float32)[_distances(features, found).argmin(1)]
        count = own.sum(0)[:, None]
        found = np.where(count > 0, own.T @ features / np.maximum(count, 1), found)
    distances = _distances(features, found)
    share = np.exp(distances.min(1, keepdims=True) - distances)
    return np.asarray(share / share.sum(1, keepdims=True), np.float32)


def _distances(features: Plane, centers: Plane) -> Plane:
    """(n, k) squared."""
    return np.asarray((features**2).sum(1)[:, None] - 2 * features @ centers.T + (centers**2).sum(1), np.float32)


def _pooled(planes: Plane, share: Plane) -> Plane:
    """Planes (h, w, c), each place partly as its regions are."""
    flat = planes.reshape(len(share), -1)
    means = share.T @ flat / np.maximum(share.sum(0), 1e-6)[:, None]
    return np.asarray((1 - SHARE) * flat + SHARE * (share @ means), np.float32).reshape(planes.shape)
