"""One more of a service of a lab, with options of its own."""

from __future__ import annotations

import contextlib
import http.client
import socket
from collections.abc import Iterator, Sequence
from dataclasses import replace

from loadtest.backends import readiness
from loadtest.backends.native import Lab
from loadtest.inventory.manifest import Service
from loadtest.system import ports, urls
from loadtest.system.processes import Processes, wait_until

_SEEN_WITHIN_S = 5.0


@contextlib.contextmanager
def beside(lab: Lab, service: Service, options: Sequence[str]) -> Iterator[Service]:
    """The service with `options` behind its command, on free ports, until the block ends.

    It may speak anything on its port; its metrics tell when it is there. Raises ProcessError.
    """
    name = f"{service.name}-beside"
    with ports.held(2) as (port, metrics_port), Processes() as processes:
        own = replace(service, port=port, metrics_port=metrics_port)
        process = processes.start(
            name,
            [*own.command, *options],
            log=lab.log(name),
            cwd=own.folder,
            environment=lab.environment(own),
            cpus=lab.cpus.service,
        )
        wait_until(process, lambda: _there(own), waiting_for=f"connection on port {port}")
        yield own


def _there(service: Service) -> bool:
    try:
        metrics = urls.read(service.metrics_url(), _SEEN_WITHIN_S).decode()
        with socket.create_connection((ports.LOOPBACK, service.port), _SEEN_WITHIN_S):
            return readiness.begun(metrics) >= int(service.environment.get("WORKERS", "1"))
    except (OSError, http.client.HTTPException, ValueError):
        return False
