"""A machine that is busy on purpose: processes that compute beside what is measured."""

from __future__ import annotations

import argparse
import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from loadtest.model.counts import number_of
from loadtest.run.witnesses import procfs

MOST = 64
# It ends with the benchmark, however that ends.
SPIN = "import os\nstarted = os.getppid()\nwhile os.getppid() == started:\n    sum(range(100_000))"


@dataclass(frozen=True)
class _Used:
    """CPU seconds so far: of the spinning processes, of the whole benchmark with these, idle."""

    at: float
    spun_s: float
    own_s: float
    idle_s: float
    stolen_s: float


class Beside:
    """Processes that compute beside a benchmark, and who has had the cores since they started."""

    def __init__(self, pids: Sequence[int]) -> None:
        self._pids = tuple(pids)
        self._before = self._read()

    def told(self) -> str:
        """How busy the machine was, in cores."""
        before, after = self._before, self._read()
        lasted_s = max(after.at - before.at, 1e-6)
        spun, own, idle, stolen = (
            (getattr(after, name) - getattr(before, name)) / lasted_s
            for name in ("spun_s", "own_s", "idle_s", "stolen_s")
        )
        cores = len(procfs.cores()) or os.cpu_count() or 1
        others = max(0.0, cores - idle - stolen - own)
        return (
            f"of {number_of(cores, 'core')} the busy processes had {spun:.2f}, the benchmark "
            f"{max(0.0, own - spun):.2f}, other programs {others:.2f}; {idle:.2f} were idle"
        )

    def _read(self) -> _Used:
        cores = procfs.cores().values()
        spinning = [stat for pid in self._pids if (stat := procfs.read(pid))]
        return _Used(
            at=time.monotonic(),
            spun_s=sum(each.cpu_s for each in spinning),
            own_s=sum(each.cpu_s for each in procfs.tree(os.getpid()).values()),
            idle_s=sum(each.idle_s for each in cores),
            stolen_s=sum(each.stolen_s for each in cores),
        )


def add_option(parser: argparse.ArgumentParser) -> None:
    """`--busy`, as every benchmark of a busy machine has it."""
    parser.add_argument(
        "--busy",
        type=_count,
        nargs="?",
        const=os.cpu_count() or 1,
        default=0,
        metavar="N",
        help="a busy machine: N processes compute all the time, one a core if no number is given",
    )


def described(count: int) -> str:
    """The machine that the benchmark makes, in words."""
    if not count:
        return "the machine as it is"
    verb = "computes" if count == 1 else "compute"
    return f"a busy machine: {number_of(count, 'process')} {verb} all the time, at usual priority"


@contextlib.contextmanager
def spinning(count: int) -> Iterator[Beside]:
    """So many processes that compute, until the block ends."""
    running: list[subprocess.Popen[bytes]] = []
    try:
        running.extend(_computing() for _ in range(count))
        yield Beside([each.pid for each in running])
    finally:
        for each in running:
            each.kill()
            each.wait()


def _computing() -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", SPIN], stderr=subprocess.DEVNULL)


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) > MOST:
        raise argparse.ArgumentTypeError(f"{text!r}: give 0 to {MOST} processes")
    return int(text)
