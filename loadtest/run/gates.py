"""Validity checks of one trial: whether the service was measured, all through, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from loadtest.analysis.failures import failed_share, failures, listed
from loadtest.analysis.observations import HELD_SHARE, in_hand
from loadtest.engine.kinds import kind_of
from loadtest.model.counts import number_of, were
from loadtest.model.load import Load, LoadResult
from loadtest.model.trial import Gate, Sample
from loadtest.run import presence
from loadtest.run.presence import Look
from loadtest.run.witnesses import generator, requests, steadiness
from loadtest.stats import histogram

GENERATOR_CPU = 0.9  # of one core, the busiest process
CEILING_SHARE = 0.7
LITTLE = 0.05
ERROR_RATE = 0.01
PAUSED_SHARE = 0.01
LATE_US = 2000
LATE_SHARE = 0.1  # of the p99 response time
PAUSES_LATE = 2.0  # so many times the generator's longest pause it can have been late by itself


def check(
    load: Load,
    result: LoadResult,
    *,
    ceiling_rps: float | None = None,
    looks: Sequence[Look] = (),
    samples: Sequence[Sample] = (),
) -> tuple[Gate, ...]:
    """Every gate for `result`; `ceiling_rps` is what the generator makes against a null server.

    The answers to a second load beside it have to be right as well. `looks` at the service, from
    before the warm-up until after the window; `samples`: what it counts.
    """
    loads = [result, *([result.beside] if result.beside else [])]
    return (
        _answers_checked(load, result),
        requests.right_content(loads),
        requests.right_status(loads),
        requests.all_answered(result),
        _error_rate(result),
        generator.kept_going(result),
        _connection_pauses(load, result),
        _littles_law(result),
        _generator_cpu(result),
        _ceiling_share(result, ceiling_rps),
        presence.kept_running(result, looks),
        *(() if kind_of(load).scheduled or kind_of(load).holds else (steadiness.steady(result),)),
        *((_send_lateness(result), _arrivals_sent(result)) if kind_of(load).scheduled else ()),
        *((_requests_held(load, samples),) if kind_of(load).holds else ()),
    )


def _answers_checked(load: Load, result: LoadResult) -> Gate:
    """Each request is accounted for: right, wrong or still in hand.

    Some have to be right, but for held connections, whose requests may well outlast the window.
    """
    checked = result.answered + result.failed
    latencies = _decoded(result.response_us).total_count
    whole = result.sent == checked + result.unfinished and latencies == checked
    detail = (
        f"{result.answered:,} of {checked:,} answers right, {result.unfinished:,} in hand at end"
        if whole
        else f"{result.sent:,} sent, but {checked:,} answers, {result.unfinished:,} in hand, "
        f"{latencies:,} latencies"
    )
    enough = result.answered > 0 or (kind_of(load).holds and result.unfinished > 0)
    return Gate("answers checked", whole and enough, result.answered, 1, detail)


def _error_rate(result: LoadResult) -> Gate:
    """The share of failed requests, with those that ended after the window."""
    rate = failed_share([result])
    detail = f"share failed: {listed(failures(result)) or 'none'}"
    return Gate("error rate", rate <= ERROR_RATE, rate, ERROR_RATE, detail)


def _connection_pauses(load: Load, result: LoadResult) -> Gate:
    """How much of the load was missing because connections sat out after failures.

    That is the generator's own waiting, and none of it may count as the service's.
    """
    name, limit = "connection pauses", PAUSED_SHARE
    if result.paused_s is None:
        return Gate(name, True, None, limit, "pauses were not measured")
    share = result.paused_s / (load.connections * result.duration_s)
    detail = (
        f"connections sat out {share:.1%} of the window after failures; "
        f"{were(result.reconnects, 'connection')} opened anew"
    )
    return Gate(name, share <= limit, share, limit, detail)


def _littles_law(result: LoadResult) -> Gate:
    """Mean requests in hand = throughput × mean service time (Little 1961).

    Both sides are measured separately. The left counts requests in hand. The right comes from the
    recorded latencies, corrected for the requests in hand at both ends of the window.
    """
    latencies = _decoded(result.service_us)
    recorded = latencies.get_mean_value() * latencies.total_count / 1e6 + result.boundary_s
    counted = result.mean_in_flight * result.duration_s
    apart = abs(recorded / counted - 1) if counted > 0 else 0.0
    in_flight = recorded / result.duration_s
    detail = f"{result.mean_in_flight:.2f} in hand, {in_flight:.2f} by recorded latencies"
    return Gate("Little's law", apart <= LITTLE, apart, LITTLE, detail)


def _generator_cpu(result: LoadResult) -> Gate:
    cpu = result.generator_cpu
    detail = f"{cpu:.0%} of a core in the busiest generator process"
    return Gate("generator CPU", cpu <= GENERATOR_CPU, cpu, GENERATOR_CPU, detail)


def _ceiling_share(result: LoadResult, ceiling_rps: float | None) -> Gate:
    if not ceiling_rps:
        return Gate("share of ceiling", True, None, CEILING_SHARE, "generator not calibrated")
    share = (result.answered + result.failed) / result.duration_s / ceiling_rps
    detail = f"{share:.0%} of the {ceiling_rps:,.0f} requests/s that the generator can make"
    return Gate("share of ceiling", share < CEILING_SHARE, share, CEILING_SHARE, detail)


def _send_lateness(result: LoadResult) -> Gate:
    """What late sends add to the reported p99: response time has them in it, service time has not.

    How late the latest are is no measure of that: they are seldom the requests that take longest.
    Requests that the generator could not send in time fail it, and not those that waited until the
    service gave a connection back: such a wait is the service's, and belongs to its latency.
    """
    late, response, service = (
        _decoded(each).get_value_at_percentile(99)
        for each in (result.send_late_us, result.response_us, result.service_us)
    )
    added, limit = max(0, response - service), max(LATE_US, LATE_SHARE * response)
    own = PAUSES_LATE * 1e6 * (result.longest_pause_s or 0.0)
    late_by_itself = result.longest_pause_s is None or added <= own
    detail = (
        f"late sends add {added / 1000:.2f} ms to a p99 of {response / 1000:.2f} ms "
        f"(p99 of the lateness: {late / 1000:.2f} ms)"
    )
    if added > limit and not late_by_itself:
        detail += "; they waited for a connection that the service held"
    return Gate("send lateness", added <= limit or not late_by_itself, added, limit, detail)


def _arrivals_sent(result: LoadResult) -> Gate:
    detail = "every arrival found a connection"
    if result.unsendable:
        late = number_of(result.unsendable, "arrival")
        detail = f"{late} found no free connection; allow more connections"
    return Gate("arrivals sent", result.unsendable == 0, result.unsendable, 0, detail)


def _requests_held(load: Load, samples: Sequence[Sample]) -> Gate:
    """Whether the service had them in hand, as it counts itself: median of the window's samples.

    A server that leaves connections in the queue of the kernel would show too little memory a
    request.
    """
    held = in_hand(samples)
    if held is None:
        detail = "the service does not count its requests in hand"
        return Gate("requests held", True, None, HELD_SHARE, detail)
    share, detail = held / load.connections, f"{held:,.0f} of {load.connections:,} in hand"
    return Gate("requests held", share >= HELD_SHARE, share, HELD_SHARE, detail)


def _decoded(encoded: str) -> Any:
    return histogram.decode(encoded)
