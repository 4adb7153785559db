"""Stops a lab's processes when the lab itself is gone, however it went (even by SIGKILL).

It reads from a pipe that only the lab and its starting children hold open for writing. A line
`PID SIGNAL` asks for the care of that process group, `PID 0` ends the care. When the pipe closes,
each leader still in care gets its signal, latest first, and its group SIGKILL once it is gone. A
line `/FOLDER` names a folder of the lab's own, which is removed after that.
Run as a script by `processes`; standard library only, so that it starts in milliseconds.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

GRACE_S = 5.0
REMOVAL_S = 10.0
POLL_S = 0.02


def in_care(lines: Iterable[str]) -> dict[int, int]:
    """Follow the requests to their end: process group to signal, in order of arrival."""
    groups: dict[int, int] = {}
    for line in lines:
        pid, _, number = line.partition(" ")
        if not pid.isdigit():
            continue
        if int(number):
            groups[int(pid)] = int(number)
        else:
            groups.pop(int(pid), None)
    return groups


def stop(group: int, number: int, grace_s: float = GRACE_S) -> None:
    """Signal the leader of `group`, wait up to `grace_s` seconds for it, then kill the group."""
    deadline = time.monotonic() + grace_s
    send(os.kill, group, number)
    while alive(group) and time.monotonic() < deadline:
        time.sleep(POLL_S)
    send(os.killpg, group, signal.SIGKILL)


def send(how: Callable[[int, int], None], pid: int, number: int) -> bool:
    """Whether there was anything to signal."""
    try:
        how(pid, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def alive(pid: int) -> bool:
    """Whether the process still runs; a zombie that nobody collects does not."""
    if not send(os.kill, pid, 0):
        return False
    try:
        # "pid (name) state …"; the name may hold blanks and brackets.
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return not Path("/proc/self").exists()
    return stat.rpartition(")")[2].split()[0] not in "ZX"


def remove(folder: str) -> None:
    """Remove the folder; whoever is still writing there gets `REMOVAL_S` seconds to end."""
    import shutil

    deadline = time.monotonic() + REMOVAL_S
    shutil.rmtree(folder, ignore_errors=True)
    while Path(folder).exists() and time.monotonic() < deadline:
        time.sleep(POLL_S)
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    lines = sys.stdin.read().splitlines()
    for group, number in reversed(in_care(lines).items()):
        stop(group, number)
    for line in lines:
        if line.startswith("/"):
            remove(line)
