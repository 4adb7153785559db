"""One native lab for a process of tests, on free ports and with a Postgres of its own."""

from __future__ import annotations

import os
import re
import shutil
import signal
import tempfile
from collections.abc import Iterator
from functools import cache
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
# Tests that ask many services of a lab that runs, and share them. The rest of OF_SERVICES goes by
# service: all that is asked of one is asked by one process. What else asks the lab is one group.
SHARING = ("native/live", "conformance/test_half_bodies.py")
OF_SERVICES = "conformance"
SERVICES = sorted(manifest.load(variables={}), key=len, reverse=True)
ASKING = re.compile(r"\blab: Lab\b")  # a test or a fixture that asks for the lab below
MEASURING = "pytest.mark.waits"  # beside others that do: each file of them has a lab of its own
# One application under several servers: those that ask all services leave them out.
APART = "servers"
# What takes longest begins first, and then all others in order of their names.
ALONE = ("native/commands/test_kept_running.py", "native/lessons")
LONGEST = (*ALONE, *SHARING, OF_SERVICES, "native", "setup")
RUNNING: list[Running] = []  # the services of this process, once a test has asked for the lab


def pytest_configure() -> None:
    """Refuse a mistyped variable: without it, LAB_TEST_SERVICES would not narrow anything."""
    if why := environment.mistaken(os.environ):
        raise pytest.UsageError(why)


class Groups(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
    """Gives a group of tests to one process, so that what they share is started once."""

    def _split_scope(self, nodeid: str) -> str:
        path, _, test = nodeid.partition("::")
        return group(self.config.rootpath / path, test)


@cache
def group(file: Path, test: str = "") -> str:
    """Of a test in a file: the file, or what it shares services with."""
    if _measures(file):
        return str(file)
    for shared in SHARING:
        if file.is_relative_to(TESTS / shared):
            return shared
    if file.is_relative_to(TESTS / OF_SERVICES) and (name := _service(test)):
        return f"{OF_SERVICES} of {name}"
    return "the lab" if _asks(file) else str(file)


@cache
def _measures(file: Path) -> bool:
    return MEASURING in file.read_text()


@cache
def _asks(file: Path) -> bool:
    return ASKING.search(file.read_text()) is not None


def _service(test: str) -> str:
    """The service whose name stands among a test's parameters, else nothing."""
    parameters = test.partition("[")[2].removesuffix("]")
    return next((name for name in SERVICES if f"-{name}-" in f"-{parameters}-"), "")


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


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Iterator[None]:
    """Let services rest when all tests that ask them are over, and others follow."""
    yield
    if "PYTEST_XDIST_WORKER" in os.environ and nextitem:
        before, behind = (group(each.path, each.name) for each in (item, nextitem))
        for services in RUNNING if before != behind else ():
            services.rest()


def pytest_sessionfinish(exitstatus: int) -> None:
    """Keep temporary folders where a test failed."""
    if exitstatus == 0:
        shutil.rmtree(FOLDERS, ignore_errors=True)


@pytest.fixture(scope="session")
def lab_services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Every service that can run here, each from when a test first asks for it.

    LAB_TEST_SERVICES="a b" narrows them while working on a service.
    """
    services = manifest.load()
    asked = os.environ.get("LAB_TEST_SERVICES", "").split()
    found, failures = builds.available(manifest.choose(services, asked or list(services)))
    apart = [each for each in found if not asked and APART in found[each].profiles]
    wanted = sum(Demand.of(each).connections for each in found.values())  # by all of them at once
    with Lab(
        found,
        host_ports="free",
        state=tmp_path_factory.mktemp("lab"),
        pin=False,
        connections=max(budgets.max_connections(), wanted + budgets.SPARE_CONNECTIONS),
        begin=(),
    ) as lab:
        lab.services = running = Running(lab, failures, apart)
        RUNNING.append(running)
        yield running
        RUNNING.remove(running)
        running.over.close()


@pytest.fixture(scope="session")
def lab(lab_services: Running) -> Lab:
    """Postgres, and services as they are asked for."""
    return lab_services.lab
