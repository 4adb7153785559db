"""Loads through Locust, as the runner makes them."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from wsproto import ConnectionType, WSConnection, events

from loadtest.engine.kinds import KINDS
from loadtest.errors import LabError
from loadtest.model.experiment import Background
from loadtest.model.load import Load, LoadResult
from loadtest.model.target import Target
from loadtest.run import gates
from loadtest.run.ceiling import nullserver
from loadtest.run.forkserver import ForkServer
from loadtest.run.load import run
from loadtest.stats.histogram import decode
from loadtest.system.ports import held
from tests.driving import long_enough, measured_right
from tests.lying_servers import OK, answering, once, over_tls, read_request, serving


@pytest.fixture(scope="module")
def null_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with nullserver.running(tmp_path_factory.mktemp("null"), nginx=None) as url:
        yield url


SHARED: list[ForkServer] = []  # a fork of it makes each load


@pytest.fixture(scope="module", autouse=True)
def _shared() -> Iterator[None]:
    with ForkServer() as forks:
        SHARED.append(forks)
        yield
        SHARED.clear()


def load(target: str, asked: Load, **options: Any) -> LoadResult:
    given: dict[str, Any] = {
        "scenario": "json",
        "parameters": {},
        "warmup_s": 0.2,
        "duration_s": 1.0,
        "seed": 1,
        "forks": SHARED[0],
        "service": "scripted",
    }
    result = run(asked, target=target, **(given | options))
    assert result.sent == result.answered + result.failed + result.unfinished
    assert result.failed == sum(result.errors.values())
    assert decode(result.response_us).total_count == result.answered + result.failed
    window = [part for part in result.timeline if part["t"] >= 0]
    assert sum(part["answered"] for part in window) == result.answered
    return result


def long_load(
    target: str, asked: Load, seen: Callable[[LoadResult], bool], **options: Any
) -> LoadResult:
    """One in whose window enough was seen."""
    return long_enough(
        lambda seconds: load(target, asked, duration_s=seconds, **options), seen, 1.0
    )


@pytest.mark.parametrize(
    ("asked", "processes"),
    [
        *((Load(kind, 32, 500.0), 1) for kind in KINDS),
        (Load("closed", 8, think_s=0.01), 1),
        (Load("closed", 8), 2),
        (Load("open", 32, 500.0), 2),
    ],
    ids=lambda each: each.kind if isinstance(each, Load) else f"{each}",
)
def test_the_service_counts_what_the_load_counts(
    null_server: str, asked: Load, processes: int
) -> None:
    before = nullserver.served(null_server)
    result = load(null_server, asked, processes=processes)
    after = nullserver.served(null_server)
    assert result.failed == 0
    assert result.sent_in_warmup + result.sent == after - before - 1  # one asks for the count
    assert result.goodput_rps == pytest.approx(result.answered / result.duration_s)
    named = {gate.name: gate for gate in gates.check(asked, result)}
    assert named["answers checked"].passed
    assert named["Little's law"].passed, named["Little's law"].detail
    if KINDS[asked.kind].scheduled:
        arrivals = result.sent + result.unsendable
        assert arrivals == pytest.approx(500 * result.duration_s, rel=0.25)  # 5 σ of Poisson


def test_the_timeline_has_the_warm_up_and_the_moments_without_an_answer(null_server: str) -> None:
    phases: list[str] = []
    asked = Load("closed", 2, think_s=0.6)
    result = load(null_server, asked, warmup_s=0.5, duration_s=1.5, entered=phases.append)
    times = [part["t"] for part in result.timeline]
    assert times == [n / 4 for n in range(-2, len(times) - 2)]
    assert 1.25 <= times[-1] < result.duration_s
    assert sum(part["answered"] for part in result.timeline if part["t"] < 0) > 0
    assert 0 in [part["answered"] for part in result.timeline]
    assert all(part["p50_ms"] <= part["max_ms"] for part in result.timeline)
    assert phases == ["measured", "done"]


@pytest.mark.parametrize("processes", [1, 2])
def test_a_second_load_runs_beside_and_is_told_apart(null_server: str, processes: int) -> None:
    before = nullserver.served(null_server)
    second = Background("items", {"limit": 100}, Load("open", 8, 200.0))
    result = load(null_server, Load("closed", 4), processes=processes, background=second)
    beside, served = result.beside, nullserver.served(null_server) - before - 1
    assert beside is not None
    sent = sum(each.sent + each.sent_in_warmup for each in (result, beside))
    assert (result.failed, beside.failed, sent) == (0, 0, served)
    assert beside.duration_s == pytest.approx(result.duration_s)
    arrivals = beside.sent + beside.unsendable
    assert arrivals == pytest.approx(200 * beside.duration_s, rel=0.4)  # 5 σ of Poisson
    assert beside.received_bytes / beside.answered > result.received_bytes / result.answered


@pytest.mark.parametrize("processes", [1, 2])
def test_no_request_more_is_sent_than_may_be(null_server: str, processes: int) -> None:
    before = nullserver.served(null_server)
    second = Background("items", {"limit": 100}, Load("closed", 2))
    options: dict[str, Any] = {"background": second, "requests_at_most": 61}
    result = load(null_server, Load("closed", 4), processes=processes, **options)
    beside, served = result.beside, nullserver.served(null_server) - before - 1
    assert beside is not None
    assert served == processes * (61 // processes)
    assert sum(each.sent + each.sent_in_warmup for each in (result, beside)) == served


def test_pages_of_a_real_size(null_server: str) -> None:
    result = load(null_server, Load("closed", 4), scenario="items", parameters={"limit": 100})
    assert result.failed == 0
    assert result.received_bytes > 10_000 * result.answered


def test_lies_come_out_under_their_names() -> None:
    with serving(answering(OK, OK.replace(b"World", b"wORLD"))) as port:
        result = load(f"http://127.0.0.1:{port}", Load("closed", 2))
    assert set(result.errors) == {"wrong body"}
    with serving(once(OK[:-5])) as port:
        result = load(f"http://127.0.0.1:{port}", Load("closed", 2))
    assert set(result.errors) == {"cut answer"}


@pytest.mark.parametrize(
    ("host", "error"),
    [("no-such-host.invalid", "host not found"), ("127.0.0.1", "connection refused")],
)
def test_a_target_out_of_reach_is_counted_within_the_time(host: str, error: str) -> None:
    with held(1) as [nobody]:
        result = load(f"http://{host}:{nobody}", Load("closed", 4))
    assert set(result.errors) == {error}
    assert result.generator_cpu < 0.5


def test_a_request_of_ones_own_over_tls_a_connection_each() -> None:
    asked: list[bytes] = []

    def script(connection: socket.socket) -> None:
        while request := read_request(connection):
            asked.append(request)
            connection.sendall(b"HTTP/1.1 201 Made\r\nContent-Length: 5\r\n\r\n%05d" % len(asked))

    own = Target("https://127.0.0.1/made?n=1", "PUT", {"X-Key": "1"}, status=201, insecure=True)
    with serving(over_tls(script)) as port:
        result = long_load(
            f"https://127.0.0.1:{port}",
            Load("closed", 2, requests_per_connection=1),
            lambda result: result.answered > 20,
            scenario="request",
            request=own,
        )
    assert result.errors == {}
    assert result.answered > 20
    assert result.reconnects == 0
    first = asked[0].decode().split("\r\n")
    assert first[0] == "PUT /made?n=1 HTTP/1.1"
    assert {f"Host: 127.0.0.1:{port}", "X-Key: 1", "Connection: close"} <= set(first)


def test_a_certificate_that_is_not_trusted_fails_every_request_by_its_name() -> None:
    with serving(over_tls(answering(OK))) as port:
        result = load(f"https://127.0.0.1:{port}", Load("closed", 2))
    (name,) = result.errors
    assert name.startswith("certificate: self")


def streaming(connection: socket.socket) -> None:
    """Streams of three events, 50 ms apart; every tenth loses its last one."""
    count = 0
    while read_request(connection):
        count += 1
        connection.sendall(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n"
        )
        for number in range(3 if count % 10 else 2):
            time.sleep(0.05 if number else 0)
            event = b'data: {"event": %d}\n\n' % number
            connection.sendall(b"%x\r\n%b\r\n" % (len(event), event))
        connection.sendall(b"0\r\n\r\n")


def test_streams_of_events() -> None:
    measured_right(streams_of_events)


def streams_of_events() -> None:
    options = {"scenario": "stream", "parameters": {"n": 3, "ms": 50}, "duration_s": 1.5}
    with serving(streaming) as port:
        result = load(f"http://127.0.0.1:{port}", Load("closed", 10), **options)
    assert set(result.errors) <= {"cut stream"}
    assert result.lost_events == result.failed
    first, gaps = decode(result.first_event_us), decode(result.event_gap_us)
    ended = result.answered + result.failed
    assert ended - 10 <= first.total_count <= ended + 10
    assert gaps.total_count == pytest.approx(2 * ended - result.failed, abs=20)
    # A client that hears an event late finds the next gap too short by as much.
    assert gaps.get_mean_value() >= 0.9 * 50_000


def echo(connection: socket.socket) -> None:
    """A WebSocket server that echoes, with a ping now and then and every tenth answer wrong."""
    protocol, count = WSConnection(ConnectionType.SERVER), 0
    while data := connection.recv(65536):
        protocol.receive_data(data)
        for event in protocol.events():
            if isinstance(event, events.Request):
                connection.sendall(protocol.send(events.AcceptConnection()))
            elif isinstance(event, events.TextMessage):
                count += 1
                if count % 7 == 0:
                    connection.sendall(protocol.send(events.Ping(b"still there?")))
                text = event.data if count % 10 else event.data.upper()
                connection.sendall(protocol.send(events.TextMessage(text)))


def test_an_echo_over_websockets() -> None:
    with serving(echo) as port:
        result = long_load(
            f"http://127.0.0.1:{port}",
            Load("closed", 5),
            lambda result: result.failed > 25,  # each connection has its own tenth answer
            scenario="websocket",
            parameters={"bytes": 200},
        )
    assert set(result.errors) == {"wrong body"}
    assert result.failed == pytest.approx((result.answered + result.failed) / 10, rel=0.3)
    assert result.reconnects == 0


def test_a_service_without_websockets_says_so() -> None:
    with serving(answering(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")) as port:
        result = load(f"http://127.0.0.1:{port}", Load("closed", 2), scenario="websocket")
    assert set(result.errors) == {"status 404"}


@pytest.mark.parametrize(
    ("asked", "options", "message"),
    [
        (Load("closed", 0), {}, "at least 1 connection"),
        (Load("open", 5), {}, "needs a rate_rps above 0"),
        (Load("closed", 5), {"scenario": "jsn"}, "unknown scenario 'jsn'"),
        (Load("closed", 5), {"parameters": {"ms": 1}}, "unknown parameter 'ms'"),
        (Load("websocket", 5), {}, "unknown load 'websocket'; there are: closed, open, held"),
        (Load("closed", 3_000_000), {}, "3,000,000 connections need 3,000,064 open files"),
        (Load("closed", 2), {"processes": 3}, "3 processes need at least 3 connections"),
        (Load("closed", 2, requests_per_connection=0), {}, "at least 1 request"),
        (Load("closed", 2), {"background": Background("jsn", {}, Load("closed", 1))}, "'jsn'"),
        (Load("closed", 2), {"background": Background("json", {}, Load("open", 1))}, "rate_rps"),
        (
            Load("closed", 2, requests_per_connection=1),
            {"scenario": "websocket"},
            "websocket keeps its connections",
        ),
        (
            Load("closed", 2),
            {"scenario": "request", "request": Target("http://x/", headers={"a": "b\nc"})},
            "headers: a needs text on one line",
        ),
    ],
    ids=str,
)
def test_what_cannot_be_loaded_is_said_in_one_line(
    asked: Load, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(LabError, match=message) as caught:
        load("http://127.0.0.1:9", asked, **options)
    assert "\n" not in str(caught.value)
