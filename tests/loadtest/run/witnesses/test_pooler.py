"""A pooler between service and Postgres is watched as both are."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import pytest

from loadtest.backends.base import POOLER, POSTGRES
from loadtest.run import measurement
from loadtest.run.measurement import Measurement
from loadtest.run.witnesses.observer import Observer
from loadtest.system.cpus import Cpus
from tests.loadtest.run.test_measurement import Loads, Services, loads, planned

__all__ = ["loads"]  # a fixture


def test_a_stop_of_the_pooler_is_seen_as_one_of_postgres_is(
    loads: Loads,  # noqa: ARG001
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    roots = {POSTGRES: 1, POOLER: 2, "fastapi-async": 3, "flask-sync": 4}
    monkeypatch.setattr(Services, "roots", lambda _: roots)
    watched: list[Collection[str]] = []

    def observer(_: object, names: Mapping[str, Collection[int]], *__: object) -> Observer:
        watched.append(set(names))
        return Observer({}, {}, Cpus(None, None), 1.0)

    monkeypatch.setattr(measurement, "Observer", observer)
    [first, *_] = planned()
    Measurement(Services(), run_id="r", seed=1).take(first, 1)
    assert watched == [{first.service, POSTGRES, POOLER}]
