"""A probe of the lab's own services finds the slots that they declare."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from loadtest.backends.native import Lab
from loadtest.model.target import Target
from loadtest.probe import probing
from loadtest.probe.conclusion.advice import conclude
from loadtest.probe.limits import Allowance
from loadtest.probe.record import Conclusion
from loadtest.system import urls

pytestmark = pytest.mark.waits

# What binds each of them while it waits for Postgres.
BINDS = {"fastapi-async": "pool or upstream", "flask-sync": "slots", "flask-gthread": "slots"}
EXACT = 8


def probed(url: str) -> Conclusion:
    target = Target(f"{url}/wait?ms=100")
    return conclude(probing.probe(target, Allowance(seconds=8, connections=128)))


def test_the_slots_and_what_binds_them_are_those_of_about(lab: Lab) -> None:
    places = {name: lab.services[name].url() for name in BINDS}
    with ThreadPoolExecutor(len(places)) as pool:
        found = dict(zip(places, pool.map(probed, places.values()), strict=True))
    for name, said in found.items():
        declared = int(json.loads(urls.read(f"{places[name]}/about", 5.0))["slots"])
        assert abs(said.slots.value - declared) <= (0 if declared <= EXACT else declared / 10), name
        assert said.binding.name == BINDS[name], said.sentences
