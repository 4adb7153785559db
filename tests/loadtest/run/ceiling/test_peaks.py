"""Loads that are a share of the slowest peak: no peak that was disturbed sets their rate."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from loadtest.model.load import LoadResult
from loadtest.model.trial import Gate, Trial
from loadtest.plan.plans import Options
from loadtest.plan.schedule import PlannedTrial
from loadtest.results import record, runs
from loadtest.run import comparison
from loadtest.run.ceiling.peaks import PeakError
from loadtest.run.comparison import Comparison
from tests.loadtest.run.on_paper import EXPERIMENT, PLANNED, Silent, Takes, execute, on_disk, taken
from tests.loadtest.run.test_runner import unreal

__all__ = ["unreal"]  # a fixture

SHARES = """\
load = { kind = "open", connections = 8 }
peak = { kind = "closed", connections = 32 }
levels = [{ label = "half", x = 50, share_of_peak = 0.5 }]
"""
PEAKED = EXPERIMENT.replace("levels = [{ connections = 1 }]\n", SHARES)
PEAKS = {"fastapi-async": 900.0, "flask-sync": 300.0, "flask-gthread": 600.0}
SLOWEST, FASTER = "flask-sync", "flask-gthread"
STOPPED = Gate(
    "processes kept running", False, 0.7, 0.6, "stopped: 1 process for 0.70 s", disturbance=True
)
UNSTEADY = Gate("steady figure", False, 0.2, 0.1, "at its end 20.0% fewer answers a second")


class Machine:
    """In place of one that measures. `spoilt`: so many attempts at a service's peak fail `gate`.

    `calls` are level, service and attempt of each trial; it `ends` with Ctrl-C before that one.
    """

    def __init__(
        self, spoilt: dict[str, int] | None = None, gate: Gate = STOPPED, ends: int = -1
    ) -> None:
        self.calls: list[tuple[str, str, int]] = []
        self._spoilt, self._gate, self._ends = spoilt or {}, gate, ends

    def take(self, planned: PlannedTrial, attempt: int) -> Trial:
        if planned.index == self._ends and planned.level.label != "peak":
            raise KeyboardInterrupt
        self.calls.append((planned.level.label, planned.service, attempt))
        trial = taken(planned, attempt)
        if planned.level.label != "peak":
            return trial
        assert planned.level.load.kind == "closed"
        if attempt > self._spoilt.get(planned.service, 0):
            return replace(trial, result=told(trial, 1.0))
        return replace(trial, result=told(trial, 0.7 + attempt / 100), gates=(self._gate,))

    @property
    def peaks(self) -> list[tuple[str, int]]:
        """Whose peak was looked for, and which attempt that was."""
        return sorted(call[1:] for call in self.calls if call[0] == "peak")


def told(trial: Trial, share: float) -> LoadResult:
    return replace(trial.result, goodput_rps=share * PEAKS[trial.service])


def begun(folder: Path, *texts: str) -> Comparison:
    """A new run of these experiments."""
    files = [folder / f"own{number}.toml" for number, _ in enumerate(texts)]
    for file, text in zip(files, texts, strict=True):
        file.write_text(text)
    return comparison.begin(Options(1, experiments=tuple(map(str, files))), folder / "results")


@pytest.fixture
def asked(tmp_path: Path) -> Comparison:
    return begun(tmp_path, PEAKED)


def set_up(monkeypatch: pytest.MonkeyPatch, machine: Machine) -> Machine:
    monkeypatch.setattr(Takes, "take", lambda _, *trial: machine.take(*trial))
    return machine


def test_each_peak_is_measured_once_before_the_first_trial(
    asked: Comparison, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = set_up(monkeypatch, Machine())
    finished = execute(asked)
    assert machine.peaks == [(service, 1) for service in sorted(PEAKS)]
    assert [level for level, *_ in machine.calls] == ["peak"] * len(PEAKS) + ["half"] * PLANNED
    assert finished.peaks == {"own0": PEAKS}
    assert [trial.level for trial in on_disk(asked)] == ["half"] * PLANNED
    assert runs.load(asked.folder).complete


@pytest.mark.parametrize("gate", [STOPPED, UNSTEADY], ids=lambda each: each.name)
@pytest.mark.parametrize("spoilt", [1, 2])
def test_a_peak_that_failed_a_gate_is_measured_again(
    asked: Comparison, monkeypatch: pytest.MonkeyPatch, gate: Gate, spoilt: int
) -> None:
    machine, watch = set_up(monkeypatch, Machine({SLOWEST: spoilt}, gate)), Silent()
    assert execute(asked, watch).peaks == {"own0": PEAKS}
    again = [(SLOWEST, attempt) for attempt in range(2, spoilt + 2)]
    assert machine.peaks == sorted([*((service, 1) for service in PEAKS), *again])
    said = [line for line in watch.lines if "measured again" in line]
    assert (
        said
        == [f"own0, {SLOWEST}: the peak is measured again: {gate.name} ({gate.detail})"] * spoilt
    )


@pytest.mark.parametrize("gate", [STOPPED, UNSTEADY], ids=lambda each: each.name)
def test_without_the_slowest_peak_an_experiment_is_left_out_and_the_others_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, gate: Gate
) -> None:
    asked = begun(tmp_path, PEAKED, EXPERIMENT.replace("C1", "C2"))
    machine, watch = set_up(monkeypatch, Machine({SLOWEST: 3}, gate)), Silent()
    finished = execute(asked, watch)
    why = f"the peak of {SLOWEST} was not measured: {gate.name} ({gate.detail})"
    assert finished.left_out == {"own0": why}
    assert watch.lines[-1] == f"own0 is left out: {why}"
    assert [call for call in machine.calls if call[0] == "half"] == []
    assert {trial.experiment for trial in on_disk(asked)} == {"own1"}
    assert (finished.peaks, finished.planned, finished.interrupted) == ({}, PLANNED, False)
    assert runs.load(asked.folder).complete
    record.write(asked.folder, replace(finished, interrupted=True))
    assert comparison.resume(asked.folder).plan.left_out == {"own0": why}


def test_a_peak_that_decides_nothing_may_be_a_least_value(
    asked: Comparison, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = set_up(monkeypatch, Machine({FASTER: 3}))
    finished = execute(asked)
    assert machine.peaks.count((FASTER, 3)) == 1
    assert finished.peaks == {"own0": {**PEAKS, FASTER: pytest.approx(0.73 * PEAKS[FASTER])}}
    assert len(on_disk(asked)) == PLANNED


def test_a_busy_machine_ends_the_run_before_its_trials_and_resumed_it_is_whole(
    asked: Comparison, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = set_up(monkeypatch, Machine(dict.fromkeys(PEAKS, 3)))
    finished = execute(asked)
    assert "8 trials in a row were disturbed" in finished.reason
    assert (len(machine.calls), finished.peaks, on_disk(asked)) == (8, {}, [])
    set_up(monkeypatch, Machine())
    assert execute(comparison.resume(asked.folder)).peaks == {"own0": PEAKS}
    assert runs.load(asked.folder).complete


def test_a_resumed_run_keeps_the_peaks_that_it_has(
    asked: Comparison, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_up(monkeypatch, Machine(ends=3))
    assert execute(asked).peaks == {"own0": PEAKS}
    machine = set_up(monkeypatch, Machine())
    assert execute(comparison.resume(asked.folder)).peaks == {"own0": PEAKS}
    assert machine.peaks == []
    assert runs.load(asked.folder).complete


def test_peaks_of_a_run_from_before_count_as_they_are(
    asked: Comparison, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those were kept one by one, with no word on what had disturbed them."""
    before = {"own0": {SLOWEST: 250.0}}
    machine = set_up(monkeypatch, Machine({FASTER: 3}))
    finished = execute(replace(asked, record=replace(asked.record, peaks=before)))
    assert {service for service, _ in machine.peaks} == set(PEAKS) - {SLOWEST}
    assert finished.peaks["own0"][SLOWEST] == 250.0
    assert len(on_disk(asked)) == PLANNED


def test_a_run_that_has_trials_but_no_peaks_ends_with_one_line(
    asked: Comparison, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_up(monkeypatch, Machine(ends=3))
    execute(asked)
    again = comparison.resume(asked.folder)
    set_up(monkeypatch, Machine({SLOWEST: 3}))
    with pytest.raises(PeakError, match=rf"^the peak of {SLOWEST} was not measured: .*\)$"):
        execute(replace(again, record=replace(again.record, peaks={})))
    assert len(on_disk(asked)) == 3
