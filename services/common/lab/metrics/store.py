"""A worker's counters in a file of doubles that another process can read at any moment.

A file is: one double with the length of the series' text, the text (one JSON line a series: name,
labels, place), then the doubles. It is mapped, so a count costs a memory write and a
saturated or dying worker is read as well as an idle one.
"""

from __future__ import annotations

import json
import mmap
import os
import struct
import time
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

TEXT_BYTES = 1 << 18
FILE_BYTES = 1 << 20  # sparse: only pages that are used take memory
_FIRST = (8 + TEXT_BYTES) // 8
_LAST = FILE_BYTES // 8

BOUNDS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
HISTOGRAM_SIZE = len(BOUNDS_S) + 2  # the sum, then one count a bucket and one beyond the last
FIRST_S = BOUNDS_S[0]


class StoreFullError(Exception):
    """More series than the file has room for: a label has no bound."""


@dataclass(frozen=True)
class Series:
    """One labelled series as read back: a single value, or a histogram's sum and buckets."""

    name: str
    labels: Mapping[str, str]
    values: tuple[float, ...]


def bucket(seconds: float) -> int:
    """Which double of a histogram counts so long a time; 1 up to FIRST_S, where most belong."""
    return 1 + bisect_left(BOUNDS_S, seconds)


class Store:
    """The counters of this process: `<pid>-<start>.lab` in `directory`, or only in memory."""

    def __init__(self, directory: Path | None) -> None:
        self._map = _mapped(directory)
        self.values = memoryview(self._map).cast("d")
        self._next = _FIRST

    def reserve(self, name: str, labels: Mapping[str, str] | None = None, size: int = 1) -> int:
        """Room for one series; returns the index of its first double."""
        index = self._next
        line = json.dumps([name, dict(labels or {}), index, size], separators=(",", ":")) + "\n"
        encoded = line.encode()
        used = int(self.values[0])
        if index + size > _LAST or used + len(encoded) > TEXT_BYTES:
            raise StoreFullError(f"no room for {name}; a label must have few values")
        self._map[8 + used : 8 + used + len(encoded)] = encoded
        self._next = index + size
        # Last, so that a reader never sees half a line.
        self.values[0] = used + len(encoded)
        return index


def read(path: Path) -> list[Series]:
    """Every series of one worker's file; an empty list where the file is not whole yet."""
    data = path.read_bytes()
    if len(data) < FILE_BYTES:
        return []
    (length,) = struct.unpack_from("d", data)
    lines = data[8 : 8 + int(length)].decode().splitlines()
    return [
        Series(name, labels, struct.unpack_from(f"{size}d", data, index * 8))
        for name, labels, index, size in map(json.loads, lines)
    ]


def pid_of(path: Path) -> int:
    """The process that wrote a file."""
    return int(path.name.partition("-")[0])


def _mapped(directory: Path | None) -> mmap.mmap:
    if directory is None:
        return mmap.mmap(-1, FILE_BYTES)
    # The time keeps a worker apart from a dead one that had the same pid.
    path = directory / f"{os.getpid()}-{time.time_ns()}.lab"
    with path.open("xb+") as file:
        file.truncate(FILE_BYTES)
        return mmap.mmap(file.fileno(), FILE_BYTES)
