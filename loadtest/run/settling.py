"""Is a service done with the trial before? Servers work off what their clients no longer
wait for.
"""

from __future__ import annotations

import time

from loadtest.inventory.manifest import Service
from loadtest.run.sampler import scrape
from loadtest.system import urls

SETTLE_PATIENCE_S = 2.0
_POLL_S = 0.05


def settled(service: Service, backend: str = "native") -> bool:
    """Whether the service has nothing in hand, within `SETTLE_PATIENCE_S`."""
    deadline = time.monotonic() + SETTLE_PATIENCE_S
    while not idle(service, backend):
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_S)
    return True


def idle(service: Service, backend: str = "native") -> bool:
    """Whether no request is in the service's hands or in its accept queue, and it answers
    at once.
    """
    try:
        metrics = scrape(service.metrics_url(backend), SETTLE_PATIENCE_S)
        urls.read(f"{service.url(backend)}/healthz", SETTLE_PATIENCE_S)
    except (OSError, ValueError):
        return False
    waiting = ("http_server_active_requests", "lab_accept_backlog")
    return not any(metrics.get(name) for name in waiting)
