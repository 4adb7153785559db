"""One native lab for the whole test session, on free ports and with a Postgres of its own."""

from __future__ import annotations

import os
import re
import shutil
import signal
import tempfile
from collections.abc import Iterator
from functools import cache
from itertools import chain
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from loadtest.backends.native import Lab
from loadtest.inventory import budgets, builds, manifest
from loadtest.inventory.budgets import Demand
from loadtest.system import environment
from tests.running import Running

# Each session of pytest closes its root of temporary folders to other users, also to the account
# under which another session's Postgres is just starting: so each session has a root of its own.
FOLDERS = tempfile.mkdtemp(prefix="lab-tests-")
os.environ["PYTEST_DEBUG_TEMPROOT"] = FOLDERS

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


TESTS = Path(__file__).parent
# Files and folders of tests that ask a lab that runs: those of one line share it. The last line has
# every other file that does so, too.
SHARING = (
    ("native/live",),
    ("conformance/clients", "conformance/test_generated.py", "conformance/test_slots.py"),
    ("conformance",),
)
ASKING = re.compile(r"\blab: Lab\b")  # a test or a fixture that asks for the lab of this file
# One application under several servers: they start for the tests that ask for them by name.
ON_DEMAND = "servers"
# What takes longest begins first, and then all others in order of their names.
LONGEST = (*chain(*SHARING), "native", "setup")


def pytest_configure() -> None:
    """Refuse a mistyped variable: without it, LAB_TEST_SERVICES would not narrow anything."""
    if why := environment.mistaken(os.environ):
        raise pytest.UsageError(why)


class Groups(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
    """Gives a group of tests to one process, so that what they share is started once."""

    def _split_scope(self, nodeid: str) -> str:
        return group(self.config.rootpath / nodeid.partition("::")[0])


@cache
def group(file: Path) -> str:
    """Of a file with tests: itself, or what it shares a running lab with."""
    for line in SHARING:
        if any(file.is_relative_to(TESTS / name) for name in line):
            return line[0]
    return SHARING[-1][0] if ASKING.search(file.read_text()) else str(file)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Groups:
    config.option.loadscopereorder = False
    return Groups(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put what takes longest first where several processes share the tests."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        items.sort(
            key=lambda item: [not item.path.is_relative_to(TESTS / name) for name in LONGEST]
        )


def pytest_sessionfinish(exitstatus: int) -> None:
    """Keep temporary folders where a test failed."""
    if exitstatus == 0:
        shutil.rmtree(FOLDERS, ignore_errors=True)


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Every service that can run here; LAB_TEST_SERVICES="a b" narrows it while working
    on a service.
    """
    services = manifest.load()
    asked = os.environ.get("LAB_TEST_SERVICES", "").split()
    found, failures = builds.available(manifest.choose(services, asked or list(services)))
    later = [each for each in found if not asked and ON_DEMAND in found[each].profiles]
    wanted = sum(Demand.of(each).connections for each in found.values())  # by all of them at once
    with Lab(
        found,
        host_ports="free",
        state=tmp_path_factory.mktemp("lab"),
        pin=False,
        failures=failures,
        connections=max(budgets.max_connections(), wanted + budgets.SPARE_CONNECTIONS),
        begin=[each for each in found if each not in later],
    ) as running:
        running.services = Running(running.services, failures, later, running.start)
        yield running
