"""The live lab on free ports: real services, Locust's interface, Prometheus and
postgres_exporter.
"""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Iterator

import pytest

from loadtest.backends import live
from loadtest.backends.native import Lab
from loadtest.run import settling
from loadtest.system import ports
from tests.native.live.watch import Watch
from tests.running import Running
from tests.waiting import eventually

CEILING_RPS = "100000"
# One of each kind. What every service shows is asked in tests/conformance.
SERVICES = (
    *("fastapi-async", "starlette", "flask-sync", "flask-gthread", "flask-gevent"),
    *("node", "go"),
)


@pytest.fixture(scope="session")
def watch(lab_services: Running) -> Watch:
    """What `make live` starts, over some services of the session's lab."""
    lab_services.begin(*SERVICES)
    lab = copy.copy(lab_services.lab)
    lab.services = {name: lab_services[name] for name in SERVICES if lab.alive(name)}
    watch = lab_services.over.enter_context(watching(lab))
    watch.until_scraped()
    return watch


@contextlib.contextmanager
def watching(lab: Lab) -> Iterator[Watch]:
    """Locust's interface and Prometheus over a running lab, until the block ends."""
    ui, prometheus, load = ports.free(3)
    variables = {
        "LOCUST_PORT": str(ui),
        "PROMETHEUS_PORT": str(prometheus),
        "LAB_LOAD_METRICS_PORT": str(load),
        "LAB_CEILING_RPS": CEILING_RPS,
        "LAB_TARGET": " ".join(f"{name}={service.url()}" for name, service in lab.services.items()),
    }
    with contextlib.ExitStack() as stack:
        with pytest.MonkeyPatch.context() as patch:
            for name, value in variables.items():
                patch.setenv(name, value)
            up = stack.enter_context(live.up(lab))
        assert up.prometheus is not None, up.missing
        assert not [part for part in up.missing if not part.startswith("Grafana")]
        yield Watch(ui=up.ui, prometheus=up.prometheus, lab=lab)


@pytest.fixture(autouse=True)
def idle_afterwards(watch: Watch) -> Iterator[None]:
    """No test leaves its load to the next, nor services that work off what nobody waits for."""
    yield
    watch.press_stop()
    while watch.loaded:
        service = watch.lab.services[watch.loaded.pop()]
        assert eventually(lambda service=service: settling.idle(service)), service.name  # type: ignore[misc]
