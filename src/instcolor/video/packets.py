"""A scene's encoded pictures in a file of its own, so that a film that was broken off goes on behind them.

Containers round timestamps, each in its own way; here a packet is kept as the encoder gave it.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av

RECORD = struct.Struct("<qqqBI")  # pts, dts, duration, key frame or not, bytes


def pack(packet: Any, duration: int) -> bytes:
    """A packet as a record; timestamps stay in the encoder's time base."""
    data = bytes(packet)
    return RECORD.pack(packet.pts, packet.dts, duration, packet.is_keyframe, len(data)) + data


def unpack(path: Path, time_base: Fraction) -> Iterator[Any]:
    """The packets of a file, one at a time."""
    with open(path, "rb") as file:
        while head := file.read(RECORD.size):
            pts, dts, duration, is_key, size = RECORD.unpack(head)
            packet = av.Packet(file.read(size))
            packet.pts, packet.dts, packet.duration, packet.time_base = pts, dts, duration, time_base
            packet.is_keyframe = bool(is_key)
            yield packet


def in_order(packets: Iterable[Any]) -> Iterator[Any]:
    """The same with decoding times that always grow: those of two scenes, encoded apart, may overlap."""
    last = None
    for packet in packets:
        if last is not None and packet.dts <= last:
            packet.dts = last + 1
        last = packet.dts
        yield packet
