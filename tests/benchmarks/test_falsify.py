"""What `make falsify` counts, and that its disturbances do what their names say."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from benchmarks.falsify import __main__ as falsify
from benchmarks.falsify import disturbances, limits, noticed, order, page, slower
from benchmarks.falsify.disturbed import Disturbed
from benchmarks.falsify.faulty_proxy import FAULTS, Proxy
from benchmarks.falsify.noticed import Outcome, Series
from benchmarks.falsify.scene import Disturbance, Scene
from loadtest.model.experiment import Background, Level
from loadtest.model.load import Load, LoadResult
from loadtest.model.trial import Gate, Trial
from loadtest.run.measurement import Measurement
from loadtest.system import ports
from loadtest.system.paths import ROOT
from tests.loadtest.results.test_trials import RESULT
from tests.lying_servers import OK, answering, once, serving

CHOSEN = (Disturbance("a spinner"), Disturbance("a stop", services=("flask-sync",)))


def outcome(disturbance: str | None, rps: float, *failed: str) -> Outcome:
    trial = Trial(
        run_id="r",
        experiment="e",
        index=0,
        attempt=1,
        round=1,
        order=1,
        arm="flask-sync",
        service="flask-sync",
        level="JSON",
        scenario="json",
        parameters={},
        load=Load("closed", 1),
        result=replace(RESULT, goodput_rps=rps),
        gates=tuple(Gate(name, False, None, None, "x") for name in failed),
    )
    return Outcome(disturbance, "direct", trial)


SERIES = Series(
    1,
    (
        outcome(None, 100.0),
        outcome(None, 102.0),
        outcome(None, 98.0, "machine to itself"),
        outcome("a spinner", 70.0, "machine to itself"),
        outcome("a spinner", 80.0),
        outcome("a stop", 95.0),
    ),
    load=0.5,
    lasted_s=120.0,
)


def test_the_order_is_the_seeds_and_half_of_it_is_quiet() -> None:
    trials = order.order(7, 3, CHOSEN)
    assert trials == order.order(7, 3, CHOSEN) != order.order(8, 3, CHOSEN)
    names = [each.disturbance for each in trials]
    assert {name: names.count(name) for name in names} == {None: 6, "a spinner": 3, "a stop": 3}
    assert {each.service for each in trials if each.disturbance == "a stop"} == {"flask-sync"}


@pytest.mark.parametrize("chosen", [disturbances.ALL, *((each,) for each in disturbances.ALL)])
def test_each_disturbed_trial_has_quiet_ones_to_compare_with(
    chosen: tuple[Disturbance, ...],
) -> None:
    trials = order.order(1, 2, chosen)
    quiet = [replace(each, disturbance=None) for each in trials if not each.disturbance]
    assert {replace(each, disturbance=None) for each in trials} == {*quiet}
    for each in trials:
        assert order.planned(each).level.label == each.level


def test_the_table_has_effect_and_who_noticed() -> None:
    lines = page.lines([SERIES], CHOSEN, {})
    assert "| a spinner | 2 | −25% (−30% to −20%) | 1 | machine to itself |" in lines
    assert "| a stop | 1 | −5% | 0 | – |" in lines


def test_a_table_holds_two_seeds_each_beside_its_own_quiet_trials() -> None:
    faster = Series(
        2, (outcome(None, 200.0), outcome("a spinner", 160.0, "machine to itself")), lasted_s=60.0
    )
    lines = page.lines([SERIES, faster], CHOSEN, {})
    assert "| a spinner | 3 | −20% (−30% to −20%) | 2 | machine to itself |" in lines
    assert "| 1 | 6 | 2 | 0.5 | 1 of 2 | 1 of 3 (1 × machine to itself) |" in lines
    assert "| 2 | 2 | 1 | 0.0 | 1 of 1 | 0 of 1 |" in lines


def test_what_this_machine_cannot_do_has_a_row_that_says_so() -> None:
    lines = page.lines([SERIES], CHOSEN, {"a stop": "needs root"})
    assert "| a stop | 0 | could not be done here: needs root | – | – |" in lines


def test_a_gate_that_quiet_trials_fail_as_well_counts_for_nothing() -> None:
    loud = Series(
        1,
        (
            outcome(None, 100.0, "machine to itself"),
            outcome(None, 100.0, "machine to itself"),
            outcome(None, 100.0),
            outcome("a spinner", 50.0, "machine to itself"),
            outcome("a stop", 50.0, "machine to itself", "processes kept running"),
        ),
    )
    assert loud.deaf == {"machine to itself"}
    lines = page.lines([loud], CHOSEN, {})
    assert "| a spinner | 1 | −50% | 0 | – |" in lines
    assert "| a stop | 1 | −50% | 1 | processes kept running |" in lines
    assert (noticed.matters(loud), noticed.alarms(loud)[""]) == ((1, 2), 0)
    assert any("Other programs ran all the time" in line for line in lines)


def test_what_matters_and_false_alarms_are_counted() -> None:
    assert noticed.matters(SERIES) == (1, 2)
    assert noticed.alarms(SERIES) == {"": 1, "machine to itself": 1}


def test_the_page_keeps_what_stands_around_the_table() -> None:
    text = f"before\n{page.BEGIN}\nold\n{page.END}\nafter\n"
    found = page.replaced(text, ["| a |"])
    assert found.startswith("before\n")
    assert found.endswith("after\n")
    assert "old" not in found
    assert page.replaced(found, ["| a |"]) == found


def test_the_page_that_there_is_has_a_place_for_the_table() -> None:
    assert "| a |" in page.replaced(page.PAGE.read_text(), ["| a |"])


def test_twenty_disturbances_have_names_of_their_own() -> None:
    names = [each.name for each in disturbances.ALL]
    assert len(set(names)) == len(names) >= 20
    assert all(
        sum(map(bool, (each.act or each.around, each.fault))) == 1 for each in disturbances.ALL
    )
    assert {each.fault for each in disturbances.ALL} - {""} == {*FAULTS} - {"nothing"}


def test_each_line_of_the_table_can_be_repeated_by_its_name() -> None:
    for each in disturbances.ALL:
        assert re.fullmatch(r"[\w %.,-]+", each.name), "a shell within make takes it in quotes"
        assert falsify.chosen([each.name]) == [each]
    assert falsify.chosen([""]) == [*disturbances.ALL]
    with pytest.raises(SystemExit, match="'gremlins' in its name: --list"):
        falsify.chosen(["packet", "gremlins"])


LIGHT = Background("json", {}, Load("open", 50, rate_rps=600.0))


@pytest.mark.parametrize("beside", [None, LIGHT])
def test_a_disturbance_happens_in_the_window_and_in_no_practice(
    monkeypatch: pytest.MonkeyPatch, beside: Background | None
) -> None:
    acted = threading.Event()

    def run(*arguments: Any, background: Background | None = None) -> LoadResult:
        for entered in filter(callable, arguments):
            entered("measured")
            assert acted.wait(10)
            assert arguments[-1] is beside
            assert background is None
        return RESULT

    monkeypatch.setattr(Measurement, "_run", run)
    taking = object.__new__(Disturbed)
    taking.act = acted.set
    asked, told = Load("closed", 4), list[str]()
    level = Level("4 connections", 4.0, asked, "json", {}, {})
    taking._run("flask-sync", asked, level, 0.1, 0.1, seed=0)
    assert not acted.is_set()
    taking._run("flask-sync", asked, level, 0.1, 0.1, 1, told.append, beside)
    assert acted.is_set()
    assert told == ["measured"]


def test_a_disk_that_filled_has_room_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    left: list[int] = []

    def until_full(path: Path) -> None:
        path.write_bytes(b"x")
        left.append(len(list(tmp_path.iterdir())))

    monkeypatch.setattr(limits, "_fill", until_full)
    limits.fill_disk(cast(Scene, SimpleNamespace(lab=SimpleNamespace(state=tmp_path), window_s=0)))
    assert (left, list(tmp_path.iterdir())) == ([1], [])


def test_a_service_that_gets_slower_hands_it_on_to_no_child(tmp_path: Path) -> None:
    (tmp_path / slower.MODULE).write_text(slower.CODE)
    asks = "import os, threading; print(os.environ['PYTHONPATH'], threading.active_count())"
    found = subprocess.run(
        [sys.executable, "-c", asks],
        env={"PYTHONPATH": os.pathsep.join([str(ROOT), str(tmp_path)])},
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout.split() == [str(ROOT), "2"]


@pytest.mark.parametrize(
    ("fault", "second"),
    [
        ("nothing", OK),
        ("wrong", OK.replace(b"World", b"wORLD")),
        ("twice", OK + OK),
        ("reset", b""),
    ],
)
def test_the_proxy_does_to_the_second_answer_what_it_is_told(fault: str, second: bytes) -> None:
    with serving(answering(OK)) as upstream, ports.held(1) as (own,):
        proxy = Proxy(own, upstream, fault, 2)
        threading.Thread(target=proxy.serve, daemon=True).start()
        with socket.create_connection((ports.LOOPBACK, own), timeout=10) as client:
            assert asked(client, len(OK)) == OK
            assert asked(client, len(second)) == second


def test_the_proxy_keeps_an_answer_for_itself() -> None:
    with serving(answering(OK)) as upstream, ports.held(1) as (own,):
        threading.Thread(target=Proxy(own, upstream, "never", 2).serve, daemon=True).start()
        with socket.create_connection((ports.LOOPBACK, own), timeout=10) as client:
            assert asked(client, len(OK)) == OK
            client.sendall(b"GET / HTTP/1.1\r\n\r\n")
            client.settimeout(0.5)
            with pytest.raises(TimeoutError):
                client.recv(1)


def test_a_client_whose_answer_is_kept_waits_on_where_the_service_closes_its_connection() -> None:
    with serving(once(OK)) as upstream, ports.held(1) as (own,):
        threading.Thread(target=Proxy(own, upstream, "never", 1).serve, daemon=True).start()
        with socket.create_connection((ports.LOOPBACK, own), timeout=0.5) as client:
            client.sendall(b"GET / HTTP/1.1\r\n\r\n")
            with pytest.raises(TimeoutError):
                client.recv(1)


def asked(client: socket.socket, size: int) -> bytes:
    """What comes of a request, up to `size` bytes, or the end."""
    client.sendall(b"GET / HTTP/1.1\r\n\r\n")
    data, deadline = b"", time.monotonic() + 10
    while len(data) < size and time.monotonic() < deadline:
        try:
            got = client.recv(65536)
        except ConnectionError:
            break
        if not got:
            break
        data += got
    return data if size else (data or ended(client))


def ended(client: socket.socket) -> bytes:
    """Empty where the connection is over."""
    try:
        return client.recv(1)
    except ConnectionError:
        return b""
