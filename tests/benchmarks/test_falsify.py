"""What `make falsify` counts, and that its disturbances do what their names say."""

from __future__ import annotations

import socket
import threading
import time
from dataclasses import replace

import pytest

from benchmarks.falsify import __main__ as falsify
from benchmarks.falsify import disturbances, noticed
from benchmarks.falsify.disturbances import Disturbance
from benchmarks.falsify.faulty_proxy import FAULTS, Proxy
from benchmarks.falsify.noticed import Outcome
from loadtest.model.load import Load
from loadtest.model.trial import Gate, Trial
from loadtest.system import ports
from tests.loadtest.results.test_trials import RESULT
from tests.lying_servers import OK, answering, serving

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


OUTCOMES = [
    outcome(None, 100.0),
    outcome(None, 102.0),
    outcome(None, 98.0, "machine to itself"),
    outcome("a spinner", 70.0, "machine to itself"),
    outcome("a spinner", 80.0),
    outcome("a stop", 95.0),
]


def test_the_order_is_the_seeds_and_half_of_it_is_quiet() -> None:
    trials = falsify.order(7, 3, CHOSEN)
    assert trials == falsify.order(7, 3, CHOSEN) != falsify.order(8, 3, CHOSEN)
    names = [name for _, name, _ in trials]
    assert {name: names.count(name) for name in names} == {"": 6, "a spinner": 3, "a stop": 3}
    assert {service for service, name, _ in trials if name == "a stop"} == {"flask-sync"}


def test_the_table_has_effect_and_who_noticed() -> None:
    lines = noticed.table(OUTCOMES, CHOSEN)
    assert "| a spinner | 2 | -25% | 1 | machine to itself |" in lines
    assert "| a stop | 1 | -5% | 0 | – |" in lines


def test_a_gate_that_quiet_trials_fail_as_well_counts_for_nothing() -> None:
    loud = [
        outcome(None, 100.0, "machine to itself"),
        outcome(None, 100.0, "machine to itself"),
        outcome(None, 100.0),
        outcome("a spinner", 50.0, "machine to itself"),
        outcome("a stop", 50.0, "machine to itself", "processes kept running"),
    ]
    assert noticed.deaf(loud) == {"machine to itself"}
    lines = noticed.table(loud, CHOSEN)
    assert "| a spinner | 1 | -50% | 0 | – |" in lines
    assert "| a stop | 1 | -50% | 1 | processes kept running |" in lines
    told = noticed.summary(loud)
    assert told == {
        "noticed": "1 of 2 trials with an effect of 10 % or more",
        "alarms": "0 of 3 quiet trials",
    }


def test_what_matters_and_false_alarms_are_counted() -> None:
    told = noticed.summary(OUTCOMES)
    assert told["noticed"] == "1 of 2 trials with an effect of 10 % or more"
    assert told["alarms"] == "1 of 3 quiet trials (1 × machine to itself)"


def test_the_page_keeps_what_stands_around_the_table() -> None:
    text = f"before\n{falsify.BEGIN}\nold\n{falsify.END}\nafter\n"
    told = {"noticed": "1 of 2", "alarms": "0 of 3"}
    found = falsify.page(text, ["| a |"], told, "Seed 1.")
    assert found.startswith("before\n")
    assert found.endswith("after\n")
    assert "old" not in found
    assert falsify.page(found, ["| a |"], told, "Seed 1.") == found


def test_twenty_disturbances_have_names_of_their_own() -> None:
    names = [each.name for each in disturbances.ALL]
    assert len(set(names)) == len(names) >= 20
    assert all((each.act is None) == bool(each.fault) for each in disturbances.ALL)
    assert {each.fault for each in disturbances.ALL} - {""} == {*FAULTS} - {"nothing"}


@pytest.mark.timed
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


@pytest.mark.timed
def test_the_proxy_keeps_an_answer_for_itself() -> None:
    with serving(answering(OK)) as upstream, ports.held(1) as (own,):
        threading.Thread(target=Proxy(own, upstream, "never", 2).serve, daemon=True).start()
        with socket.create_connection((ports.LOOPBACK, own), timeout=10) as client:
            assert asked(client, len(OK)) == OK
            client.sendall(b"GET / HTTP/1.1\r\n\r\n")
            client.settimeout(0.5)
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
