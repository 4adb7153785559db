"""The list of runs: newest first, damaged ones named, none hidden."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.console import Console

from loadtest.report import files, history
from loadtest.results.runs import RunError
from tests.synthetic import experiment, failing, faster, trials_of, write_run


def _shown(results: Path) -> str:
    console = Console(width=200)
    with console.capture() as capture:
        console.print(history.table(results))
    return capture.get()


def test_runs_are_listed_newest_first_with_their_headlines(tmp_path: Path) -> None:
    one = experiment()
    for name in ("20260101-000000", "20260102-000000"):
        files.build(write_run(tmp_path / name, [one], trials_of([one])))
    (tmp_path / "latest").symlink_to("20260102-000000")
    shown = _shown(tmp_path)
    assert shown.index("20260102-000000") < shown.index("20260101-000000")
    assert shown.count("20260102-000000") == 1
    assert "C1 ✔ 3." in shown


def test_a_run_without_a_report_has_its_figures_all_the_same(tmp_path: Path) -> None:
    one = experiment()
    write_run(tmp_path / "run", [one], trials_of([one])[:40], interrupted=True)
    shown = _shown(tmp_path)
    assert "40 of a run that ended early" in shown
    assert "C1 ✔" in shown


@pytest.mark.parametrize(
    "verdicts", [None, "", "[]", "{}", '{"claims": 1, "complete": true, "stable": true}', "{"]
)
def test_a_run_without_whole_verdicts_is_judged_by_its_trials(
    tmp_path: Path, verdicts: str | None
) -> None:
    one = experiment()
    strange = [faster(t, 1.3) if t.arm.endswith("#2") else t for t in trials_of([one])]
    folder = write_run(tmp_path / "run", [one], strange, interrupted=True)
    if verdicts is not None:
        (folder / "verdicts.json").write_text(verdicts)
    shown = _shown(tmp_path)
    assert "UNSTABLE; C1 ✔" in shown
    assert "96 of a run that ended early" in shown


def test_a_run_of_which_nothing_counts_has_no_verdicts(tmp_path: Path) -> None:
    one = experiment()
    trials = [failing(trial) for trial in trials_of([one])[:8]]
    write_run(tmp_path / "run", [one], trials)
    assert "no verdicts" in _shown(tmp_path)


def test_a_damaged_run_is_listed_with_its_trouble(tmp_path: Path) -> None:
    one = experiment()
    write_run(tmp_path / "good", [one], trials_of([one]))
    write_run(tmp_path / "old", [one], [], version=9)
    (tmp_path / "torn").mkdir()
    (tmp_path / "torn/run.json").write_text("{")
    shown = _shown(tmp_path)
    assert "made by another version" in shown
    assert "not valid JSON" in shown
    assert "C1 ✔" in shown


def test_an_empty_folder_says_how_to_make_a_run(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="no runs yet; make one with: make compare"):
        history.table(tmp_path / "results")
