"""The control groups around this process: which quota of CPU they set, and how long it held us."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

PROC = Path("/proc/self")


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
