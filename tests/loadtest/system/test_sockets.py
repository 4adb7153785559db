from __future__ import annotations

import pytest

from loadtest.engine import reactor
from loadtest.system.sockets import SelectorPoller
from tests.driving import drive, uniform
from tests.lying_servers import OK, answering, once, serving

pytestmark = pytest.mark.timed


@pytest.mark.parametrize("open_loop", [False, True], ids=["closed", "open"])
def test_the_engine_runs_without_epoll(monkeypatch: pytest.MonkeyPatch, open_loop: bool) -> None:
    """As on macOS, where `selectors` offers kqueue."""
    monkeypatch.setattr(reactor, "new_poller", SelectorPoller)
    arrivals = uniform(200) if open_loop else None
    with serving(answering(OK)) as port:
        tally = drive(port, connections=3, arrivals=arrivals)
    assert tally.answered > 10
    assert tally.failed == 0
    with serving(once(OK)) as port:  # each answer costs a connection
        tally = drive(port, connections=3, think_s=0.01)
    assert tally.answered > 3
    assert tally.failed == 0
