"""`python -m lab.serve SERVER ARGUMENTS…`: run a server and publish its metrics beside it.

`$NAME` and `${NAME}` in the arguments come from the environment. In place of an argument `$OPTIONS`
stand the words of that variable, none where it is not set. This process is the first of its
container: it forwards signals, reaps orphans, and ends with the server's exit code. After SIGTERM
or SIGINT the server has GRACE_S seconds to finish what is in hand; then it is killed.
"""

from __future__ import annotations

import ctypes
import os
import resource
import secrets
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from string import Template

from lab import settings
from lab.metrics import exporter, scratch

GRACE_S = 25
MOST_FILES = 1 << 20  # that a server may have open, where the system allows so many
USAGE_ERROR = 2
OPTIONS = "OPTIONS"
_STOPPING = frozenset([signal.SIGTERM, signal.SIGINT])
_FORWARDED = _STOPPING | {signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2}
_AWAITED = _FORWARDED | {signal.SIGCHLD, signal.SIGALRM}
_PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG in linux/prctl.h


class ServeError(Exception):
    """The server cannot be started; the message says why and what to do."""


def expand(arguments: list[str], environment: Mapping[str, str]) -> list[str]:
    """Replace variables, those in OPTIONS too; raises ServeError naming one that is not set."""
    arguments = [word for argument in arguments for word in _words(argument, environment)]
    try:
        return [Template(argument).substitute(environment) for argument in arguments]
    except KeyError as error:
        raise ServeError(f"${error.args[0]} is in the command but not set") from None
    except ValueError:
        raise ServeError("a lone $ is in the command; write $$ for the character") from None


def _words(argument: str, environment: Mapping[str, str]) -> list[str]:
    if argument != f"${OPTIONS}":
        return [argument]
    try:
        return shlex.split(environment.get(OPTIONS, ""))
    except ValueError as error:
        raise ServeError(f"{OPTIONS}: {error}; end what is quoted") from None


class Server:
    """The server process and what is owed to it.

    Signals are awaited instead of handled: none can come between a check and a wait and be lost.
    """

    def __init__(self, command: list[str], environment: Mapping[str, str]) -> None:
        if shutil.which(command[0], path=environment.get("PATH")) is None:
            raise ServeError(f"{command[0]}: no such program; install the service's requirements")
        self._stop_signal: int | None = None
        signal.pthread_sigmask(signal.SIG_BLOCK, _AWAITED)
        # A group of its own: a terminal's Ctrl-C reaches the server once, through us.
        # Kept, because a Popen that is forgotten reaps a child that has ended, and `wait` would
        # never hear of it.
        self._process = subprocess.Popen(
            command, env=environment, process_group=0, preexec_fn=_prepare_child
        )
        self.pid = self._process.pid

    def wait(self) -> int:
        """Forward signals and reap children until the server ends; returns the code to end with."""
        while True:
            number = signal.sigwait(_AWAITED)
            if number == signal.SIGALRM:
                os.killpg(self.pid, signal.SIGKILL)
            elif number != signal.SIGCHLD:
                self._forward(number)
            for pid, status in _ended():
                if pid == self.pid:
                    self._process.returncode = os.waitstatus_to_exitcode(status)
                    return self._exit_code(self._process.returncode)

    def _forward(self, number: int) -> None:
        if number in _STOPPING:
            if self._stop_signal is not None:
                return  # a second signal means "at once" to uvicorn and gunicorn
            self._stop_signal = number
            signal.alarm(GRACE_S)
        os.kill(self.pid, number)

    def _exit_code(self, code: int) -> int:
        # uvicorn ends cleanly and then dies of the signal it was stopped with.
        if self._stop_signal is not None and code == -self._stop_signal:
            return 0
        return code if code >= 0 else 128 - code


def _ended() -> Iterator[tuple[int, int]]:
    """Every child that has ended, orphans of the container included, with its status."""
    with suppress(ChildProcessError):
        while (found := os.waitpid(-1, os.WNOHANG))[0]:
            yield found


def _prepare_child() -> None:
    """Let signals through again; on Linux, see that no server outlives us, however we end, and
    that it may open as many files as the system allows. Go and Node.js do that by themselves.
    """
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _AWAITED)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PARENT_DEATH_SIGNAL, signal.SIGTERM)
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, MOST_FILES)), hard))


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
