"""A load with a quota sends no request more, whatever kind it is and whatever becomes of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from loadtest.engine.request import Quota
from loadtest.engine.tally import Tally
from tests.driving import drive, long_enough, uniform
from tests.loadtest.engine.test_keep_alive import Closing
from tests.lying_servers import serving
from tests.waiting import eventually

MOST, CONNECTIONS, FOR_EVER = 40, 5, 1_000_000
LOADS: dict[str, Callable[[], dict[str, Any]]] = {
    "closed": dict,
    "thinking": lambda: {"think_s": 0.001},
    "a connection for three": lambda: {"requests_per_connection": 3},
    "open": lambda: {"arrivals": uniform(2000)},
}
SERVERS: dict[str, Callable[[], Closing]] = {
    "keeps": lambda: Closing([(FOR_EVER, False)]),
    "says that it closes": lambda: Closing([(3, True)]),
    "closes without a word": lambda: Closing([(3, False), (1, False)]),
    "reads and closes": lambda: Closing([(3, False)], reading=True),
}


@pytest.mark.parametrize("kind", LOADS)
@pytest.mark.parametrize("server", SERVERS)
def test_no_request_is_sent_beyond_the_quota(kind: str, server: str) -> None:
    def attempt(seconds: float) -> tuple[Closing, Tally, bool]:
        scripted, quota = SERVERS[server](), Quota(MOST)
        options = LOADS[kind]() | {"connections": CONNECTIONS, "seconds": seconds}
        with serving(scripted) as port:
            tally = drive(port, quota=quota, **options)
            spent = not quota.one_more()
            assert server != "keeps" or not spent or eventually(lambda: scripted.read == MOST)
        return scripted, tally, spent

    def over(found: tuple[Closing, Tally, bool]) -> bool:
        """Whether all is sent, and answered where nothing gets lost."""
        _, tally, spent = found
        return spent and not (server == "keeps" and tally.unfinished)

    scripted, tally, spent = long_enough(attempt, over)
    assert spent
    assert max(scripted.read, tally.sent) <= MOST
    if server == "keeps":
        assert (tally.answered, tally.failed, tally.unfinished) == (MOST, 0, 0)


def test_a_quota_of_nothing_asks_nothing() -> None:
    scripted = Closing([(FOR_EVER, False)])
    with serving(scripted) as port:
        tally = drive(port, connections=CONNECTIONS, quota=Quota(0))
    assert (tally.sent, scripted.opened, tally.reconnects) == (0, 0, 0)


def test_without_a_number_there_is_no_end() -> None:
    assert all(Quota().one_more() for _ in range(MOST))
