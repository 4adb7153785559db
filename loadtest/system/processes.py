"""Child processes that never outlive the lab: own session, own log, pinned, always reaped."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import psutil

from loadtest.errors import LabError
from loadtest.system import environment, guardian, internals
from loadtest.system.adoption.orphans import begun

# The shell reports its own pid to the guardian before it becomes the command, so that there is no
# moment at which a child runs unguarded.
_GUARDED = 'echo "$$ $0" >&0; exec "$@" </dev/null'
STARTUP_S = 60.0
IN_FRONT = "start it in the foreground (without --daemon)"
_said: set[str] = set()  # warnings, one line each


class ProcessError(LabError):
    """A process could not be started or died; the message says which, and ends with its log."""


@dataclass(frozen=True)
class Account:
    """The account of a process: user and group id."""

    user: int
    group: int


@dataclass
class Process:
    """A started command, its log, and the signal that asks it to stop."""

    name: str
    popen: subprocess.Popen[bytes]
    log: Path
    stop_signal: int

    @property
    def pid(self) -> int:
        """The process id, which is also the id of its process group."""
        return self.popen.pid

    def tail(self, lines: int = 15) -> str:
        """The end of the log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])


class Processes:
    """Every process that one lab has started; leaving the context stops them all, latest first."""

    def __init__(self) -> None:
        self._running: list[Process] = []
        self._guardian: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Processes:
        self._guardian = begun(
            self,
            lambda: subprocess.Popen(
                [sys.executable, "-I", "-S", guardian.__file__],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                env=environment.plain(),
                start_new_session=True,
            ),
        )
        return self

    def __exit__(self, *_: object) -> None:
        try:
            for process in reversed(self._running.copy()):
                self.stop(process)
        finally:
            # Should a second Ctrl-C cut the above short, the guardian does the rest.
            self._tell.close()
            assert self._guardian is not None
            self._guardian.wait()

    def folder(self, prefix: str) -> Path:
        """A new folder for files of the moment; it goes with these processes, whatever ends us."""
        found = tempfile.gettempdir()
        name = f"{prefix}{secrets.token_hex(8)}"
        folder = Path(found if environment.is_short(found) else "/tmp", name)
        self._ask(f"{folder}")
        folder.mkdir(mode=0o700)
        return folder

    def start(
        self,
        name: str,
        command: Sequence[str],
        *,
        log: Path,
        cwd: Path,
        environment: Mapping[str, str],
        cpus: frozenset[int] | None = None,
        account: Account | None = None,
        stop_signal: int = signal.SIGTERM,
    ) -> Process:
        """Start `command` with its output in `log`; on `cpus` and as `account` where given."""
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("wb") as output, pinned(cpus):
            popen = begun(
                self,
                lambda: subprocess.Popen(
                    ["/bin/sh", "-c", _GUARDED, str(int(stop_signal)), *command],
                    stdin=self._tell,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    cwd=cwd,
                    env=dict(environment),
                    **credentials(account),
                    start_new_session=True,
                ),
            )
        process = Process(name, popen, log, stop_signal)
        self._running.append(process)
        return process

    def stop(self, *processes: Process, grace_s: float = 10.0) -> list[int]:
        """Ask all of them to stop, kill what is left of them; returns their exit codes.

        One that is paused goes on, as it could not hear it otherwise.
        """
        below = [(process, _descendants(process)) for process in processes]
        for process, descendants in below:
            process.popen.send_signal(process.stop_signal)
            _resume(process, descendants)
        deadline = time.monotonic() + grace_s
        return [self._reap(process, descendants, deadline) for process, descendants in below]

    def _reap(self, process: Process, before: Sequence[psutil.Process], deadline: float) -> int:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.popen.wait(max(0.0, deadline - time.monotonic()))
        _kill(process, before)
        code = process.popen.wait()
        self._running.remove(process)
        self._ask(f"{process.pid} 0")
        return code

    def _ask(self, line: str) -> None:
        os.write(self._tell.fileno(), os.fsencode(f"{line}\n"))

    @property
    def _tell(self) -> IO[bytes]:
        assert self._guardian is not None, "enter the context first"
        assert self._guardian.stdin is not None
        return self._guardian.stdin


def _resume(process: Process, descendants: Sequence[psutil.Process]) -> None:
    """Have its group go on and, in groups of their own, its descendants."""
    guardian.send(os.killpg, process.pid, signal.SIGCONT)
    for each in descendants:
        with contextlib.suppress(psutil.NoSuchProcess):
            each.resume()


def _descendants(process: Process) -> list[psutil.Process]:
    """All below it; none where it has ended, as nothing leads to them then."""
    if process.popen.poll() is None:
        with contextlib.suppress(psutil.NoSuchProcess):
            return psutil.Process(process.pid).children(recursive=True)
    return []


def _kill(process: Process, before: Sequence[psutil.Process]) -> None:
    """Kill its group and, in groups of their own, its descendants; returns once they are gone.

    `before`: those it had before it was asked to stop. A server that still finishes requests would
    hold its port against the next one.
    """
    doomed = {*_descendants(process), *_living(before)}
    guardian.send(os.killpg, process.pid, signal.SIGKILL)
    for each in doomed:
        with contextlib.suppress(psutil.NoSuchProcess):
            each.kill()
    psutil.wait_procs(doomed, timeout=5)


def _living(before: Sequence[psutil.Process]) -> Iterator[psutil.Process]:
    """Those of them that have not ended, and all below them."""
    for each in before:
        with contextlib.suppress(psutil.NoSuchProcess):
            if each.is_running() and each.status() != psutil.STATUS_ZOMBIE:
                yield from (each, *each.children(recursive=True))


def credentials(account: Account | None) -> dict[str, Any]:
    """Arguments of subprocess.Popen that run the child as `account` and in no other group."""
    if account is None:
        return {}
    return {"user": account.user, "group": account.group, "extra_groups": []}


def wait_until(
    process: Process,
    ready: Callable[[], bool],
    *,
    waiting_for: object,
    timeout_s: float = STARTUP_S,
) -> None:
    """Poll `ready` until it holds; ProcessError with the log's end if it dies or is too slow.

    `waiting_for` is made into text then, so it can tell what came instead.
    """
    deadline = time.monotonic() + timeout_s
    while not ready():
        code = process.popen.poll()
        if code is not None:
            instead = "" if code else f"; {IN_FRONT}"
            raise ProcessError(_failure(process, f"ended with exit code {code}{instead}"))
        if time.monotonic() > deadline:
            raise ProcessError(_failure(process, f"gave no {waiting_for} within {timeout_s:.0f} s"))
        time.sleep(0.05)
    _warn(process)


def _warn(process: Process) -> None:
    """Show each warning of the process once; its log is read only after a failure."""
    for line in internals.warned(process.log.read_text(errors="replace")):
        if line not in _said:
            _said.add(line)
            print(f"{process.name}: {line}", file=sys.stderr)


def _failure(process: Process, what: str) -> str:
    return f"{process.name} {what}; the end of {process.log}:\n{process.tail()}"


@contextlib.contextmanager
def pinned(cpus: frozenset[int] | None) -> Iterator[None]:
    """Run the block, and what it starts, on `cpus`; no effect where the system cannot pin."""
    if cpus is None or not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cpus)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
