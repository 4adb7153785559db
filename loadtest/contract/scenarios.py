"""What one request is, how its answer is checked and what it should cost: the contract as load."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import cycle, repeat

from loadtest.contract import catalogue, own
from loadtest.contract.catalogue import ITEMS
from loadtest.contract.session import KeptSession, SessionSteps, stranger
from loadtest.contract.traffic import streams
from loadtest.contract.traffic.orders import order_request
from loadtest.engine.http_request import body_is, http_request, json_is
from loadtest.engine.request import Request, Traffic
from loadtest.engine.websocket import echo_request
from loadtest.errors import LabError
from loadtest.model.load import Load
from loadtest.model.target import Target

SET_SIZE = 100
OWN = "request"


class ScenarioError(LabError):
    """A scenario or one of its parameters is not what there is; the message lists what is."""


@dataclass(frozen=True)
class Parameter:
    """A whole number that a scenario takes, with its bounds."""

    name: str
    default: int
    minimum: int
    maximum: int
    help: str


@dataclass(frozen=True)
class Scenario:
    """A kind of request.

    `traffic(host, parameters, seed)` prepares the requests: what it gives is called once for each
    connection and yields that connection's requests for ever. `latency_s(parameters)` says how many
    seconds one request holds a slot (for fan-out, all its slots together), None where nothing can
    be said beforehand. `holds_s` says so of requests that wait without the database: they hold what
    runs them, such as a thread. `lasting`: the connection itself is what is asked for, and is not
    closed after some requests.
    """

    name: str
    help: str
    traffic: Callable[[str, Mapping[str, int], int], Traffic]
    parameters: tuple[Parameter, ...] = ()
    latency_s: Callable[[Mapping[str, int]], float | None] = lambda _: None
    holds_s: Callable[[Mapping[str, int]], float | None] = lambda _: None
    lasting: bool = False

    def asking(self, target: Target) -> Scenario:
        """With the user's own request, where that is what this scenario asks."""
        return replace(self, traffic=own.traffic(target)) if self.name == OWN else self

    def check(self, load: Load) -> None:
        """Raise ScenarioError where the load can't be made of it."""
        if self.lasting and load.requests_per_connection:
            raise ScenarioError(
                f"scenario {self.name} keeps its connections; leave requests_per_connection out"
            )

    def filled(self, given: Mapping[str, int]) -> dict[str, int]:
        """`given` with the defaults of the rest; unknown names and wild values are errors."""
        values = {parameter.name: parameter.default for parameter in self.parameters}
        for name in given:
            if name not in values:
                known = ", ".join(values) or "none"
                raise ScenarioError(
                    f"scenario {self.name}: unknown parameter {name[:40]!r}; it takes: {known}"
                )
        values.update(given)
        for parameter in self.parameters:
            _check_bounds(self.name, parameter, values[parameter.name])
        return values


def choose(name: str) -> Scenario:
    """The scenario called `name`; an unknown name is an error that lists what there is."""
    if name not in SCENARIOS:
        raise ScenarioError(f"unknown scenario {name[:40]!r}; there are: {', '.join(SCENARIOS)}")
    return SCENARIOS[name]


def parse_parameters(text: str) -> dict[str, int]:
    """Read `ms=100, n=5` (commas or blanks between)."""
    found = {}
    for part in re.split(r"[,\s]+", text.strip()) if text.strip() else ():
        match = re.fullmatch(r"(\w+)=(-?\d{1,18})", part)
        if not match:
            raise ScenarioError(f"parameters {text[:40]!r}: write them as name=number, e.g. ms=100")
        if match[1] in found:
            raise ScenarioError(f"parameters: {match[1][:40]} is there twice; give one value")
        found[match[1]] = int(match[2])
    return found


def _check_bounds(scenario: str, parameter: Parameter, value: int) -> None:
    if not parameter.minimum <= value <= parameter.maximum:
        raise ScenarioError(
            f"scenario {scenario}: {parameter.name}={value} is out of bounds, "
            f"give {parameter.minimum} to {parameter.maximum}"
        )


def _always(request: Request) -> Traffic:
    return lambda: repeat(request)


def _drawn(requests: list[Request]) -> Traffic:
    """One cycle that all connections share, so that each request of the set is as frequent."""
    shared = cycle(requests)
    return lambda: shared


def _plaintext(host: str, _: Mapping[str, int], __: int) -> Traffic:
    return _always(http_request("GET", host, "/plaintext", body_is(b"Hello, World!")))


def _json(host: str, _: Mapping[str, int], __: int) -> Traffic:
    return _always(http_request("GET", host, "/json", json_is({"message": "Hello, World!"})))


def _item_request(host: str, number: int) -> Request:
    check = json_is(catalogue.item(number))
    return http_request("GET", host, f"/items/{number}", check, path="/items/{id}")


def _item(host: str, _: Mapping[str, int], seed: int) -> Traffic:
    numbers = random.Random(seed).sample(range(1, ITEMS + 1), SET_SIZE)
    return _drawn([_item_request(host, number) for number in numbers])


def _items_request(host: str, limit: int, offset: int) -> Request:
    check = json_is(catalogue.page(limit, offset))
    return http_request("GET", host, f"/items?limit={limit}&offset={offset}", check, path="/items")


def _items(host: str, parameters: Mapping[str, int], __: int) -> Traffic:
    return _always(_items_request(host, parameters["limit"], parameters["offset"]))


def _order(host: str, parameters: Mapping[str, int], seed: int) -> Traffic:
    generator, invalid = random.Random(seed), bool(parameters["invalid"])
    return _drawn(
        [
            order_request(host, parameters["lines"], invalid=invalid, generator=generator)
            for _ in range(SET_SIZE)
        ]
    )


def _wait(host: str, parameters: Mapping[str, int], _: int) -> Traffic:
    ms = parameters["ms"]
    return _always(http_request("GET", host, f"/wait?ms={ms}", json_is({"ms": ms}), path="/wait"))


def _fanout(host: str, parameters: Mapping[str, int], _: int) -> Traffic:
    n, ms = parameters["n"], parameters["ms"]
    check = json_is({"n": n, "ms": ms})
    return _always(http_request("GET", host, f"/fanout?n={n}&ms={ms}", check, path="/fanout"))


def _stream(host: str, parameters: Mapping[str, int], _: int) -> Traffic:
    return _always(streams.request(host, parameters["n"], parameters["ms"]))


def _cpu(host: str, parameters: Mapping[str, int], _: int) -> Traffic:
    n = parameters["n"]
    check = json_is({"n": n, "result": pow(48271, n, 2147483647)})
    return _always(http_request("GET", host, f"/cpu?n={n}", check, path="/cpu"))


def _session(host: str, _: Mapping[str, int], seed: int) -> Traffic:
    generator = random.Random(seed)
    return lambda: SessionSteps(host, f"user-{generator.randrange(10**9)}")


def _me(host: str, parameters: Mapping[str, int], seed: int) -> Traffic:
    if not parameters["cookie"]:
        return _always(stranger(host))
    generator = random.Random(seed)
    return lambda: KeptSession(host, f"user-{generator.randrange(10**9)}")


def _mixed(host: str, _: Mapping[str, int], seed: int) -> Traffic:
    """Of ten requests six read an item, three list a page, one places an order."""
    generator = random.Random(seed)
    requests = [
        *(_item_request(host, generator.randint(1, ITEMS)) for _ in range(60)),
        *(_items_request(host, 20, 20 * generator.randrange(ITEMS // 20)) for _ in range(30)),
        *(order_request(host, 3, invalid=False, generator=generator) for _ in range(10)),
    ]
    generator.shuffle(requests)
    return _drawn(requests)


def _websocket(host: str, parameters: Mapping[str, int], seed: int) -> Traffic:
    return _always(echo_request(host, "/ws", parameters["bytes"], seed))


SCENARIOS: dict[str, Scenario] = {
    scenario.name: scenario
    for scenario in (
        Scenario("plaintext", "the floor: server and routing", _plaintext),
        Scenario("json", "the floor with one object serialised", _json),
        Scenario("item", "one item by key, 100 different ones", _item),
        Scenario(
            "items",
            "a page of items",
            _items,
            (
                Parameter("limit", 20, 1, 100, "items a page"),
                Parameter("offset", 0, 0, 1_000_000, "items before the page"),
            ),
        ),
        Scenario(
            "order",
            "validate a nested body, price it, write it in one transaction",
            _order,
            (
                Parameter("lines", 3, 1, 500, "lines an order"),
                Parameter("invalid", 0, 0, 1, "1: the last line is wrong and 422 is right"),
            ),
        ),
        Scenario(
            "wait",
            "one query that takes its time in Postgres",
            _wait,
            (Parameter("ms", 100, 0, 10_000, "milliseconds the query takes"),),
            latency_s=lambda parameters: parameters["ms"] / 1000 or None,
        ),
        Scenario(
            "fanout",
            "several such queries in one request",
            _fanout,
            (
                Parameter("n", 5, 1, 20, "queries a request"),
                Parameter("ms", 50, 0, 1000, "milliseconds each query takes"),
            ),
            latency_s=lambda parameters: parameters["n"] * parameters["ms"] / 1000 or None,
        ),
        Scenario(
            "stream",
            "a stream of events, without the database",
            _stream,
            (
                Parameter("n", 10, 1, 1000, "events a stream"),
                Parameter("ms", 100, 0, 1000, "milliseconds between two events"),
            ),
            holds_s=lambda parameters: (parameters["n"] - 1) * parameters["ms"] / 1000 or None,
        ),
        Scenario(
            "cpu",
            "plain computation in the service's own language",
            _cpu,
            (Parameter("n", 100_000, 0, 50_000_000, "steps of the computation"),),
        ),
        Scenario("session", "log in, ask who I am, log out", _session),
        Scenario(
            "me",
            "ask who I am, again and again after one login",
            _me,
            (Parameter("cookie", 1, 0, 1, "0: without a session, and 401 is right"),),
        ),
        Scenario("mixed", "six items, three pages, one order of ten requests", _mixed),
        Scenario(
            "websocket",
            "echo over a WebSocket",
            _websocket,
            (Parameter("bytes", 32, 1, 65_536, "bytes a message"),),
            lasting=True,
        ),
        Scenario(
            OWN,
            "a request of your own, as LAB_REQUEST or the form's request fields say",
            own.traffic(Target("/")),
        ),
    )
}
