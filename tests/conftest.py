"""One native lab for the whole test session, on free ports and with a Postgres of its own."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from loadtest.backends.native import Lab
from loadtest.inventory import builds, manifest
from loadtest.system import environment
from tests.running import Running

TESTS = Path(__file__).parent
LIVE = TESTS / "native" / "live"

# Each session of pytest closes its root of temporary folders to other users, also to the account
# under which another session's Postgres is just starting: so each session has a root of its own.
ROOT = tempfile.mkdtemp(prefix="lab-tests-")
os.environ["PYTEST_DEBUG_TEMPROOT"] = ROOT

# What is set for other programs is not for what the tests themselves ask. Builds keep their proxy.
for name in [name for name in os.environ if name.startswith("PG")]:
    del os.environ[name]
_DIRECT = [os.environ.get("no_proxy") or os.environ.get("NO_PROXY"), "127.0.0.1", "localhost"]
os.environ["no_proxy"] = os.environ["NO_PROXY"] = ",".join(filter(None, _DIRECT))

# An example that takes long says nothing of the code on a machine that stalls now and then.
settings.register_profile("lab", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("lab")

# A shell has its background jobs ignore Ctrl-C, and so would all that the tests start there.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_configure() -> None:
    """Refuse a mistyped variable: without it, LAB_TEST_SERVICES would not narrow anything."""
    if why := environment.mistaken(os.environ):
        raise pytest.UsageError(why)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One process runs a whole file, and one the live lab: what tests share is started once."""
    for item in items:
        together = LIVE if LIVE in item.path.parents else item.path
        item.add_marker(pytest.mark.xdist_group(str(together.relative_to(TESTS))))


def pytest_sessionfinish(exitstatus: int) -> None:
    """Keep temporary folders where a test failed."""
    if exitstatus == 0:
        shutil.rmtree(ROOT, ignore_errors=True)


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Every service that can run here; LAB_TEST_SERVICES="a b" narrows it while working
    on a service.
    """
    services = manifest.load()
    names = os.environ.get("LAB_TEST_SERVICES", "").split() or list(services)
    found, failures = builds.available(manifest.choose(services, names))
    state = tmp_path_factory.mktemp("lab")
    with Lab(found, host_ports="free", state=state, pin=False, failures=failures) as running:
        running.services = Running(running.services, failures)
        yield running
