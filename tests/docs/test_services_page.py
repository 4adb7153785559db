"""services/README.md: the example can be added beside all that is there."""

from __future__ import annotations

import re
from collections import Counter

from loadtest.inventory.manifest import COMPOSE_FILE
from tests.docs.pages import ROOT

PUBLISHED = re.compile(r"^ +- 127\.0\.0\.1:\$\{(\w+):-(\d+)\}:\d+$", re.MULTILINE)


def test_the_example_takes_ports_that_are_free() -> None:
    here = PUBLISHED.findall((ROOT / "services" / "README.md").read_text(encoding="utf-8"))
    taken = PUBLISHED.findall(COMPOSE_FILE.read_text(encoding="utf-8"))
    assert [variable for variable, _ in here] == ["PLAIN_PORT", "PLAIN_METRICS_PORT"]
    assert len(taken) > 30
    times = Counter(port for _, port in (*here, *taken))
    assert [port for port, number in times.items() if number > 1] == []
