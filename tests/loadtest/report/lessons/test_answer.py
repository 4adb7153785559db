"""A lesson read from its page, and answered from a run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from loadtest.report import report
from loadtest.report.lessons import digest, lesson
from loadtest.report.lessons.answer import NOISY, answered
from loadtest.report.lessons.board import PageError
from loadtest.report.report import Report
from tests.synthetic import experiment, trials_of, write_run

PAGE = """# 3. Who waits

**Question.** What happens to the others
while one waits?

```sh
make compare EXPERIMENTS=blocked-threads SERVICES="fastapi-async flask-sync" ROUNDS=4  # 2 min
```

<!-- figures experiment=blocked-threads measure=goodput_rps level="128 connections" -->
<!-- end -->
"""


@pytest.fixture
def page(tmp_path: Path) -> Path:
    path = tmp_path / "3-who-waits.md"
    path.write_text(PAGE)
    return path


def made(folder: Path, rounds: int, noise: float = 0.02) -> Report:
    small = experiment(rounds=rounds)
    return report.load(write_run(folder, [small], trials_of([small], noise=noise)))


def said(page: Path, found: Report, published: list[digest.Digest]) -> str:
    console = Console(width=200)
    with console.capture() as captured:
        console.print(answered(lesson.read(page), found, published))
    return captured.get()


def test_a_page_says_what_to_ask_and_what_to_run(page: Path) -> None:
    found = lesson.read_all(page.parent)[3]
    assert (found.title, found.question) == (
        "Who waits",
        "What happens to the others while one waits?",
    )
    options = found.options(seed=5)
    assert options.command == (
        "python -m loadtest run --plan quick --experiments blocked-threads "
        "--services 'fastapi-async flask-sync' --budget typical --rounds 4 --seed 5"
    )


def test_a_run_answers_the_question_with_figures_and_reason(page: Path, tmp_path: Path) -> None:
    text = said(page, made(tmp_path / "run", 4), [])
    assert text.startswith("Lesson 3 asked: What happens to the others while one waits?\n")
    [row] = [line for line in text.splitlines() if line.split()[:1] == ["flask-sync"]]
    assert row.split() == ["flask-sync", "29.9", "29.2", "(27.6–30.9)"]
    assert "Answer: 128 clients at once, each waits 100 ms in Postgres: fastapi" in text
    assert "  holds: fastapi ÷ flask-gthread, 128 connections: " in text
    assert str(page) in text


def test_the_answer_ends_with_the_sentence_that_stays(page: Path, tmp_path: Path) -> None:
    found = made(tmp_path / "run", 4)
    assert "What stays" not in said(page, found, [])
    page.write_text(PAGE + "\n**What stays:** a waiting\nthread waits.\n\n## Exercise\n")
    assert "What stays: a waiting thread waits.\n" in said(page, found, [])


def test_the_figures_of_an_exercise_s_answer_are_kept_for_its_page(page: Path) -> None:
    mark = "<!-- figures experiment=pool-size measure=goodput_rps -->\n<!-- end -->\n"
    page.write_text(PAGE + f"\n## Exercise\n\n{mark}")
    assert [each.experiment for each in lesson.read(page).boards] == ["blocked-threads"]


def test_the_published_figures_stand_beside_it(page: Path, tmp_path: Path) -> None:
    found = made(tmp_path / "run", 4)
    text = said(page, found, [digest.digest(found, "results.md")])
    [row] = [line for line in text.splitlines() if line.split()[:1] == ["flask-sync"]]
    own, beside = row.split()[2:4], row.split()[4:6]
    assert own == beside
    assert "published" in text


def test_figures_of_another_budget_never_stand_beside_each_other(
    page: Path, tmp_path: Path
) -> None:
    found = made(tmp_path / "run", 4)
    known = [replace(digest.digest(found, "results.md"), budget="equal-slots")]
    page.write_text(PAGE.replace('connections" -->', 'connections" budget=equal-slots -->'))
    text = said(page, found, known)
    assert "Budget equal-slots" in text
    assert "published, requests/s" in text
    assert "you, requests/s" not in text
    assert "Budget" not in said(page, found, [])


def test_pages_name_no_folder_of_a_machine(tmp_path: Path) -> None:
    small = experiment(rounds=2)
    command = "python -m loadtest run --experiments /home/me/lab/docs/lessons/own.toml --seed 1"
    folder = write_run(tmp_path, [small], trials_of([small]), command=command)
    found = digest.digest(report.load(folder)).command
    assert found == "python -m loadtest run --experiments docs/lessons/own.toml --seed 1"


def test_too_few_rounds_give_no_answer(page: Path, tmp_path: Path) -> None:
    text = said(page, made(tmp_path / "run", 2), [])
    assert "Answer: this run has too few rounds to answer it." in text


def test_a_slope_is_told_with_the_loads_that_it_is_over(tmp_path: Path) -> None:
    held = experiment(
        measure="pss_kib_per_request",
        load={"kind": "held"},
        levels=[{"label": f"{count} held", "connections": count} for count in (1, 200)],
        criteria=[{"says": "much", "service": "flask-gthread", "value_at_least": 1024.0}],
    )
    [section] = report.load(write_run(tmp_path, [held], trials_of([held]))).sections
    assert section.answer
    assert section.answer.text.startswith("From 1 held to 200 held: measured for ")


def test_what_noise_left_open_says_what_to_do(page: Path, tmp_path: Path) -> None:
    noisy = said(page, made(tmp_path / "noisy", 3, noise=1.0), [])
    assert "Answer: " in noisy
    assert "  open: " in noisy
    assert NOISY in noisy
    assert NOISY not in said(page, made(tmp_path / "clear", 4), [])


def test_what_was_not_measured_is_not_called_noisy(page: Path, tmp_path: Path) -> None:
    """A page's command may leave a service of a criterion out, to be short."""
    asked = {"says": "it answers", "level": "128 connections", "value_at_least": 10.0}
    services = ("flask-sync", "flask-gthread")
    few = experiment(rounds=4, criteria=[asked | {"service": each} for each in services])
    trials = [each for each in trials_of([few]) if each.service != "flask-gthread"]
    found = report.load(write_run(tmp_path / "few", [few], trials))
    assert "undecided" in {claim.word for claim in found.claims}
    assert NOISY not in said(page, found, [])


@pytest.mark.parametrize("part", ["# 3. Who waits", "**Question.** ", "make compare "])
def test_a_page_without_a_part_is_named(page: Path, part: str) -> None:
    page.write_text(PAGE.replace(part, ""))
    with pytest.raises(PageError, match=r"3-who-waits\.md: a lesson needs"):
        lesson.read_all(page.parent)


def test_a_command_that_sets_something_else_is_named(page: Path) -> None:
    page.write_text(PAGE.replace("ROUNDS=4", "SPEED=4"))
    with pytest.raises(PageError, match="takes no SPEED="):
        lesson.read(page).options(seed=1)


def test_a_folder_without_lessons_is_named(tmp_path: Path) -> None:
    with pytest.raises(PageError, match="holds no lesson"):
        lesson.read_all(tmp_path)
