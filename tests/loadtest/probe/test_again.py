"""A service that is measured once more: what was measured first is kept until that has worked."""

from __future__ import annotations

import _thread
import threading
from contextlib import ExitStack
from itertools import count

import pytest

from loadtest.probe import probing
from loadtest.probe.progress import Told
from loadtest.probe.record import Sighting, Step
from tests.loadtest.probe.quick import probed, shorten
from tests.loadtest.probe.small_servers import serving, waiting


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    shorten(monkeypatch)


class Warming:
    """A service that grows warm, and what became of the first measurement of it."""

    def __init__(self) -> None:
        self.first: list[Step] = []
        self.later: list[Step] = []
        self.again = threading.Event()  # it is measured once more
        self.told = Told(line=self._line, step=self._step)
        self.to_interrupt = ""

    def answers(self) -> bytes:
        if self.again.is_set():
            self._happens("request")
        return waiting(0.01 if self.first else 0.1)()

    def _line(self, line: str) -> None:
        if line.endswith("measured once more"):
            self.again.set()
            self._happens("line")

    def _step(self, step: Step) -> None:
        if self.again.is_set():
            self.later.append(step)
            self._happens("step")
        else:
            self.first.append(step)

    def _happens(self, what: str) -> None:
        if self.to_interrupt == what:
            self.to_interrupt = ""
            _thread.interrupt_main()

    def is_as_first_seen(self, seen: Sighting) -> bool:
        """Whether what was measured first is what is returned."""
        first = sorted(self.first, key=lambda each: each.connections)
        return len(first) > 1 and bool(seen.waves) and list(seen.steps) == first


@pytest.mark.parametrize("when", ["line", "request", "step"])
def test_ctrl_c_while_it_is_measured_again_leaves_the_first_measurement(when: str) -> None:
    warming = Warming()
    warming.to_interrupt = when
    with serving(warming.answers, slots=2) as port:
        seen = probed(port, told=warming.told, connections=4)
    assert warming.is_as_first_seen(seen)
    assert seen.ended == probing.BY_USER
    assert seen.changed.startswith("The service became faster")
    assert seen.changed.endswith("probe it again when it is warm.")


@pytest.mark.parametrize("wrong", [1, 2], ids=["always", "every other time"])
def test_a_service_that_fails_while_it_is_measured_again_leaves_the_first_measurement(
    wrong: int,
) -> None:
    warming, turns = Warming(), count()
    failed = b"HTTP/1.1 500 Gone\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"

    def answers() -> bytes:
        right = warming.answers()
        return failed if warming.again.is_set() and not next(turns) % wrong else right

    with serving(answers, slots=2) as port:
        seen = probed(port, told=warming.told, connections=4)
    assert warming.is_as_first_seen(seen)
    assert warming.later[0].errors
    assert not seen.died
    assert wrong == 1 or "one request at a time fails already: status 500" in seen.ended


def test_a_service_that_ends_while_it_is_measured_again_leaves_the_first_measurement() -> None:
    warming = Warming()
    with ExitStack() as running:
        port = running.enter_context(serving(warming.answers, slots=2))
        said = warming.told.line

        def line(text: str) -> None:
            said(text)
            if warming.again.is_set():
                running.close()

        seen = probed(port, told=Told(line=line, step=warming.told.step), connections=4)
    assert warming.is_as_first_seen(seen)
    assert seen.died
