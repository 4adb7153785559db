"""A server that starts its workers anew: what they did is not told as nothing."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest

from loadtest.probe import processes
from loadtest.probe.conclusion.advice import conclude
from loadtest.probe.conclusion.binding import WITHIN
from loadtest.probe.conclusion.renewed import FULL
from loadtest.probe.record import STOPPED_ANSWERING, Step, document, restored
from tests.loadtest.probe import sightings
from tests.loadtest.probe.quick import probed, shorten
from tests.loadtest.probe.small_servers import OK
from tests.waiting import eventually, gone

ANSWER_S = 0.01  # of CPU
# One worker after another, each for so many requests; it tells the port.
PREFORK = f"""
import contextlib, os, socket, sys, time
listener = socket.create_server(("127.0.0.1", 0), backlog=512)
def answer(connection):
    data = b""
    while b"\\r\\n\\r\\n" not in data:
        if not (got := connection.recv(65536)):
            return
        data += got
    ends = time.process_time() + {ANSWER_S}
    while time.process_time() < ends:
        pass
    connection.sendall({OK!r})
def work():
    for _ in range(int(sys.argv[1])):
        with contextlib.suppress(OSError), listener.accept()[0] as connection:
            answer(connection)
    os._exit(0)
told = False
while True:
    if not (worker := os.fork()):
        work()
    if not told:
        print(listener.getsockname()[1], flush=True)
        told = True
    os.waitpid(worker, 0)
"""


@contextlib.contextmanager
def prefork(requests: int) -> Iterator[tuple[int, int]]:
    """Its port and its master, until the block ends."""
    command = [sys.executable, "-c", PREFORK, str(requests)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as master:
        try:
            assert master.stdout
            yield int(master.stdout.readline()), master.pid
        finally:
            os.killpg(master.pid, signal.SIGKILL)


def test_what_came_in_place_of_a_process_is_found_and_its_master_is_not_taken_for_it() -> None:
    with prefork(1000) as (port, master):
        found = processes.serving((int(socket.AF_INET), ("127.0.0.1", port)))
        assert found
        [worker] = found.pids
        assert found.cpu_s()
        os.kill(worker, signal.SIGKILL)
        assert eventually(lambda: gone(worker))
        assert found.cpu_s() == ()

        def anew() -> tuple[float, ...]:
            found.look_anew()
            assert master not in found.pids
            return found.cpu_s()

        assert eventually(anew)
        assert worker not in found.pids
        assert found.ended == 1


def test_cpu_of_workers_that_end_meanwhile_is_not_told_as_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shorten(monkeypatch)
    with prefork(5) as (port, _):
        seen = probed(port, connections=4)
    assert any(not each.workers for each in seen.steps)
    for each in seen.steps:
        enough = each.workers and each.answered >= 10
        assert not enough or each.server * each.lasted_s > 0.3 * ANSWER_S * each.answered
        assert each.workers or (each.threads, each.ready, each.others) == (0, None, None)
    said = conclude(seen)
    assert any("ended while it was probed" in note for note in said.notes)
    assert "less than 1 %" not in " ".join(said.sentences)
    if said.binding.name in WITHIN and not any(each.workers for each in seen.steps):
        assert set(FULL) & set(said.binding.could_be)


def unknown(steps: Sequence[Step]) -> tuple[Step, ...]:
    """The same where a process ended in each of them."""
    return tuple(
        replace(each, workers=(), threads=0, ready=None, others=None, idle=0.5) for each in steps
    )


@pytest.mark.parametrize(("slots", "name"), [(1, "one at a time"), (2, "slots")])
def test_without_its_cpu_no_name_is_given_with_confidence(slots: int, name: str) -> None:
    steps = unknown(sightings.full(slots, 0.01))
    seen = sightings.seen(steps, server=sightings.server(processes=slots), processes_ended=3)
    said = conclude(seen)
    assert said.binding.name == name
    assert set(FULL) & set(said.binding.could_be)
    assert said.notes == (
        "At least 3 processes of the server ended while it was probed: it starts workers anew, or "
        "they fail. So its CPU and its threads are not known.",
    )
    assert restored(json.loads(json.dumps(document(seen, said)))) == seen


def test_with_its_cpu_of_some_steps_it_is_told_as_ever() -> None:
    steps = sightings.full(4)
    some = (*unknown(steps[:-1]), steps[-1])
    known = sightings.seen(steps, server=sightings.server(processes=4))
    seen = replace(known, steps=some, processes_ended=1)
    assert conclude(seen).binding == conclude(known).binding
    assert conclude(seen).notes == (
        "At least 1 process of the server ended while it was probed: it starts workers anew, or "
        "they fail.",
    )


def test_processes_of_a_service_that_is_gone_were_not_started_anew() -> None:
    seen = sightings.seen(
        sightings.full(4), server=sightings.server(), processes_ended=1, ended=STOPPED_ANSWERING
    )
    assert not any("anew" in note for note in conclude(seen).notes)
