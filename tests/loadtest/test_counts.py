"""A count and its noun agree, wherever a sentence is made."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest

from loadtest.analysis.findings import against_reference
from loadtest.model.counts import agree, number_of, were
from loadtest.report.takeaways import tally
from loadtest.system.paths import ROOT
from tests.synthetic import TRUTHS, experiment, trials_of

NOUNS = (
    *("arrival", "client", "claim", "comparison", "connection", "core", "event", "experiment"),
    *("level", "packet", "place", "processe", "query", "request", "round", "second", "service"),
    *("session", "slot", "stream", "thread", "token", "trial", "user", "wave", "worker"),
)
# A number with a plural behind it; `requests/s` is a unit.
PLURAL = re.compile(rf" (?:\w+ )?(?:{'|'.join(NOUNS)})s\b(?!/)")
FRACTION = re.compile(r"[efg%]")  # a format with digits behind the point, or a share
# What is never one, or no number: by the code before the noun.
NEVER_ONE = {
    "DEFAULT_N",
    "STREAMS",
    "TOKENS",
    "USUAL_CONNECTIONS",
    "amount(rate)",
    "asked_of_it",  # more than the pooler accepts
    "at.threads",  # more than the server has at rest
    "cores",  # more than there are
    "connections",  # more than there are descriptors for
    "expected",
    "folder",
    "found.allowance.requests",
    "last",  # looks begin after three rounds
    "left",
    "len(records)",
    "len(targets)",  # several, else there is nothing to say
    "number_of(lost, 'request')",
    "point.connections",
    "processes",
    "self._disturbed",
    "self.threads",  # more than a pool has connections
    "self.users",
    "server.processes",
    "shares",
    "size.pool",
    "total",
    "total - SPARE_CONNECTIONS",
}


@pytest.mark.parametrize(
    ("count", "told"), [(0, "0 trials"), (1, "1 trial"), (2, "2 trials"), (1200, "1,200 trials")]
)
def test_a_count_is_told_with_its_noun(count: int, told: str) -> None:
    assert number_of(count, "trial") == told


def test_verbs_and_other_plurals_agree_too() -> None:
    assert (number_of(1, "process"), number_of(2, "process")) == ("1 process", "2 processes")
    assert (were(1, "packet"), were(0, "packet")) == ("1 packet was", "0 packets were")
    assert (agree(1, "stays", "stay"), agree(3, "stays", "stay")) == ("stays", "stay")


def test_a_tally_of_one_comparison_is_told_as_one() -> None:
    one = experiment()
    clear = against_reference(one, trials_of([one]))
    alike = dict.fromkeys(one.services, TRUTHS["fastapi-async"])
    noisy = against_reference(one, trials_of([one], truths=alike, noise=0.3))
    differs = next(each for each in clear if each.outcome in ("more", "less"))
    open_ = next(each for each in noisy if each.outcome == "inconclusive")
    assert tally([differs], []) == "1 of 1 comparison shows a difference"
    assert tally([open_], []) == "0 of 1 comparison shows a difference, 1 stays open"
    assert (
        tally([differs, open_, open_], []) == "1 of 3 comparisons shows a difference, 2 stay open"
    )


def test_no_sentence_has_a_plural_behind_a_number_that_may_be_one() -> None:
    found = {
        f"{path.relative_to(ROOT)}: {each}"
        for path in (ROOT / "loadtest").rglob("*.py")
        for each in set(counted(path.read_text())) - NEVER_ONE
    }
    assert found == set(), "number_of of loadtest.model.counts says either"


def test_a_plural_behind_a_number_is_found() -> None:
    code = 'f"{n} trials, {n:,} right answers, {rate:.1f} requests, {rate} requests/s, {n} open"'
    assert list(counted(code)) == ["n"]
    assert list(counted('f"{len(all)} valid trials"')) == ["len(all)"]


def counted(code: str) -> Iterator[str]:
    """The numbers that have a plural behind them, as the code has them."""
    strings = (node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.JoinedStr))
    for string in strings:
        for part, after in zip(string.values, string.values[1:], strict=False):
            if not isinstance(part, ast.FormattedValue) or not isinstance(after, ast.Constant):
                continue
            shape = ast.unparse(part.format_spec).lstrip("f") if part.format_spec else ""
            if not FRACTION.search(shape) and PLURAL.match(str(after.value)):
                yield ast.unparse(part.value)
