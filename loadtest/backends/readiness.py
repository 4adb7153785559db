"""When a service of the lab is ready: it answers, and each of its worker processes has begun.

A server forks its workers one after another. Connections that come in between stay with those that
are there, for as long as they are kept; a load would see a part of the service.
"""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from loadtest.inventory.manifest import Service
from loadtest.system import urls
from loadtest.system.processes import ProcessError

_WITHIN_S = 5.0
_WORKER, _ENDED = "lab_worker_requests_total", "lab_workers_ended_total"


def up(service: Service, backend: str = "native") -> bool:
    """Whether the service answers 200 on /readyz."""
    return urls.answers(f"{service.url(backend)}/readyz", _WITHIN_S)


def ready(service: Service, backend: str = "native") -> bool:
    """Whether it is up and all of its workers are there."""
    return up(service, backend) and _whole(service, backend)


def about(service: Service, backend: str) -> Mapping[str, Any]:
    """What the service says of itself at /about; raises ProcessError where it does not."""
    url = f"{service.url(backend)}/about"
    try:
        return dict(json.loads(urls.read(url, 2 * _WITHIN_S)))
    except (OSError, http.client.HTTPException, ValueError, TypeError) as error:
        raise ProcessError(f"service {service.name}: {url} tells nothing: {error}") from None


def _whole(service: Service, backend: str) -> bool:
    """Whether as many workers count requests as /about tells; also where either is not told."""
    try:
        about = json.loads(urls.read(f"{service.url(backend)}/about", _WITHIN_S))
        metrics = urls.read(service.metrics_url(backend), _WITHIN_S).decode()
        return begun(metrics) >= int(about["workers"])
    except (OSError, http.client.HTTPException, ValueError, LookupError, TypeError):
        return True


def begun(metrics: str) -> int:
    """How many workers have begun and not ended, by the metrics of their service."""
    samples = [
        each for family in text_string_to_metric_families(metrics) for each in family.samples
    ]
    ended = sum(each.value for each in samples if each.name == _ENDED)
    return sum(each.name == _WORKER for each in samples) - int(ended)
