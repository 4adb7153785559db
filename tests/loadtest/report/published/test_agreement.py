"""What the page of published comparisons says where something came out otherwise, and why."""

from __future__ import annotations

import re
from dataclasses import replace
from urllib.parse import urlsplit

import pytest

from loadtest.inventory import manifest
from loadtest.plan import plans, reader
from loadtest.plan.plans import Options
from loadtest.report.published import document
from loadtest.report.published.agreement import UNTOLD
from loadtest.report.published.beside import MeasuredRatio
from loadtest.report.published.measured import JudgedPart, MeasuredRun, TakenAgain
from loadtest.system.paths import ROOT

SHIPPED = reader.load_published()
SERVICES = manifest.load(variables={})
SLOTS, ALIKE = "16 threads, 60 connections", "16 of both"  # the levels of P1
WAITS = [f"P{number}" for number in range(1, 8)]  # whose requests wait, or whose clients do


def section(claim: str, taken: TakenAgain) -> str:
    run = MeasuredRun("somewhere", [], {claim: taken})
    return sections(document.markdown(SHIPPED.values(), SERVICES, run))[claim]


def sections(page: str) -> dict[str, str]:
    """The section of each comparison, by its number."""
    _, *parts = re.split(r"^## (?=P\d+:)", page, flags=re.MULTILINE)
    return {part.partition(":")[0]: part for part in parts}


def ratio(value: float) -> MeasuredRatio:
    return MeasuredRatio(value, value * 0.99, value * 1.01, 6)


def test_a_ratio_of_another_size_has_its_reason_or_says_that_there_is_none() -> None:
    bare = section("P1", TakenAgain("refuted", {(SLOTS, "fastapi-async"): ratio(2.0)}))
    assert "**Another size here.** `fastapi-async`" in bare
    assert f"**Why otherwise.** {UNTOLD}" in bare
    told = SHIPPED["p08-one-at-a-time"].published
    assert told
    assert told.apart
    taken = TakenAgain("confirmed", {("1 connection", "fastapi-async"): ratio(2.4)})
    assert f"**Why otherwise.** {told.apart}" in section("P8", taken)


def test_a_ratio_that_comes_out_as_published_needs_no_reason() -> None:
    taken = TakenAgain("confirmed", {(SLOTS, "fastapi-async"): ratio(3.8)})
    assert "**Why otherwise.**" not in section("P1", taken)


@pytest.mark.parametrize(("found", "said"), [(1.05, False), (1.2, True), (0.8, True)])
def test_a_counter_proof_is_held_against_what_was_predicted_of_it(found: float, said: bool) -> None:
    text = section("P1", TakenAgain("conditional", {(ALIKE, "fastapi-async"): ratio(found)}))
    line = f"**Not as predicted.** `fastapi-async`, *{ALIKE}*: 1.00 × predicted, "
    assert (line in text) == said
    assert ("**Why otherwise.**" in text) == said


@pytest.mark.parametrize(
    ("states", "said"),
    [
        (["holds", "holds"], "*16 of both*, as expected: "),
        (["holds", "fails"], "*16 of both*, not as expected: "),
        (["holds", "open"], "*16 of both*, undecided: "),
        ([], "*16 of both*: "),
    ],
)
def test_a_counter_proof_says_whether_it_came_out_as_expected(states: list[str], said: str) -> None:
    parts = [JudgedPart("so", level, state, "1 ×") for level in (ALIKE,) for state in states]
    ratios = {(ALIKE, "fastapi-async"): ratio(1.0)}
    assert f"- Counter-proof, {said}" in section("P1", TakenAgain("undecided", ratios, {}, parts))


def test_a_part_that_does_not_hold_is_named_with_its_figure() -> None:
    parts = [
        JudgedPart("it leads", SLOTS, "holds", "a ÷ b: 3.8 ×"),
        JudgedPart("the difference is gone", ALIKE, "fails", "a ÷ b: 1.4 ×"),
        JudgedPart("async views do as well", ALIKE, "open", "a ÷ b: 0.96 ×"),
    ]
    text = section("P1", TakenAgain("conditional", {}, {}, parts))
    assert "**Fails.** The difference is gone. Found: a ÷ b: 1.4 ×." in text
    assert "**Open.** Async views do as well. Found: a ÷ b: 0.96 ×." in text
    assert "It leads" not in text


def test_latencies_stand_beside_the_ratios_where_an_experiment_tells_them() -> None:
    level = "a pause of 0.1 s"
    values = {(level, "go", "p50_ms"): 0.53, (level, "fastapi-async", "p50_ms"): 1.46}
    text = section("P7", TakenAgain("confirmed", {}, values))
    line = f"- Response time at the median here, *{level}*: `fastapi-async` 1.46 ms, `go` 0.53 ms."
    assert line in text


@pytest.mark.parametrize("claim", WAITS)
def test_where_requests_wait_every_difference_has_its_reason(claim: str) -> None:
    """On the page of the repository: the counter-proof is decided, too."""
    text = sections((ROOT / document.TOLD_IN).read_text())[claim]
    assert f"**Why otherwise.** {UNTOLD}" not in text
    assert re.search(r"^- Counter-proof, .*, (not )?as expected: ", text, re.MULTILINE)


def test_an_address_leads_to_the_figures_and_not_to_the_door() -> None:
    told = [each.published for each in SHIPPED.values() if each.published]
    addresses = [address for each in told for address in (each.url, *each.also)]
    assert [each for each in addresses if urlsplit(each).path in ("", "/")] == []


def test_the_readme_says_how_long_the_plan_takes_and_that_is_half_an_hour_at_most() -> None:
    plan = plans.prepare(Options(seed=1, plan="published"))
    text = (ROOT / "README.md").read_text()
    [told] = re.findall(r"PLAN=published .* it estimates (\d+) minutes", text)
    assert float(told) == pytest.approx(plan.seconds / 60, abs=1)
    assert plan.seconds / 60 <= 30


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("https://example.org", "example.org"),
        ("https://example.org/page/", "example.org/page"),
        ("https://example.org/a/b/RESULTS.md", "example.org/…/RESULTS.md"),
    ],
)
def test_a_further_address_is_short_to_read_and_whole_to_follow(address: str, said: str) -> None:
    one = SHIPPED["p01-threads-and-pool"]
    assert one.published
    other = replace(one, published=replace(one.published, also=(address,)))
    assert f", [{said}]({address}), " in document.markdown([other], SERVICES, None)
