"""Services of the user's own: those that run already are left alone, the others are started."""

from __future__ import annotations

import contextlib
import signal
import socket
import time
from collections.abc import Collection, Mapping
from pathlib import Path

from loadtest.backends.asking import SAFE, NoAnswer, ask
from loadtest.errors import LabError
from loadtest.inventory import addresses
from loadtest.inventory.manifest import Service
from loadtest.inventory.own_service import OwnService
from loadtest.model.experiment import CORES
from loadtest.model.start import Start
from loadtest.model.target import Target
from loadtest.system import environment
from loadtest.system.adoption.orphans import Orphans
from loadtest.system.cpus import Cpus
from loadtest.system.processes import IN_FRONT, Process, ProcessError, Processes, wait_until

CONNECT_S, READY_S = 2.0, 10.0
STARTING = 503
STARTS_WITHIN_S, NEXT_TRY_S = 15.0, 0.5


class OwnServiceError(LabError):
    """A service of the user's can't be reached or started; the message says which, and why."""


class OwnServices:
    """`services` inside the `with` block: all with a command are started there, and stopped, with
    what they leave behind.

    `logs` is the folder for what they say. All run on the same core, away from the load, where
    `cpus` does not say otherwise. Of one that somebody else runs, the lab knows no process.
    """

    name = "native"
    database_url: str | None = None

    def __init__(
        self, services: Mapping[str, OwnService], logs: Path, cpus: Cpus | None = None
    ) -> None:
        self.own = dict(services)
        self.services: dict[str, Service] = dict(services)  # as every backend has them
        self.cpus = cpus or Cpus.split()
        self._logs = logs
        self._processes = Processes()
        self._orphans = Orphans(self._processes)
        self._stack = contextlib.ExitStack()
        self._running: dict[str, Process] = {}

    def __enter__(self) -> OwnServices:
        with contextlib.ExitStack() as stack:
            stack.enter_context(self._orphans)
            stack.enter_context(self._processes)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def roots(self) -> Mapping[str, int]:
        """The processes that were started here, and those that were left behind.

        Where one service was started and another was not, the lab's own can't be told apart from
        others on the machine, so there are none.
        """
        if any(each.start is None for each in self.own.values()):
            return {}
        left = {f"process {pid}": pid for pid in self._orphans.pids()}
        return left | {name: process.pid for name, process in self._running.items()}

    def pid(self, name: str) -> int | None:
        """Root of the service's processes; None where somebody else runs it."""
        process = self._running.get(name)
        return process.pid if process else None

    def start(self, names: Collection[str]) -> Mapping[str, str]:
        """Start those of `names` that have a command, side by side.

        Raises OwnServiceError or ProcessError where one does not come up.
        """
        new = [name for name in names if self.own[name].start and name not in self._running]
        for name in new:
            self._spawn(name)
        for name in new:
            self._await(name)
        return {}

    def alive(self, name: str) -> bool:
        """Whether it runs, as far as can be seen."""
        process = self._running.get(name)
        return reachable(self.own[name].target.url) and (
            not process or process.popen.poll() is None
        )

    def stop(self, name: str) -> None:
        """Stop a service of ours; somebody else's is left alone."""
        if name in self._running:
            self._processes.stop(self._running.pop(name))

    def restart(self, name: str, environment: Mapping[str, str] | None = None) -> None:
        """Start a service of ours anew, on as many cores as `environment` says.

        Somebody else's is left alone. One that answers 503 for a while is waited for.
        """
        url = self.own[name].target.url
        if name in self._running:
            self.stop(name)
            if reachable(url):
                raise OwnServiceError(
                    f"{name}: its command has ended, and something still answers at "
                    f"{addresses.origin(url)}; {IN_FRONT}"
                )
            self._spawn(name, int((environment or {}).get(CORES, "1")))
            self._await(name)
            self._warm(name)
        elif not reachable(url):
            raise OwnServiceError(_unreachable(name, url))

    def _spawn(self, name: str, cores: int = 1) -> None:
        service = self.own[name]
        assert service.start is not None
        if reachable(service.target.url):
            raise OwnServiceError(
                f"{name}: something answers at {addresses.origin(service.target.url)} already; "
                "stop it, or leave the command out that starts another"
            )
        try:
            self._running[name] = self._processes.start(
                name,
                service.start.command,
                log=self._logs / f"{name}.log",
                cwd=service.folder,
                environment=environment.guest() | dict(service.start.environment),
                cpus=self.cpus.widened(cores).service,
                stop_signal=signal.SIGTERM,
            )
        except OSError as error:
            raise OwnServiceError(f"{name}: {error.filename}: {error.strerror}") from None
        except ValueError as error:  # a NUL, or a variable called A=B
            raise OwnServiceError(f"{name}: its command or a variable of it: {error}") from None

    def _await(self, name: str) -> None:
        service = self.own[name]
        start = service.start
        assert start is not None
        sign = _Sign(service, start)
        try:
            wait_until(self._running[name], sign, waiting_for=sign)
        except ProcessError as error:
            raise self._given_up(name, error) from None

    def _warm(self, name: str) -> None:
        """Wait, for a while, as long as it answers 503: so it did before the first trial, too."""
        target = self.own[name].target
        if target.method not in SAFE or target.status == STARTING:
            return
        ends = time.monotonic() + STARTS_WITHIN_S
        with contextlib.suppress(NoAnswer):  # the trial tells what is wrong
            while time.monotonic() < ends and ask(target, READY_S).status == STARTING:
                time.sleep(NEXT_TRY_S)

    def _given_up(self, name: str, error: ProcessError) -> ProcessError:
        """The error; where its command went to the background, with what can't be stopped of it."""
        if self._running[name].popen.poll() == 0:
            self.stop(name)
            self._orphans.stop()
            if reachable(url := self.own[name].target.url):
                where = addresses.origin(url)
                return ProcessError(f"something still answers at {where}; stop it. {error}")
        return error


class _Sign:
    """What shows that a service is ready; as text, what that is, and what came instead."""

    def __init__(self, service: OwnService, start: Start) -> None:
        self._service, self._start = service, start
        self._instead = ""

    def __call__(self) -> bool:
        if not self._start.ready:
            return reachable(self._service.target.url)
        insecure = self._service.target.insecure
        try:
            status = ask(Target(self._url, insecure=insecure), READY_S).status
        except NoAnswer as error:
            self._instead = f" ({error})"
            return False
        self._instead = f" (it answers {status})"
        return 200 <= status < 300

    def __str__(self) -> str:
        what = "200 from" if self._start.ready else "connection at"
        return f"{what} {self._url}{self._instead}"

    @property
    def _url(self) -> str:
        return self._service.url() + self._start.ready


def reachable(url: str) -> bool:
    """Whether something listens where the URL says."""
    with contextlib.suppress(OSError):
        socket.create_connection(addresses.place(url), CONNECT_S).close()
        return True
    return False


def _unreachable(name: str, url: str) -> str:
    return f"{name}: nothing listens at {addresses.origin(url)}; start it, or mend its URL"
