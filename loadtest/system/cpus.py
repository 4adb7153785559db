"""Which cores serve and which ones load, and what control groups leave of them."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc/self")


@dataclass(frozen=True)
class Cpus:
    """Which cores serve and which ones load; None where there is nothing to keep apart."""

    service: frozenset[int] | None
    load: frozenset[int] | None

    @staticmethod
    def split() -> Cpus:
        """One core for the service under test; load generator and Postgres share the others.

        A quota of CPU around the lab leaves it as many cores as it pays for.
        """
        if not hasattr(os, "sched_getaffinity"):
            return Cpus(None, None)
        allowed = sorted(os.sched_getaffinity(0))
        quota = quota_cores()
        # On more cores than the quota is for, the kernel would stop the lab again and again.
        first, *others = allowed[: max(1, int(quota))] if quota else allowed
        if not others:
            return Cpus(None, None) if len(allowed) == 1 else Cpus(*[frozenset({first})] * 2)
        return Cpus(frozenset({first}), frozenset(others))

    def widened(self, cores: int) -> Cpus:
        """With so many cores for the service; the load has what is left, or shares them all."""
        if cores == 1 or self.service is None or self.load is None:
            return self
        there = sorted(self.service | self.load)
        service, others = there[:cores], there[cores:]
        return Cpus(frozenset(service), frozenset(others or service))

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.service | self.load) if self.service and self.load else os.cpu_count() or 1


def allowed(pid: int = 0) -> frozenset[int] | None:
    """The cores that a process may run on, 0 for this one; None where no system says.

    Raises OSError where there is no such process.
    """
    return frozenset(os.sched_getaffinity(pid)) if hasattr(os, "sched_getaffinity") else None


def usable() -> frozenset[int] | None:
    """The cores that programs here may use, as many as a quota pays for; None where none says."""
    cores = allowed()
    return None if cores is None else paid(cores)


def paid(cores: frozenset[int]) -> frozenset[int]:
    """As many of these cores as a quota around this process pays for; all without a quota."""
    quota = quota_cores()
    return frozenset(sorted(cores)[: max(1, round(quota))]) if quota else cores


def quota_cores(proc: Path = PROC) -> float | None:
    """The smallest quota on any level, in cores; None where there is none."""
    return min((quota for level in _levels(proc) if (quota := _quota(level))), default=None)


def throttled_s(proc: Path = PROC) -> float | None:
    """Seconds that quotas have held this group back, summed over levels and cores, since ever."""
    found = [each for level in _levels(proc) if (each := _throttled(level)) is not None]
    return sum(found) if found else None


def _levels(proc: Path) -> Iterator[Path]:
    """The folders of this process's group and of all around it, as far as they can be seen."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        mounts = list(_mounts(proc))
        for line in (proc / "cgroup").read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            for version, root, folder in mounts:
                ours = "cpu" in controllers.split(",") if version == 1 else not controllers
                if ours and Path(path).is_relative_to(root):
                    group = folder / Path(path).relative_to(root)
                    yield from (
                        each for each in (group, *group.parents) if each.is_relative_to(folder)
                    )


def _mounts(proc: Path) -> Iterator[tuple[int, str, Path]]:
    """Version, the group that the mount shows, and its folder."""
    for line in (proc / "mountinfo").read_text().splitlines():
        before, _, after = line.partition(" - ")
        kind, _, options = after.split()[:3]
        root, folder = before.split()[3:5]
        if kind == "cgroup2":
            yield 2, root, Path(folder)
        elif kind == "cgroup" and "cpu" in options.split(","):
            yield 1, root, Path(folder)


def _quota(level: Path) -> float | None:
    with contextlib.suppress(OSError, ValueError):
        quota, period = (level / "cpu.max").read_text().split()
        return None if quota == "max" else int(quota) / int(period)
    with contextlib.suppress(OSError, ValueError, ZeroDivisionError):
        micros = int((level / "cpu.cfs_quota_us").read_text())
        return None if micros <= 0 else micros / int((level / "cpu.cfs_period_us").read_text())
    return None


def _throttled(level: Path) -> float | None:
    with contextlib.suppress(OSError, ValueError):
        for line in (level / "cpu.stat").read_text().splitlines():
            name, _, value = line.partition(" ")
            if name in ("throttled_usec", "throttled_time"):
                return int(value) / (1e6 if name == "throttled_usec" else 1e9)
    return None
