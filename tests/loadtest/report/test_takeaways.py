"""What a chart's title says of its experiment."""

from __future__ import annotations

from loadtest.analysis.findings import against_reference
from loadtest.report.takeaways import takeaway
from loadtest.results.runs import counted
from tests.synthetic import TRUTHS, experiment, trials_of


def test_it_is_of_those_with_rounds_enough_and_names_the_others() -> None:
    one = experiment()
    alike = trials_of([one], truths=dict.fromkeys(one.services, TRUTHS["fastapi-async"]), noise=0.1)
    few = [each for each in counted(alike) if each.arm != "flask-sync" or each.round <= 2]
    said = takeaway(against_reference(one, few), one)
    assert "flask-gthread" in said
    assert said.endswith("; too few rounds of flask-sync")
