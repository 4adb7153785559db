"""A client that never sends the whole body: told so in the end, and nobody waits for it, not even
a service that is to stop.
"""

from __future__ import annotations

import select
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest

from loadtest.backends.native import Lab
from loadtest.inventory.manifest import Service
from loadtest.run import sampler
from tests.conformance.clients import wire
from tests.conformance.conftest import SERVERS, another, declared, ready
from tests.waiting import eventually

BEGUN = (
    wire.head("POST", "/orders", "Content-Type: application/json", "Content-Length: 100000")
    + b'{"customer'
)
DRIP_S = 1.0
GRACE_S = 40  # the 25 s that services/README.md states, on a machine that may be slow


def fall_silent(_: socket.socket) -> None:
    """Send no more."""


def drip(client: socket.socket) -> None:
    """Send a byte now and then until there is an answer; raises TimeoutError where none comes."""
    end = time.monotonic() + wire.TIMEOUT_S
    while not select.select([client], [], [], DRIP_S)[0]:
        if time.monotonic() > end:
            raise TimeoutError(f"still read after {wire.TIMEOUT_S:.0f} s")
        client.sendall(b" ")


MANNERS: Mapping[str, Callable[[socket.socket], None]] = {"silent": fall_silent, "dripping": drip}
Answer = tuple[int, Any] | None


@dataclass(frozen=True)
class Ending:
    """Answers to requests that are never whole, by manner, and how the service ended that another
    one owed half a body: its exit code, None of one that did not end.
    """

    answers: Mapping[str, Future[Answer]]
    code: int | None


@pytest.fixture(scope="module")
def endings(
    lab: Lab, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Mapping[str, Future[Ending]]]:
    """One more of each service. Each takes its time, and meanwhile the next one starts."""
    folder = tmp_path_factory.mktemp("half-bodies")
    with ExitStack() as stack, ThreadPoolExecutor(len(SERVERS)) as waiting:
        found: dict[str, Future[Ending]] = {}
        for name in SERVERS:
            few, log = {"POOL_SIZE": "2"}, folder / f"{name}.log"
            own, process = stack.enter_context(another(lab, declared(lab, name), few, log))
            assert eventually(partial(ready, own)), own.name
            found[own.name] = waiting.submit(ending, own, process)
        yield found


def ending(service: Service, process: subprocess.Popen[bytes]) -> Ending:
    with ThreadPoolExecutor(len(MANNERS)) as clients:
        answers = {
            manner: clients.submit(answer, service, go_on) for manner, go_on in MANNERS.items()
        }
    assert eventually(lambda: in_hand(service) == 0)
    with wire.connect(service) as client:
        client.sendall(BEGUN)
        assert eventually(lambda: in_hand(service) == 1)
        process.terminate()
        return Ending(answers, ended(process))


def answer(service: Service, go_on: Callable[[socket.socket], None]) -> Answer:
    """What comes back to a request that is never whole."""
    with wire.connect(service) as client, client.makefile("rb") as received:
        client.sendall(BEGUN)
        go_on(client)
        return wire.answer(received)


def in_hand(service: Service) -> float:
    return sampler.scrape(service.metrics_url(), timeout_s=20)["http_server_active_requests"]


def ended(process: subprocess.Popen[bytes]) -> int | None:
    with suppress(subprocess.TimeoutExpired):
        return process.wait(GRACE_S)
    return None


@pytest.mark.parametrize("manner", MANNERS)
@pytest.mark.parametrize("name", SERVERS)
def test_a_body_that_is_never_whole_is_the_clients_fault(
    name: str, manner: str, endings: Mapping[str, Future[Ending]]
) -> None:
    found = endings[name].result().answers[manner].result()
    assert found is not None
    status, document = found
    assert status == 400
    assert document["error"]["code"] == "malformed"


@pytest.mark.parametrize("name", SERVERS)
def test_half_a_request_does_not_keep_a_service_from_stopping(
    name: str, endings: Mapping[str, Future[Ending]]
) -> None:
    assert endings[name].result().code == 0
