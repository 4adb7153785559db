"""Two runs side by side: what changed, and what may not be compared."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.console import Console

from loadtest.plan.parsing import parse
from loadtest.report import diff
from loadtest.report.diff import changes, conditions
from loadtest.results import runs
from loadtest.results.runs import Run, RunError
from tests.synthetic import TRUTHS, Truth, document, experiment, faster, trials_of, write_run


def _run(folder: Path, seed: int, *, slots: int = 12, **info: object) -> Path:
    one = experiment()
    truths = TRUTHS | {"flask-gthread": Truth(slots=slots, cpu_ms=0.32)}
    return write_run(folder, [one], trials_of([one], seed=seed, truths=truths), **info)


def _shown(before: Path, after: Path) -> str:
    console = Console(width=200)
    with console.capture() as capture:
        console.print(diff.compare(before, after))
    return capture.get()


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return runs.load(_run(tmp_path_factory.mktemp("old"), 1))


def test_runs_of_the_same_thing_show_no_change(old: Run, tmp_path: Path) -> None:
    found = changes(old, runs.load(_run(tmp_path, 2)))
    assert len(found) == 12
    assert {change.word for change in found} <= {"the same within ±5 %", "can't be told"}


def test_a_service_that_got_faster_is_found(old: Run, tmp_path: Path) -> None:
    new = runs.load(_run(tmp_path, 2, slots=24))
    found = {(change.service, change.level): change for change in changes(old, new)}
    faster = found["flask-gthread", "128 connections"]
    assert faster.word == "higher"
    assert faster.ratio.value == pytest.approx(2, rel=0.1)
    assert found["flask-sync", "128 connections"].word != "higher"


def test_an_experiment_that_had_another_measure_is_compared_in_the_one_it_has(
    old: Run, tmp_path: Path
) -> None:
    one = experiment(measure="mean_ms")
    new = runs.load(write_run(tmp_path, [one], trials_of([one], seed=2)))
    found = changes(old, new)
    assert len(found) == 12
    assert {change.word for change in found} <= {"the same within ±5 %", "can't be told"}


def test_another_machine_is_said_plainly(old: Run, tmp_path: Path) -> None:
    machine = {"cpu": "Another CPU", "cores": 8, "memory_bytes": 8 << 30}
    new = runs.load(_run(tmp_path, 2, machine=machine, budget="equal-slots"))
    said = conditions(old, new)
    assert said[0].startswith("Not the same machine (cpu Made-up CPU → Another CPU; cores 2 → 8)")
    assert "budget typical → equal-slots" in said[2]
    assert conditions(old, old)[0] == "Both runs were made on the same kind of machine."


def test_a_python_of_another_speed_is_said(old: Run, tmp_path: Path) -> None:
    machine = dict(old.info["machine"])
    slow, slower, fast = (
        runs.load(_run(tmp_path / str(us), 2, machine=machine | {"python_loop_us": us}))
        for us in (640, 700, 330)
    )
    assert "640 µs for the same loop, then 330" in conditions(slow, fast)[-1]
    assert not any("loop" in line for line in conditions(slow, slower))
    assert not any("loop" in line for line in conditions(old, fast))


def test_a_machine_that_is_not_known_is_not_called_the_same(old: Run, tmp_path: Path) -> None:
    new = runs.load(_run(tmp_path, 2, machine={}))
    assert conditions(old, new)[0].startswith("One of the runs does not say")


def test_the_table_is_shown_with_what_became_of_the_claims(old: Run, tmp_path: Path) -> None:
    shown = _shown(old.folder, _run(tmp_path, 2, slots=40))
    assert "C1: confirmed → refuted" in shown
    assert "flask-gthread" in shown


def test_a_run_that_differs_from_itself_is_named(old: Run, tmp_path: Path) -> None:
    one = experiment()
    strange = [faster(t, 1.3) if t.arm.endswith("#2") else t for t in trials_of([one])]
    write_run(tmp_path / "new", [one], strange, run_id="strange")
    shown = _shown(old.folder, tmp_path / "new")
    assert "Unstable: strange found a difference between a service and itself." in shown
    assert "Unstable" not in _shown(old.folder, old.folder)


def test_runs_without_anything_in_common_are_refused(old: Run, tmp_path: Path) -> None:
    other = parse("other", document(claim="C2"), where="test")
    write_run(tmp_path / "other", [other], trials_of([other]))
    with pytest.raises(RunError, match="have no experiment, service and level in common"):
        diff.compare(old.folder, tmp_path / "other")
    with pytest.raises(RunError, match=r"no run\.json"):
        diff.compare(old.folder, tmp_path / "missing")
