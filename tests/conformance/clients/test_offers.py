"""Upgrades, expectations, codings and trailers that a client offers: the answer without them, or a
refusal; and nothing is left behind."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from loadtest.contract.cases import METHODS, ROUTES
from loadtest.inventory.manifest import UPGRADES, Service
from tests.conformance.clients import wire
from tests.conformance.clients.test_departure import taken
from tests.conformance.conftest import SERVERS
from tests.waiting import eventually

WEBSOCKET = (
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
)
H2C = ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP__")
OFFERS = (
    WEBSOCKET,
    WEBSOCKET[:2],
    WEBSOCKET[1:],
    H2C,
    ("Connection: keep-alive, upgrade", "Upgrade: TLS/1.0, none/2"),
    ("Expect: 100-continue",),
    ("Expect: the-impossible",),
    ("Connection: TE", "TE: trailers"),
    ("TE: gzip;q=0.5, x",),
    ("Trailer: X-Checksum",),
)
# Beside the client's faults: HTTP has 501 for a coding that the server does not know.
REFUSALS = {*range(400, 500), 501}
CHEAP = {
    "/wait": "/wait?ms=1",
    "/fanout": "/fanout?n=2&ms=1",
    "/stream": "/stream?n=2&ms=1",
    "/cpu": "/cpu?n=1",
}
BODIES = {"/orders": wire.ORDER, "/session": b'{"username": "ann"}'}
TARGETS = [(method, target) for target, methods in ROUTES.items() for method in methods]
TARGETS += [("GET", "/nope"), ("GET", "/ws"), ("HEAD", "/json"), ("PUT", "/orders")]


TIMEOUT_S = 20.0
SOCKETS, OPEN = Path("/proc/net/tcp"), {"01", "08"}  # established, left by the client


@dataclass(frozen=True)
class Exchange:
    """A request with what its client offers beside it."""

    method: str
    target: str
    offers: tuple[str, ...] = ()
    body: str = "whole"

    def offered(self, service: Service) -> Exchange:
        """The same with the offers alone that the service can leave."""
        left = [
            line for line in self.offers if UPGRADES not in service.leaves_out or line not in H2C
        ]
        return replace(self, offers=tuple(left))

    def upgrades(self) -> bool:
        """Whether it asks to go on in another protocol: then no request may follow it."""
        return any(offer.startswith("Upgrade:") for offer in self.offers)

    def meets_silence(self, service: Service) -> bool:
        """Whether stock uvicorn says nothing: to a WebSocket's handshake that is no GET."""
        handshake = self.method not in ("GET", "HEAD") and "Upgrade: websocket" in self.offers
        return handshake and "uvicorn" in service.command and "none" not in service.command

    def request(self) -> bytes:
        """The bytes; a body is whole, in chunks, or in chunks with a trailer."""
        target = CHEAP.get(self.target, self.target)
        body = BODIES.get(self.target) if self.method in METHODS[1:] else None
        if body is None:
            return wire.head(self.method, target, *self.offers)
        fields = ["Content-Type: application/json", *self.offers]
        if self.body == "whole":
            return wire.head(self.method, target, *fields, f"Content-Length: {len(body)}") + body
        trailer = b"X-Checksum: 1\r\n" if self.body == "with a trailer" else b""
        chunks = b"%x\r\n%b\r\n0\r\n%b\r\n" % (len(body), body, trailer)
        return wire.head(self.method, target, *fields, "Transfer-Encoding: chunked") + chunks


EXCHANGES = st.builds(
    lambda asked, offers, body: Exchange(asked[0], asked[1], tuple(chain(*offers)), body),
    st.sampled_from(TARGETS),
    st.lists(st.sampled_from(OFFERS), max_size=2, unique=True),
    st.sampled_from(["whole", "in chunks", "with a trailer"]),
).filter(lambda exchange: exchange.target != "/ws" or WEBSOCKET[3] not in exchange.offers)

PIPELINES = st.lists(EXCHANGES, min_size=1, max_size=3).filter(
    lambda exchanges: not any(exchange.upgrades() for exchange in exchanges[:-1])
)


def exchanged(service: Service, exchanges: list[Exchange]) -> list[int]:
    """Statuses of requests that are sent at once on one connection, up to the first refusal."""
    exchanges = [exchange.offered(service) for exchange in exchanges]
    with wire.connect(service) as client, client.makefile("rb") as received:
        client.settimeout(TIMEOUT_S)
        client.sendall(b"".join(exchange.request() for exchange in exchanges))
        silent = [exchange.meets_silence(service) for exchange in exchanges].count(True)
        methods = [exchange.method for exchange in exchanges]
        return wire.statuses(received, methods[: len(methods) - silent])


def open_sockets(service: Service) -> int:
    """Connections that the service has not closed, those that clients have left included."""
    lines = [line.split() for line in SOCKETS.read_text().splitlines()[1:]]
    port = f":{service.port:04X}"
    return sum(local.endswith(port) and state in OPEN for _, local, _, state, *_ in lines)


@pytest.mark.parametrize("service", SERVERS, indirect=True)
def test_what_is_offered_is_left_or_refused(service: Service) -> None:
    before = open_sockets(service)
    plain = {target: exchanged(service, [Exchange(*target)])[0] for target in TARGETS}

    @settings(max_examples=60, derandomize=True, database=None, phases=[Phase.generate])
    @given(PIPELINES)
    def holds(exchanges: list[Exchange]) -> None:
        found = exchanged(service, exchanges)
        assert found or exchanges[0].meets_silence(service)
        for exchange, status in zip(exchanges, found, strict=False):
            assert status in REFUSALS | {plain[exchange.method, exchange.target]}, exchange

    holds()
    assert eventually(lambda: not taken(service)), taken(service)
    assert eventually(lambda: open_sockets(service) <= before), open_sockets(service)


@pytest.mark.parametrize("service", SERVERS, indirect=True)
def test_many_upgrades_leave_no_socket(service: Service) -> None:
    before = open_sockets(service)
    for offer in (WEBSOCKET, H2C):
        for _ in range(50):
            exchanged(service, [Exchange("GET", "/json", offer)])
    assert eventually(lambda: not taken(service)), taken(service)
    assert eventually(lambda: open_sockets(service) <= before), open_sockets(service)
