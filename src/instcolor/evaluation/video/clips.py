"""Short films with known colors: made from photographs, where the motion is known too, or taken from films in color.

A made clip is gray as old film is: with grain, and with light that flickers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from ...errors import VideoError
from ...video.coding import BT601, MATRICES, Coding, Floats, Plane
from ...video.encoding import fitted
from ...video.motion import Flow, small_gray
from ...video.reading import Film
from ..metrics import Picture

WIDTH, HEIGHT, COUNT = 480, 270, 24
KINDS = ("pan", "zoom", "thing", "cut")
GRAIN, FLICKER = 6.0, 0.03  # standard deviations: gray values of 256, share of the brightness
THING = (110, 130)  # height and width of what moves over a still background
STEP = 8.0  # pixels that it moves a frame
MOST = 240  # frames of a film that are measured
TRUSTED = 0.5  # of the flow of a real film, from which a place counts
CODING = Coding(full_range=True, matrix=BT601)
"""Of clips, whatever the film had."""


class Move(NamedTuple):
    """Where the things of a frame were in the frame before."""

    places: Floats  # (h, w, 2) x and y in pixels of that frame
    known: NDArray[np.bool_]  # (h, w) whether it shows them


@dataclass(eq=False)
class Clip:
    """A film with known colors."""

    name: str
    source: str
    """The photo or the film that it is from."""
    kind: str
    Y: list[Plane] = field(default_factory=list)
    """What is colored, (h, w) uint8 in the coding `CODING`."""
    clean: list[Plane] = field(default_factory=list)
    """The same without grain and flicker; of real films the same."""
    UV: list[tuple[Plane, Plane]] = field(default_factory=list)
    """The true colors, planes of half the sides."""
    moves: list[Move | None] = field(default_factory=list)
    """None for the first frame of a scene."""


@dataclass(frozen=True)
class Camera:
    """What a frame shows of a photo: its center and scale, in pixels of the photo."""

    x: float
    y: float
    scale: float

    def view(self, photo: Picture) -> Picture:
        """(HEIGHT, WIDTH, 3)"""
        matrix = np.array(
            [[self.scale, 0, self.x - self.scale * WIDTH / 2], [0, self.scale, self.y - self.scale * HEIGHT / 2]]
        )
        way = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        seen = cv2.warpAffine(photo, matrix, (WIDTH, HEIGHT), flags=way, borderMode=cv2.BORDER_REFLECT)
        return np.asarray(seen, np.uint8)

    def since(self, before: Camera) -> Move:
        """From this view to the one before."""
        y, x = np.indices((HEIGHT, WIDTH), np.float32)
        x = (self.x + self.scale * (x - WIDTH / 2) - before.x) / before.scale + WIDTH / 2
        y = (self.y + self.scale * (y - HEIGHT / 2) - before.y) / before.scale + HEIGHT / 2
        known = (x >= 0) & (x <= WIDTH - 1) & (y >= 0) & (y <= HEIGHT - 1)
        return Move(np.stack([x, y], -1).astype(np.float32), known)


def made(name: str, photo: Picture, other: Picture, seed: int) -> Iterator[Clip]:
    """A clip of each kind from a photo (h, w, 3), with a thing, or a scene after a cut, from another one."""
    shots: dict[str, Callable[[], Iterator[tuple[Picture, Move | None]]]] = {
        "pan": lambda: _moved(photo, range(COUNT), reach=0.9, seed=seed),
        "zoom": lambda: _moved(photo, range(COUNT), reach=0.2, seed=seed, zoom=0.35),
        "thing": lambda: _thing(photo, other),
        "cut": lambda: _cut(photo, other, seed),
    }
    for kind in KINDS:
        rng = np.random.default_rng((seed, KINDS.index(kind)))
        clip = Clip(f"{name}, {kind}", name, kind)
        for picture, move in shots[kind]():
            Y, U, V = _planes(picture)
            grain = cv2.GaussianBlur(rng.standard_normal(Y.shape).astype(np.float32), (0, 0), 0.7)
            old = Y * (1 + FLICKER * rng.standard_normal()) + GRAIN / grain.std() * grain
            clip.Y.append(np.rint(old).clip(0, 255).astype(np.uint8))
            clip.clean.append(Y)
            clip.UV.append((U, V))
            clip.moves.append(move)
        yield clip


def real(path: Path) -> Clip:
    """The first `MOST` frames of a film in color, of 8 bits. Raises VideoError."""
    film = Film.open(path)
    if film.is_gray or film.coding.bits != CODING.bits:
        raise VideoError(f"{film.name}: films in color of {CODING.bits} bits a channel are measured")
    clip = Clip(film.name, film.name, "film")
    shape = -(-film.height // 2), -(-film.width // 2)
    for frame in film.frames(0, min(MOST, len(film.times))):
        U, V = (fitted(plane, frame.Y.shape) for plane in frame.UV or ())
        Y, U, V = _planes(np.rint(255 * film.coding.color(frame.Y, U, V)).astype(np.uint8), shape)
        clip.Y.append(Y)
        clip.UV.append((U, V))
    clip.clean = clip.Y
    clip.moves = [None, *(_flow(before, Y) for before, Y in pairwise(clip.Y))]
    return clip


def _flow(before: Plane, Y: Plane) -> Move:
    """The motion that the film's light shows, where it is to be trusted."""
    back, _ = Flow().between(small_gray(Y, CODING.bits), small_gray(before, CODING.bits))
    flow, sure = back.at((Y.shape[0], Y.shape[1]))
    y, x = np.indices(Y.shape, np.float32)
    return Move(np.stack([x, y], -1) + flow, sure > TRUSTED)


def _moved(
    photo: Picture, times: range, *, reach: float, seed: int, zoom: float = 0.0
) -> Iterator[tuple[Picture, Move | None]]:
    """A camera that crosses `reach` of the room that a photo leaves it, in a direction of its own, and nears it."""
    height, width = photo.shape[:2]
    fit = min(width / WIDTH, height / HEIGHT)
    photo = _soft(photo, 0.3 * fit)
    angle = np.random.default_rng(seed).uniform(0, 2 * np.pi)
    before: Camera | None = None
    for time in times:
        way = time / (COUNT - 1) - 0.5
        scale = 0.8 * fit * (1 + zoom * way)
        room_x, room_y = max(width - scale * WIDTH, 0), max(height - scale * HEIGHT, 0)
        x, y = width / 2 + reach * way * room_x * np.cos(angle), height / 2 + reach * way * room_y * np.sin(angle)
        camera = Camera(x, y, scale)
        yield camera.view(photo), camera.since(before) if before else None
        before = camera


def _cut(photo: Picture, other: Picture, seed: int) -> Iterator[tuple[Picture, Move | None]]:
    half = COUNT // 2
    yield from _moved(photo, range(half), reach=0.4, seed=seed, zoom=0.1)
    yield from _moved(other, range(half, COUNT), reach=0.4, seed=seed, zoom=0.1)


def _thing(photo: Picture, other: Picture) -> Iterator[tuple[Picture, Move | None]]:
    """An oval piece of another photo that moves over a photo that stands still."""
    height, width = photo.shape[:2]
    fit = min(width / WIDTH, height / HEIGHT)
    background = Camera(width / 2, height / 2, 0.95 * fit).view(_soft(photo, 0.3 * fit)).astype(np.float32)
    rows, columns = THING
    scale = 0.7 * min(other.shape[1] / columns, other.shape[0] / rows)
    corner = other.shape[1] / 2 - scale * columns / 2, other.shape[0] / 2 - scale * rows / 2
    piece = cv2.warpAffine(
        _soft(other, 0.3 * scale),
        np.array([[scale, 0, corner[0]], [0, scale, corner[1]]]),
        (columns, rows),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
    ).astype(np.float32)
    y, x = np.indices(THING, np.float32)
    off = np.hypot((x - columns / 2 + 0.5) / (columns / 2), (y - rows / 2 + 0.5) / (rows / 2))
    oval = np.clip(12 * (1 - off), 0, 1).astype(np.float32)
    y, x = np.indices((HEIGHT, WIDTH), np.float32)
    grid = np.stack([x, y], -1)
    before: tuple[NDArray[np.float32], Floats] | None = None
    for time in range(COUNT):
        place = np.array([20 + STEP * time, 70 + 30 * np.sin(time / 6)], np.float32)
        shift = np.array([[1, 0, place[0]], [0, 1, place[1]]])
        cover = np.asarray(cv2.warpAffine(oval, shift, (WIDTH, HEIGHT)), np.float32)
        front = cv2.warpAffine(piece, shift, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REPLICATE)
        picture = background * (1 - cover[..., None]) + front * cover[..., None]
        move = None
        if before:
            inside = cover > 0.5
            places = grid + inside[..., None] * (before[0] - place)
            edge = (cover > 0.02) & (cover < 0.98)
            move = Move(places.astype(np.float32), ~edge & ~(~inside & (before[1] > 0.02)))
        yield np.rint(picture).astype(np.uint8), move
        before = place, cover


def _soft(photo: Picture, sigma: float) -> Picture:
    """A photo that can be seen smaller without moire."""
    return np.asarray(cv2.GaussianBlur(photo, (0, 0), max(0.1, sigma)), np.uint8)


def _planes(picture: Picture, shape: tuple[int, int] = (-(-HEIGHT // 2), WIDTH // 2)) -> tuple[Plane, Plane, Plane]:
    """Y of a picture's size, U and V of `shape`, in the coding `CODING`."""
    red, blue = MATRICES[CODING.matrix]
    rgb = picture.astype(np.float32)
    luma = rgb @ np.array([red, 1 - red - blue, blue], np.float32)
    U, V = (
        cv2.resize((rgb[..., channel] - luma) / (2 - 2 * share), shape[::-1], interpolation=cv2.INTER_AREA)
        for channel, share in ((2, blue), (0, red))
    )
    Y, U, V = (np.rint(plane).clip(0, 255).astype(np.uint8) for plane in (luma, U + 128, V + 128))
    return Y, U, V
