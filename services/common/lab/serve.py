"""`python -m lab.serve SERVER ARGUMENTS…`: run a server and publish its metrics beside it.

`$NAME` and `${NAME}` in the arguments come from the environment. This process is the first of its
container: it forwards signals, reaps orphans, and ends with the server's exit code. After SIGTERM
or SIGINT the server has GRACE_S seconds to finish what is in hand; then it is killed.
"""

from __future__ import annotations

import ctypes
import os
import secrets
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from string import Template
from types import FrameType

from lab import exporter, scratch, settings

GRACE_S = 25
USAGE_ERROR = 2
_FORWARDED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)
_STOPPING = (signal.SIGTERM, signal.SIGINT)
_PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG in linux/prctl.h


class ServeError(Exception):
    """The server cannot be started; the message says why and what to do."""


def expand(arguments: list[str], environment: Mapping[str, str]) -> list[str]:
    """Replace variables; raises ServeError naming one that is not set."""
    try:
        return [Template(argument).substitute(environment) for argument in arguments]
    except KeyError as error:
        raise ServeError(f"${error.args[0]} is in the command but not set") from None
    except ValueError:
        raise ServeError("a lone $ is in the command; write $$ for the character") from None


class Server:
    """The server process and what is owed to it."""

    def __init__(self, command: list[str], environment: Mapping[str, str]) -> None:
        if shutil.which(command[0], path=environment.get("PATH")) is None:
            raise ServeError(f"{command[0]}: no such program; install the row's requirements")
        self._stop_signal: int | None = None
        self._early: list[int] = []
        self._process: subprocess.Popen[bytes] | None = None
        for number in _FORWARDED:
            signal.signal(number, self._forward)
        signal.signal(signal.SIGALRM, self._kill)
        # A group of its own: a terminal's Ctrl-C reaches the server once, through us.
        self._process = subprocess.Popen(
            command, env=environment, process_group=0, preexec_fn=_die_with_parent
        )
        self.pid = self._process.pid
        for early in self._early:
            os.kill(self.pid, early)

    def wait(self) -> int:
        """Reap children until the server ends; returns the exit code to end with."""
        while True:
            pid, status = os.waitpid(-1, 0)
            if pid == self.pid:
                return self._exit_code(os.waitstatus_to_exitcode(status))

    def _forward(self, number: int, _: FrameType | None) -> None:
        if number in _STOPPING:
            if self._stop_signal is not None:
                return  # a second signal means "at once" to uvicorn and gunicorn
            self._stop_signal = number
            signal.alarm(GRACE_S)
        if self._process is None:
            self._early.append(number)
        else:
            os.kill(self._process.pid, number)

    def _kill(self, _: int, __: FrameType | None) -> None:
        os.killpg(self.pid, signal.SIGKILL)

    def _exit_code(self, code: int) -> int:
        # uvicorn ends cleanly and then dies of the signal it was stopped with.
        if self._stop_signal is not None and code == -self._stop_signal:
            return 0
        return code if code >= 0 else 128 - code


def _die_with_parent() -> None:
    """No server outlives us, however we end (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PARENT_DEATH_SIGNAL, signal.SIGTERM)


def run(arguments: list[str], environment: Mapping[str, str]) -> int:
    """Serve until the server ends; raises ServeError or SettingsError before it has begun."""
    if not arguments:
        raise ServeError("usage: python -m lab.serve SERVER ARGUMENTS…")
    values = settings.load(environment)
    command = expand(arguments, environment)
    with scratch.directory() as directory:
        server = Server(
            command,
            {
                "LAB_SESSION_SECRET": secrets.token_hex(32),
                **environment,
                "LAB_METRICS_DIRECTORY": str(directory),
            },
        )
        _publish(server, directory, values)
        return server.wait()


def _publish(server: Server, directory: Path, values: settings.Settings) -> None:
    try:
        exporter.serve(directory, server.pid, values.port, values.metrics_port, values.host)
    except OSError as error:
        os.killpg(server.pid, signal.SIGKILL)
        reason = error.strerror or str(error)
        raise ServeError(f"METRICS_PORT {values.metrics_port}: {reason}; set another") from None


def main() -> int:
    """The exit code: the server's, or 2 where it could not be started."""
    try:
        return run(sys.argv[1:], os.environ)
    except (ServeError, settings.SettingsError) as error:
        print(f"lab.serve: {error}", file=sys.stderr)
        return USAGE_ERROR


if __name__ == "__main__":
    sys.exit(main())
