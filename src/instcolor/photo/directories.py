"""Directories of TIFF and EXIF, read and written again without a word of their values being understood.

TIFF 6.0, section 2, and BigTIFF. A value stays the bytes that the file has, so that texts in any encoding and fields of
any maker come through unchanged.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import IO, Literal, NamedTuple

Order = Literal["<", ">"]
EXIF, GPS, INTEROP = 34665, 34853, 40965
INNER = frozenset({EXIF, GPS})
"""Tags whose value is the place of another directory."""
MAX_ENTRIES = 4096  # of a directory; the fullest real ones have some hundreds
MAX_VALUES = 32 << 20  # bytes of all values of a directory and of those inside it
WIDTHS = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
"""Bytes of one value of each type."""
PARTS = {5: 4, 10: 4}  # a fraction is two numbers
INTEGERS = {1: "B", 3: "H", 4: "I", 6: "b", 8: "h", 9: "i", 13: "I", 16: "Q", 17: "q", 18: "Q"}
BYTE, ASCII, SHORT, LONG, RATIONAL, UNDEFINED, LONG8 = 1, 2, 3, 4, 5, 7, 16


class Entry(NamedTuple):
    """The values of a tag, as bytes in the order of their directory."""

    kind: int
    amount: int
    data: bytes


@dataclass
class Directory:
    """Entries by tag, and the directories inside this one by the tag that points to them."""

    order: Order = "<"
    entries: dict[int, Entry] = field(default_factory=dict)
    inner: dict[int, Directory] = field(default_factory=dict)
    after: int = 0
    """Where the next directory of the file stands; 0 where there is none."""
    damaged: bool = False
    """Whether entries were left out because their values lie outside the file or make no sense."""

    def __bool__(self) -> bool:
        return bool(self.entries or self.inner)

    def numbers(self, tag: int) -> tuple[int, ...]:
        """The whole numbers of a tag; none where it is missing or of another type."""
        entry = self.entries.get(tag)
        if entry is None or entry.kind not in INTEGERS:
            return ()
        return struct.unpack(f"{self.order}{entry.amount}{INTEGERS[entry.kind]}", entry.data)

    def number(self, tag: int, otherwise: int = 0) -> int:
        """The first of them."""
        return next(iter(self.numbers(tag)), otherwise)

    def put(self, tag: int, kind: int, values: Iterable[int] | bytes) -> None:
        """Sets a tag to whole numbers of a type, or to bytes."""
        if isinstance(values, bytes):
            self.entries[tag] = Entry(kind, len(values), values)
            return
        values = list(values)
        self.entries[tag] = Entry(kind, len(values), struct.pack(f"{self.order}{len(values)}{INTEGERS[kind]}", *values))

    def put_ratio(self, tag: int, value: float, denominator: int = 1000) -> None:
        """Sets a tag to a fraction."""
        self.entries[tag] = Entry(RATIONAL, 1, struct.pack(f"{self.order}II", round(value * denominator), denominator))

    def ordered(self, order: Order) -> Directory:
        """The same with its values in a byte order."""
        if order == self.order:
            return self
        entries = {tag: entry._replace(data=_turned(entry)) for tag, entry in self.entries.items()}
        return Directory(order, entries, {tag: inside.ordered(order) for tag, inside in self.inner.items()})

    def written(self, place: int, *, big: bool = False, after: int = 0) -> bytes:
        """The bytes of this directory at an even `place` of a file, its values and inner directories behind it."""
        tags = sorted({*self.entries, *self.inner})
        count, width, room = ("Q", 20, 8) if big else ("H", 12, 4)
        head = struct.calcsize(f"<{count}") + width * len(tags) + room
        head += head % 2
        rows, tail = [struct.pack(self.order + count, len(tags))], bytearray()
        for tag in tags:
            if tag in self.inner:
                spot = place + head + len(tail)
                tail += self.inner[tag].written(spot, big=big)
                kind, number, data = LONG8 if big else LONG, 1, struct.pack(self.order + "IQ"[big], spot)
            else:
                kind, number, data = self.entries[tag]
                if len(data) > room:
                    spot = place + head + len(tail)
                    tail += data + bytes(len(data) % 2)
                    data = struct.pack(self.order + "IQ"[big], spot)
            rows.append(struct.pack(self.order + "HHIQ"[:2] + "IQ"[big], tag, kind, number) + data.ljust(room, b"\0"))
        rows.append(struct.pack(self.order + "IQ"[big], after))
        body = b"".join(rows)
        return body + bytes(head - len(body)) + bytes(tail)


class Header(NamedTuple):
    """How a TIFF file begins: its byte order, whether it is a BigTIFF, where its first directory is."""

    order: Order
    big: bool
    first: int


def read_header(stream: IO[bytes]) -> Header:
    """The header at the start of a stream. ValueError where it is none."""
    stream.seek(0)
    start = stream.read(16)
    order: Order = "<" if start[:2] == b"II" else ">"
    if len(start) < 8 or start[:2] not in (b"II", b"MM"):
        raise ValueError("not a TIFF header")
    if struct.unpack_from(f"{order}H", start, 2)[0] != 43:
        return Header(order, False, struct.unpack_from(f"{order}I", start, 4)[0])
    if len(start) < 16:
        raise ValueError("not a TIFF header")
    return Header(order, True, struct.unpack_from(f"{order}Q", start, 8)[0])


def read_directory(
    stream: IO[bytes], header: Header, place: int, wanted: Callable[[int], bool] = lambda tag: True
) -> Directory:
    """The directory at `place`, of its tags the wanted, of those inside it all. ValueError where it is none."""
    end = stream.seek(0, io.SEEK_END)
    return _read(stream, header, place, end, [MAX_VALUES], wanted, INNER)


def from_block(block: bytes, wanted: Callable[[int], bool] = lambda tag: True) -> Directory:
    """The first directory of an EXIF block, with or without its prefix. ValueError where there is none."""
    stream = io.BytesIO(block.removeprefix(b"Exif\0\0"))
    header = read_header(stream)
    return read_directory(stream, header, header.first, wanted)


def to_block(directory: Directory, *, empty: bool = False) -> bytes:
    """An EXIF block with its prefix; b"" for an empty directory unless an `empty` block is asked for."""
    if not directory and not empty:
        return b""
    start = (b"II*\0" if directory.order == "<" else b"MM\0*") + struct.pack(f"{directory.order}I", 8)
    return b"Exif\0\0" + start + directory.written(8)


def _read(
    stream: IO[bytes],
    header: Header,
    place: int,
    end: int,
    left: list[int],
    wanted: Callable[[int], bool],
    pointers: frozenset[int],
) -> Directory:
    order, big, _ = header
    found = Directory(order)
    stream.seek(place)
    counted = stream.read(8 if big else 2)
    if place < 8 or len(counted) < (8 if big else 2):
        raise ValueError("a directory outside the file")
    (count,) = struct.unpack(order + "HQ"[big], counted)
    width, room = (20, 8) if big else (12, 4)
    if count > MAX_ENTRIES:
        raise ValueError("a directory of too many entries")
    rows = stream.read(width * count + room)
    for number in range(count):
        row = rows[width * number : width * (number + 1)]
        if len(row) < width:
            raise ValueError("a directory without an end")
        tag, kind, amount = struct.unpack_from(f"{order}HH" + "IQ"[big], row)
        size = WIDTHS.get(kind, 0) * amount
        if tag in found.entries or tag in found.inner or not wanted(tag):
            continue
        spot = struct.unpack_from(order + "IQ"[big], row, width - room)[0] if size > room or tag in pointers else 0
        if tag in pointers:
            try:
                found.inner[tag] = _read(stream, header, spot, end, left, lambda tag: tag != INTEROP, frozenset())
            except ValueError:
                found.damaged = True
            continue
        left[0] -= size
        if not size or left[0] < 0 or spot + size > end:
            found.damaged = found.damaged or bool(amount)
            continue
        stream.seek(spot)
        data = stream.read(size) if size > room else row[width - room :][:size]
        found.entries[tag] = Entry(kind, amount, data)
    if len(rows) == width * count + room:
        (found.after,) = struct.unpack_from(order + "IQ"[big], rows, width * count)
    return found


def _turned(entry: Entry) -> bytes:
    """The data of an entry in the other byte order."""
    width = PARTS.get(entry.kind, WIDTHS[entry.kind])
    pieces = (entry.data[i : i + width][::-1] for i in range(0, len(entry.data), width))
    return entry.data if width == 1 else b"".join(pieces)
