"""`make publish`: a whole run becomes a page of the repository; less than that is refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from loadtest.plan import reader
from loadtest.report.lessons import digest
from loadtest.report.publication import publish
from loadtest.results.runs import RunError
from tests.docs.pages import links, sentences, words
from tests.synthetic import experiment, trials_of, write_run

README = "# Lab\n\n<!-- results: begin -->\nolder\n<!-- results: end -->\n\nMore.\n"


@pytest.fixture(autouse=True)
def one_claim(monkeypatch: pytest.MonkeyPatch) -> None:
    """The lab has no other experiment."""
    monkeypatch.setattr(reader, "load_all", lambda: {"blocked-threads": experiment()})


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "docs").mkdir()
    (tmp_path / "README.md").write_text(README)
    return tmp_path


def run(home: Path, **info: Any) -> Path:
    return write_run(home / "results/run", [experiment()], trials_of([experiment()]), **info)


def test_a_whole_run_is_published_with_all_that_its_figures_need(home: Path) -> None:
    written = publish.publish(run(home), partial=False, home=home)
    names = ["docs/results.html", "docs/results.md", "docs/results.jsonl", "README.md"]
    assert [str(path.relative_to(home)) for path in written] == names
    page = (home / "docs/results.md").read_text()
    for text in ("0123456789ab", "Made-up CPU", "| Seed | 7 |", "the claim needs at least 2 ×"):
        assert text in page
    assert "`make compare EXPERIMENTS=blocked-threads PLAN=quick BUDGET=typical SEED=7`" in page
    assert "partial" not in page
    assert all((home / "docs" / link).exists() for link in links(page))


def test_pages_with_marks_get_the_figures_of_the_run(home: Path) -> None:
    page = home / "docs/lessons/1-a.md"
    page.parent.mkdir()
    mark = '<!-- figures experiment=blocked-threads measure=goodput_rps level="128 connections" -->'
    page.write_text(f"# 1. A\n\n{mark}\nolder\n<!-- end -->\n\nMore.\n")
    assert page in publish.publish(run(home), partial=False, home=home)
    [line] = [line for line in page.read_text().splitlines() if "`flask-sync`" in line]
    assert line.startswith("| `flask-sync` | 29.9 |")
    assert "[the whole run](../results.md)" in page.read_text()
    assert "older" not in page.read_text()
    assert page not in publish.publish(run(home), partial=False, home=home)


def test_the_readme_gets_the_table_and_keeps_the_rest(home: Path) -> None:
    publish.publish(run(home), partial=False, home=home)
    readme = (home / "README.md").read_text()
    assert readme.startswith("# Lab\n\n<!-- results: begin -->\n\n| taught | measured |")
    assert readme.endswith("<!-- results: end -->\n\nMore.\n")
    assert "older" not in readme
    publish.publish(run(home), partial=False, home=home)
    assert (home / "README.md").read_text() == readme


def test_minutes_are_those_that_a_run_ran_and_not_those_that_it_was_stopped_for(
    home: Path,
) -> None:
    trials = trials_of([experiment()])
    began, step, stopped = (
        datetime(2026, 1, 1, tzinfo=UTC),
        timedelta(seconds=6),
        timedelta(hours=1),
    )
    moments = [began + number * step + (number > 9) * stopped for number in range(len(trials))]
    timed = [
        replace(trial, result=replace(trial.result, started_at=moment.isoformat()))
        for trial, moment in zip(trials, moments, strict=True)
    ]
    folder = write_run(home / "results/run", [experiment()], timed)
    publish.publish(folder, partial=False, home=home)
    [line] = [line for line in (home / "docs/results.md").read_text().splitlines() if "C1:" in line]
    minutes = int(line.split("|")[-2])
    assert minutes == pytest.approx(len(trials) * step.total_seconds() / 60, abs=1)


def test_the_published_page_stands_alone(home: Path) -> None:
    publish.publish(run(home), partial=False, home=home)
    page = (home / "docs/results.html").read_text()
    assert 'href="charts/' not in page
    assert "trials.jsonl" not in page


def test_what_is_written_can_be_read_once(home: Path) -> None:
    publish.publish(run(home), partial=False, home=home)
    for page in ("docs/results.md", "README.md"):
        assert max(len(words(each)) for each in sentences((home / page).read_text())) <= 25


@pytest.mark.parametrize(
    ("info", "why"),
    [
        ({"interrupted": True}, "it ended early"),
        ({"git_dirty": True}, "its code is no commit"),
        ({"git_commit": ""}, "its code is no commit"),
        ({"left_out": {"go": "go is not installed"}}, "without go"),
    ],
)
def test_less_is_refused_in_one_line_and_nothing_is_written(
    home: Path, info: dict[str, Any], why: str
) -> None:
    folder = run(home, **info)
    with pytest.raises(RunError) as refused:
        publish.publish(folder, partial=False, home=home)
    assert why in str(refused.value)
    assert f"make publish RUN={folder} PARTIAL=yes" in str(refused.value)
    assert "\n" not in str(refused.value)
    assert not list((home / "docs").iterdir())


def test_a_claim_without_a_verdict_is_named(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    more = {"blocked-threads": experiment(), "other": experiment(claim="C9", criteria=[])}
    monkeypatch.setattr(reader, "load_all", lambda: more)
    with pytest.raises(RunError, match="no verdict on C9"):
        publish.publish(run(home), partial=False, home=home)


def field_run(home: Path, **info: Any) -> Path:
    of_field = experiment(claim="C16", plan="field")
    return write_run(home / "results/field", [of_field], trials_of([of_field]), **info)


def test_a_run_of_the_field_is_a_part_of_the_page_and_leaves_the_rest(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    of_field = experiment(claim="C16", plan="field")
    known = {"blocked-threads": experiment(), "other": of_field}
    monkeypatch.setattr(reader, "load_all", lambda: known)
    page, figures, readme = (home / each for each in (*_FILLED, "README.md"))
    publish.publish(run(home), partial=False, home=home)
    lesson, in_readme = page.read_text(), readme.read_text()
    written = publish.publish(field_run(home), partial=False, home=home)
    assert home / "docs/field.html" in written
    assert readme.read_text() == in_readme
    both = page.read_text()
    for text in ("C1:", "C16:", "## The rest of the field", "(results.html)", "(field.html)"):
        assert text in both
    assert [each.page for each in digest.read(figures)] == [
        "results.md",
        "results.md#the-rest-of-the-field",
    ]
    publish.publish(run(home), partial=False, home=home)
    assert page.read_text() == both
    assert both.startswith(lesson.partition("<!-- field: begin -->")[0])


_FILLED = ("docs/results.md", "docs/results.jsonl")


def test_a_run_of_the_field_needs_a_page_to_be_a_part_of(home: Path) -> None:
    with pytest.raises(RunError, match=r"results.md: no <!-- field: begin -->"):
        publish.publish(field_run(home), partial=True, home=home)


def test_a_partial_run_says_so_and_leaves_the_readme_alone(home: Path) -> None:
    publish.publish(run(home, interrupted=True), partial=True, home=home)
    assert "This run is partial:\n\n- it ended early" in (home / "docs/results.md").read_text()
    assert "· partial" in (home / "docs/results.html").read_text()
    assert (home / "README.md").read_text() == README


def test_a_readme_without_marks_is_named(home: Path) -> None:
    (home / "README.md").write_text("# Lab\n")
    with pytest.raises(RunError, match=r"README.md: no <!-- results: begin -->"):
        publish.publish(run(home), partial=False, home=home)
