"""Figures of `make bench-load` contradict themselves nowhere."""

from __future__ import annotations

import pytest

from benchmarks.load import Reading, RefusedError, figure, table

BEFORE = Reading(10.0, 1000, 1.0)


def test_a_figure_is_of_the_time_between_its_readings() -> None:
    found = figure(BEFORE, Reading(12.0, 201_000, 2.8), p99_ms=1.0)
    assert found.rps == pytest.approx(100_000)
    assert found.cpu_us == pytest.approx(9.0)
    assert found.cores == pytest.approx(0.9)


@pytest.mark.parametrize(
    "after", [Reading(12.0, 674_832, 7.13), Reading(12.0, 1000, 2.0), Reading(10.0, 2000, 2.0)]
)
def test_what_one_core_cannot_have_done_is_refused(after: Reading) -> None:
    with pytest.raises(RefusedError):
        figure(BEFORE, after, p99_ms=1.0)


def test_a_tool_without_a_figure_has_no_row() -> None:
    found = figure(BEFORE, Reading(12.0, 201_000, 2.8), p99_ms=1.0)
    assert table({"engine": [found], "wrk": []}).row_count == 1
