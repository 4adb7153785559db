"""A crowd comes in waves, no faster than it is answered."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest

from loadtest.contract.crowd import clients

CLIENTS = 3


@pytest.mark.parametrize(("answering", "waves"), [(True, clients.WAVES), (False, 1)])
def test_a_wave_follows_once_as_many_were_answered(
    monkeypatch: pytest.MonkeyPatch, answering: bool, waves: int
) -> None:
    asked: list[str] = []

    def ask(url: str, _: Callable[[], bool], __: int, ___: float, answers: list[float]) -> None:
        asked.append(url)
        if answering:
            answers.append(0.0)

    looks = itertools.count()
    monkeypatch.setattr(clients, "_ask", ask)
    clients.load(
        "http://nowhere/wait?ms=400",
        clients=CLIENTS,
        enough=lambda: next(looks) > 100,
        requests=1,
        until=0.0,
    )
    assert len(asked) == waves * CLIENTS
