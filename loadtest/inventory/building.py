"""Services built side by side: ahead of their need at the lowest priority, or at once."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Collection, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import partial

from loadtest.errors import reason
from loadtest.inventory import builds
from loadtest.inventory.builds import BuildError
from loadtest.inventory.manifest import Service
from loadtest.system import environment, guardian
from loadtest.system.processes import Processes

_AT_ONCE = 8


class Building:
    """Builds services inside the `with` block; what still runs at its end is ended.

    What an ended build has compiled or fetched stays in its tool's cache, so the next one is short.
    """

    def __init__(self) -> None:
        self._processes = Processes()
        self._pool = ThreadPoolExecutor(_AT_ONCE, "build")
        self._ahead: list[Future[None]] = []
        self._pids: set[int] = set()
        self._guard = threading.Lock()
        self._halted = False

    def __enter__(self) -> Building:
        self._processes.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self.halt()
        self._pool.shutdown()
        self._processes.__exit__(*error)

    def ahead(self, services: Iterable[Service]) -> None:
        """Begin, and return at once; the builds get only what CPU time nobody else wants."""
        idly = partial(self._run, before=("nice", "-n", "19"))
        self._ahead += [self._pool.submit(builds.build, each, idly) for each in services]

    def halt(self) -> None:
        """End the builds that run; returns once they are gone."""
        with self._guard:
            self._halted = True
            for pid in self._pids:
                guardian.send(os.killpg, pid, signal.SIGTERM)
        wait(self._ahead)
        self._ahead.clear()

    def finish(self, services: Collection[Service]) -> dict[str, str]:
        """Build what is not built yet; the reasons of those that could not be."""
        with self._guard:
            self._halted = False
        asked = {each.name: self._pool.submit(builds.build, each, self._run) for each in services}
        reasons = {}
        for name, built in asked.items():
            try:
                built.result()
            except BuildError as error:
                reasons[name] = reason(error, name)
        return reasons

    def _run(self, service: Service, before: tuple[str, ...] = ()) -> None:
        log = builds.STAMPS / f"{service.folder.name}.log"
        with self._guard:
            if self._halted:
                raise BuildError(f"service {service.name}: its build was ended")
            process = self._processes.start(
                f"build of {service.name}",
                [*before, "/bin/sh", "-c", service.build],
                log=log,
                cwd=service.folder,
                environment=environment.build(),
            )
            self._pids.add(process.pid)
        process.popen.wait()
        with self._guard:
            self._pids.discard(process.pid)
            [code] = self._processes.stop(process)
        if code:
            raise builds.failed(service, log.read_text(errors="replace"))
