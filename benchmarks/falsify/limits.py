"""What the kernel holds back: CPU and memory by a control group, packets by a rule, a full disk."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from benchmarks.falsify.programs import elsewhere
from benchmarks.falsify.scene import Scene
from loadtest.run.witnesses import procfs

LOST = 0.01  # of the packets
DISK_BYTES = 1 << 29
NEEDS_ROOT = "needs root"
_GROUP = "lab-falsify"
_CGROUPS = Path("/sys/fs/cgroup")
_HALF_A_CORE = {"cpu.cfs_period_us": "100000", "cpu.cfs_quota_us": "50000"}
_HALF_A_CORE_2 = {"cpu.max": "50000 100000"}
_FILLER = "filler"
_WANTS_MORE = """
import pathlib, sys, time
pathlib.Path(sys.argv[1]).write_text(str(os.getpid()))
has = []
while True: has.append(bytearray(1 << 20)); time.sleep(0.01)
"""


def quota(scene: Scene) -> None:
    """A quota of half a core around the whole lab."""
    with _inside("cpu") as group:
        _write(group, _HALF_A_CORE if _of_version_1("cpu") else _HALF_A_CORE_2)
        time.sleep(scene.window_s)


@contextlib.contextmanager
def memory_group(scene: Scene) -> Iterator[None]:
    """The service in a control group of its own; it is started anew, and once more afterwards."""
    home = _home("memory")
    with _inside("memory", [os.getpid()]):
        scene.lab.restart(scene.service)
        _move(home, [os.getpid()])
        try:
            yield
        finally:
            scene.lab.stop(scene.service)
    scene.lab.restart(scene.service)


def memory(scene: Scene) -> None:
    """Allow the service's group no more memory than it has, and let a program in it want more.

    The kernel then kills a process of the service.
    """
    old = _of_version_1("memory")
    group = _root("memory") / _GROUP
    limit, usage = ("limit_in_bytes", "usage_in_bytes") if old else ("max", "current")
    for pid in procfs.tree(scene.lab.pid(scene.service)):
        with contextlib.suppress(OSError):
            Path(f"/proc/{pid}/oom_score_adj").write_text("900")
    with contextlib.suppress(OSError):  # it has got more in the meantime, so it has a limit too
        _write(group, {f"memory.{limit}": (group / f"memory.{usage}").read_text().strip()})
    with elsewhere(_WANTS_MORE, group / "cgroup.procs"):
        time.sleep(scene.window_s)


def no_root() -> str:
    """Why nothing can be done that root alone may; empty where it can."""
    return "" if os.geteuid() == 0 else NEEDS_ROOT


def no_group(controller: str) -> str:
    """Why no control group can be made here; empty where it can."""
    if os.geteuid() != 0:
        return NEEDS_ROOT
    if _of_version_1(controller):
        return "" if os.access(_CGROUPS / controller, os.W_OK) else "control groups are read-only"
    with contextlib.suppress(OSError):
        if controller in (_CGROUPS / "cgroup.subtree_control").read_text().split():
            return "" if os.access(_CGROUPS, os.W_OK) else "control groups are read-only"
    return f"no control group for {controller}"


def _root(controller: str) -> Path:
    return _CGROUPS / controller if _of_version_1(controller) else _CGROUPS


def _home(controller: str) -> Path:
    """The group that the lab is in, as far as it can be seen from here."""
    named = controller if _of_version_1(controller) else ""
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, names, path = line.split(":", 2)
        found = _root(controller) / path.strip("/")
        if named in names.split(",") and found.is_dir():
            return found
    return _root(controller)


def _of_version_1(controller: str) -> bool:
    return (_CGROUPS / controller / "cgroup.procs").exists()


@contextlib.contextmanager
def _inside(controller: str, pids: Iterable[int] | None = None) -> Iterator[Path]:
    """A group with `pids` in it, by default the lab's; all that is in it leaves at the end."""
    home, group = _home(controller), _root(controller) / _GROUP
    group.mkdir(exist_ok=True)
    try:
        _move(group, procfs.tree(os.getpid()) if pids is None else pids)
        yield group
    finally:
        _move(home, map(int, (group / "cgroup.procs").read_text().split()))
        with contextlib.suppress(OSError):
            group.rmdir()


def _move(group: Path, pids: Iterable[int]) -> None:
    for pid in pids:
        with contextlib.suppress(OSError):
            (group / "cgroup.procs").write_text(str(pid))


def _write(group: Path, limits: Mapping[str, str]) -> None:
    for name, value in limits.items():
        (group / name).write_text(value)


def lose_packets(scene: Scene) -> None:
    """The kernel drops one packet in a hundred to and from the service."""
    with contextlib.ExitStack() as stack:
        for side in ("--dport", "--sport"):
            rule = [*("INPUT", "-i", "lo", "-p", "tcp", side, str(scene.port)), *_randomly(LOST)]
            _iptables("-I", *rule)
            stack.callback(_iptables, "-D", *rule)
        time.sleep(scene.window_s)


def no_packet_loss() -> str:
    """Why no packet can be dropped here; empty where it can."""
    if os.geteuid() != 0:
        return NEEDS_ROOT
    if not shutil.which("iptables"):
        return "needs iptables"
    rule = ["INPUT", "-i", "lo", "-p", "tcp", "--dport", "1", *_randomly(LOST)]
    try:
        _iptables("-I", *rule)
        _iptables("-D", *rule)
    except subprocess.CalledProcessError as error:
        return f"the kernel can't: {error.stderr.strip().splitlines()[0]}"
    return ""


def _randomly(share: float) -> list[str]:
    return ["-m", "statistic", "--mode", "random", "--probability", str(share), "-j", "DROP"]


def _iptables(*arguments: str) -> None:
    subprocess.run(["iptables", "-w", *arguments], check=True, capture_output=True, text=True)


@contextlib.contextmanager
def small_disk() -> Iterator[Path]:
    """A file system of half a gigabyte, for the lab's own data."""
    with tempfile.TemporaryDirectory(prefix="lab-disk-") as folder:
        options = f"size={DISK_BYTES},mode=755"
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "lab", folder], check=True)
        try:
            yield Path(folder)
        finally:
            subprocess.run(["umount", "--lazy", folder], check=True)


def no_disk() -> str:
    """Why no file system can be mounted here; empty where it can."""
    if os.geteuid() != 0:
        return NEEDS_ROOT
    with tempfile.TemporaryDirectory(prefix="lab-disk-") as folder:
        command = ["mount", "-t", "tmpfs", "lab", folder]
        tried = subprocess.run(command, capture_output=True, text=True, check=False)
        if tried.returncode:
            return "nothing can be mounted"
        subprocess.run(["umount", folder], check=True)
    return ""


def fill_disk(scene: Scene) -> None:
    """Fill the disk of Postgres, and of the logs, all through the window."""
    filler = scene.lab.state / _FILLER
    try:
        _fill(filler)
        time.sleep(scene.window_s)
    finally:
        filler.unlink(missing_ok=True)


def _fill(path: Path) -> None:
    with path.open("wb") as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(1 << 20))
            file.flush()
