from __future__ import annotations

from dataclasses import replace

import pytest

from loadtest.model.trial import Gate
from loadtest.run.witnesses import requests
from tests.loadtest.run.test_gates import GOOD, OPEN, failed

ANSWERED = replace(GOOD, answered_after=8, slowest_s=0.05, oldest_s=0.0)


@pytest.mark.parametrize(
    "name", ["wrong body", "excess bytes", "not HTTP", "malformed chunk", "body too large"]
)
def test_one_wrong_answer_fails_the_trial(name: str) -> None:
    assert failed(replace(GOOD, answered=3999, failed=1, errors={name: 1})) == ["right content"]
    after = replace(ANSWERED, answered_after=7, failed_after={name: 1})
    assert failed(after) == ["right content"]


@pytest.mark.parametrize(
    ("name", "gate"), [("wrong body", "right content"), ("status 500", "right status")]
)
def test_a_wrong_answer_to_the_load_beside_fails_it_too(name: str, gate: str) -> None:
    beside = replace(GOOD, answered=3999, failed=1, errors={name: 1})
    assert failed(replace(GOOD, beside=beside)) == [gate]


def test_one_wrong_status_fails_the_trial_under_another_name() -> None:
    result = replace(GOOD, answered=3999, failed=1, errors={"status 503": 1})
    assert failed(result) == ["right status"]


@pytest.mark.parametrize("name", ["connection reset", "timeout", "cut answer", "connection closed"])
def test_a_few_failures_of_connections_are_allowed(name: str) -> None:
    assert failed(replace(GOOD, answered=3990, failed=10, errors={name: 10})) == []


def test_requests_that_nobody_answered_fail_a_gate_and_count_as_failures() -> None:
    lost = replace(
        ANSWERED, unfinished=64, sent=4064, answered_after=0, failed_after={"no answer": 64}
    )
    lost = replace(lost, oldest_s=4.0)
    assert failed(lost) == ["all answered", "error rate"]
    gate = named(requests.all_answered(lost))
    assert "64 of 64 in hand at the end never got an answer" in gate.detail
    assert "the oldest waited 4.00 s, the slowest answer took 0.05 s" in gate.detail


def named(gate: Gate) -> Gate:
    assert gate.name == "all answered"
    return gate


def test_an_older_record_says_that_it_was_not_awaited() -> None:
    gate = named(requests.all_answered(GOOD))
    assert gate.passed
    assert "not awaited" in gate.detail
    assert failed(GOOD, OPEN) == []


@pytest.mark.parametrize(
    ("counted", "passed", "told"),
    [
        (None, True, "could not be read"),
        (5000, True, "the service answered 5,000 requests, we sent 5,008"),
        (5008, True, ""),
        (5009, False, "somebody else asked it at the same time"),
        (4999, False, "not each answer is one of this service to us"),
    ],
)
def test_the_service_counts_what_we_sent(counted: int | None, passed: bool, told: str) -> None:
    """Eight requests were let go after the window: they may or may not be counted."""
    result = replace(ANSWERED, sent_in_warmup=1000, answered_after=0)
    gate = requests.only_ours([result], counted)
    assert gate.passed is passed
    assert gate.disturbance or passed
    assert told in gate.detail


def test_a_second_load_of_ours_is_ours() -> None:
    assert requests.only_ours([ANSWERED, ANSWERED], 2 * ANSWERED.sent).passed
    assert not requests.only_ours([ANSWERED], 2 * ANSWERED.sent).passed


@pytest.mark.parametrize(
    "change",
    [
        {"answered": 3997, "failed": 3, "errors": {"connection reset": 3}},
        {"answered_after": 5, "failed_after": {"timeout": 3}},
        {"timeline": ({"t": -0.5, "answered": 0, "failed": 3, "p50_ms": 0, "max_ms": 0},)},
    ],
)
def test_what_may_have_been_counted_or_not_is_no_fault(change: dict[str, object]) -> None:
    result = replace(ANSWERED, **change)  # type: ignore[arg-type]
    assert requests.only_ours([result], 4008).passed
    assert requests.only_ours([result], 4005).passed
    assert not requests.only_ours([result], 4004).passed
    assert not requests.only_ours([result], 4009).passed


def test_so_is_what_failed_before_the_first_whole_slice_of_the_warm_up() -> None:
    result = replace(ANSWERED, sent_in_warmup=1000, failed_in_warmup=30)
    assert requests.only_ours([result], 4008 + 970).passed
    assert not requests.only_ours([result], 4008 + 969).passed


def test_what_was_sent_again_may_have_been_counted_twice() -> None:
    result = replace(ANSWERED, resent=3)
    assert requests.only_ours([result], 4008).passed
    assert requests.only_ours([result], 4011).passed
    assert not requests.only_ours([result], 4012).passed
