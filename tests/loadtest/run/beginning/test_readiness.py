"""Services become ready when they are needed, side by side; what fails is told and left out."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest

from loadtest.contract.verification import Verified
from loadtest.inventory import builds, manifest
from loadtest.inventory.building import Building
from loadtest.inventory.builds import BuildError
from loadtest.inventory.manifest import Service
from loadtest.plan import reader
from loadtest.run import readiness
from loadtest.run.readiness import Readiness
from loadtest.system.cpus import Cpus

SERVICES = manifest.load()
COMPILED = [name for name, service in SERVICES.items() if service.build]


class Backend:
    """Services on paper; `asked` is who was started. Those in `broken` can't be."""

    cpus = Cpus(None, None)
    database_url = None

    def __init__(self, name: str = "native", broken: Mapping[str, str] | None = None) -> None:
        self.name = name
        self.services = dict(SERVICES)
        self.broken = dict(broken or {})
        self.asked: list[str] = []
        self.stopped: list[str] = []

    def roots(self) -> dict[str, int]:
        return {}

    def alive(self, name: str) -> bool:
        return name in self.asked

    def stop(self, name: str) -> None:
        self.stopped.append(name)

    def restart(self, name: str, environment: Mapping[str, str] | None = None) -> None:
        pass

    def start(self, names: Collection[str]) -> Mapping[str, str]:
        self.asked += names
        return {name: self.broken[name] for name in names if name in self.broken}


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture(autouse=True)
def answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readiness, "about", lambda service, _: {"service": service.name})
    monkeypatch.setattr(readiness, "verify", lambda *_: Verified(seen={"slots": 3}))


@pytest.fixture
def building() -> Iterator[Building]:
    with Building() as building:
        yield building


def failing_build(monkeypatch: pytest.MonkeyPatch) -> None:
    def build(service: Service, _: object = None) -> None:
        if service.build:
            raise BuildError("the compiler is\ntoo old")

    monkeypatch.setattr(builds, "build", build)


def test_services_are_started_when_needed_and_once(building: Building, said: list[str]) -> None:
    backend = Backend()
    ready = Readiness(backend, building, said.append)
    found = ready.of(["fastapi-async", "flask-sync"])
    assert backend.asked == ["fastapi-async", "flask-sync"]
    assert found["flask-sync"].observed == {"service": "flask-sync"}
    assert found["flask-sync"].burst == {"slots": 3}
    assert not found["flask-sync"].wrong
    assert list(ready.of(["flask-sync", "flask-gthread"])) == ["flask-gthread"]
    assert backend.asked == ["fastapi-async", "flask-sync", "flask-gthread"]
    assert said == [
        "checking the answers of fastapi-async, flask-sync",
        "checking the answers of flask-gthread",
    ]


def test_what_cannot_be_built_is_left_out_with_the_reason(
    building: Building, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    failing_build(monkeypatch)
    backend = Backend()
    found = Readiness(backend, building, said.append).of([*COMPILED, "flask-sync"])
    assert {name: found[name].wrong for name in COMPILED} == dict.fromkeys(
        COMPILED, "the compiler is too old"
    )
    assert not any(found[name].started for name in COMPILED)
    assert backend.asked == ["flask-sync"]


def test_what_was_asked_for_by_name_has_to_be_built(
    building: Building, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    failing_build(monkeypatch)
    ready = Readiness(Backend(), building, said.append, required=COMPILED)
    with pytest.raises(BuildError, match="too old"):
        ready.of(COMPILED)


def test_containers_are_built_by_the_host(
    building: Building, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    failing_build(monkeypatch)
    backend = Backend("compose")
    found = Readiness(backend, building, said.append).of(COMPILED)
    assert backend.asked == COMPILED
    assert not any(each.wrong for each in found.values())


def test_what_does_not_start_is_left_out_and_not_checked(
    building: Building, said: list[str]
) -> None:
    backend = Backend(broken={"flask-sync": "flask-sync ended with exit code 3"})
    found = Readiness(backend, building, said.append).of(["flask-sync"])
    assert found["flask-sync"].wrong == "flask-sync ended with exit code 3"
    assert not found["flask-sync"].started
    assert said == []


def test_services_are_checked_side_by_side(
    building: Building, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    together = threading.Barrier(2, timeout=20)

    def verify(*_: Any) -> Verified:
        together.wait()
        return Verified()

    monkeypatch.setattr(readiness, "verify", verify)
    found = Readiness(Backend(), building, said.append).of(["fastapi-async", "flask-sync"])
    assert not any(each.wrong for each in found.values())


@pytest.mark.parametrize("failures", [1, 2])
def test_who_fails_beside_others_is_checked_once_more_alone(
    building: Building, said: list[str], monkeypatch: pytest.MonkeyPatch, failures: int
) -> None:
    left = iter([Verified(("wrong body",))] * failures)

    def verify(service: Service, *_: Any) -> Verified:
        return next(left, Verified()) if service.name == "flask-sync" else Verified()

    monkeypatch.setattr(readiness, "verify", verify)
    found = Readiness(Backend(), building, said.append).of(["fastapi-async", "flask-sync"])
    assert found["flask-sync"].wrong == ("" if failures == 1 else "wrong body")
    assert found["flask-sync"].started
    assert not found["fastapi-async"].wrong


@pytest.mark.parametrize("accept_busy", [False, True])
@pytest.mark.parametrize("names", [["flask-sync"], ["flask-sync", "flask-gthread"]])
def test_a_check_that_a_busy_machine_spoiled_is_a_warning_where_that_is_accepted(
    building: Building,
    said: list[str],
    monkeypatch: pytest.MonkeyPatch,
    names: list[str],
    accept_busy: bool,
) -> None:
    spoiled = Verified(("too busy",), seen={"slots": 3}, busy="load 48", doubtful=("3 slots",))
    monkeypatch.setattr(readiness, "verify", lambda *_: spoiled)
    ready = Readiness(Backend(), building, said.append, accept_busy=accept_busy)
    found = ready.of(names)
    for name in names:
        told = f"{name}: checked on a busy machine (load 48): 3 slots"
        assert found[name].wrong == ("" if accept_busy else "too busy")
        assert found[name].warnings == ((told,) if accept_busy else ())
        assert found[name].burst == ({"slots": 3} if accept_busy else {})


def test_what_is_accepted_beside_others_was_checked_alone_first(
    building: Building, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The checks themselves make the machine busy."""
    spoiled = Verified(("too busy",), busy="load 48", doubtful=("3 slots",))
    left = iter([spoiled])
    monkeypatch.setattr(readiness, "verify", lambda *_: next(left, Verified()))
    ready = Readiness(Backend(), building, said.append, accept_busy=True)
    found = ready.of(["flask-sync", "flask-gthread"])
    assert [each.warnings for each in found.values()] == [(), ()]


def test_who_is_not_needed_makes_way_where_postgres_has_no_room_for_all(
    building: Building, said: list[str]
) -> None:
    backend = Backend()
    wide = replace(reader.load_all()["pool-size"], services=("starlette",), levels=())  # 40
    ready = Readiness(backend, building, said.append, allowed=100)
    ready.make_way(wide)
    ready.of(["fastapi-async", "flask-sync"])  # 43
    ready.make_way(replace(wide, services=("flask-gthread", "flask-sync")))
    assert backend.stopped == []
    ready.make_way(wide)
    assert backend.stopped == ["fastapi-async", "flask-sync"]
    assert said[-1] == "stopping fastapi-async, flask-sync: Postgres has no room for all services"
    assert list(ready.of(["starlette", "flask-sync"])) == ["starlette"]  # the other is known
    ready.make_way(replace(wide, services=("fastapi-async",)))
    assert sorted(backend.stopped[2:]) == ["flask-sync", "starlette"]
    assert backend.asked == ["fastapi-async", "flask-sync", "starlette"]


def test_shortened_says_how_many_more_there_are() -> None:
    assert readiness.shortened(["a", "b"]) == "a; b"
    assert readiness.shortened([str(n) for n in range(10)]) == "0; 1; 2; and 7 more"
