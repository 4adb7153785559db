"""The lessons as they are: whole, up to date, short, and each with a command that can run."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from loadtest import cli
from loadtest.inventory import manifest
from loadtest.inventory.budgets import Demand
from loadtest.model.experiment import Experiment
from loadtest.plan import plans, reader, schedule
from loadtest.plan.plans import Options
from loadtest.report.lessons import build, lesson
from loadtest.report.lessons.board import Board
from loadtest.report.lessons.lesson import Lesson
from loadtest.system.paths import ROOT
from tests.docs.commands.typed import Typed, blocks
from tests.docs.pages import anchors, name, own, sentences, words

LESSONS = lesson.read_all()
SERVICES = manifest.load()
RUNS = build.known()
NUMBERS = [f"lesson-{number}" for number in LESSONS]
PARTS = ["guess", "the-code", "run", "what-you-will-see", "why", "exercise", "where-to-go-on"]
MOST_WORDS = 1500  # ten minutes at a calm pace, code and tables included
MOST_SECONDS = 180
MINUTES = {
    "a minute and a half": 1.5,
    "two minutes": 2.0,
    "two and a half minutes": 2.5,
    "three minutes": 3.0,
}
# Known to everybody who reads Python and has used the web.
EVERYDAY = {"CPU", "FAQ", "HTTP", "JSON", "URL", "AMD", "PATH", "NOT", "SQL"}
# The words by which the lab's parts and results are called.
OWN_WORDS = (
    *("service", "row", "backend", "arm", "slot", "in flight", "goodput", "response time"),
    *("service time", "finding", "claim", "verdict", "budget", "probe", "gate", "witness"),
    *("round", "trial", "level", "scenario", "contract", "reference", "twin", "look"),
)
# What else the pages say that somebody who begins may not know.
LEARNT_WORDS = (
    *("plan", "published run", "throughput", "load", "peak", "percentile", "poisson", "wave"),
    *("driver", "endpoint", "gevent", "gunicorn", "json schema", "lifespan", "openapi"),
    *("pgbouncer", "pooler", "process pool", "pydantic", "stack", "starlette", "uvicorn"),
    *("core", "page (of memory)"),
    *("file descriptor", "grafana", "job queue", "kernel", "kib", "locust", "prometheus"),
    *("latency", "concurrency", "dependency", "executor", "fork", "proxy", "container", "docker"),
    *("asyncio", "uvloop", "httptools", "zttp", "granian", "in hand", "parser", "mean", "median"),
    *("health check", "round trip", "socket"),
)


@pytest.mark.parametrize(
    "page", build.written().items(), ids=lambda each: getattr(each, "name", "")
)
def test_what_is_taken_from_elsewhere_is_up_to_date(page: tuple[Path, str]) -> None:
    path, text = page
    assert path.read_text() == text, "make reference"


def test_the_lessons_are_numbered_and_all_in_the_index() -> None:
    assert list(LESSONS) == list(range(1, 9))
    index = (lesson.LESSONS / "README.md").read_text()
    listed = re.findall(r"^\| \[(\d)\. (.+?)\]\((.+?)\)", index, re.MULTILINE)
    assert listed == [(str(n), each.title, each.path.name) for n, each in LESSONS.items()]


@pytest.mark.parametrize("each", LESSONS.values(), ids=NUMBERS)
def test_a_lesson_has_every_part_and_one_hidden_answer(each: Lesson) -> None:
    text = each.path.read_text()
    headings = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert [heading.lower().replace(" ", "-") for heading in headings] == PARTS
    assert set(PARTS) <= anchors(text)
    assert text.count("<details>") == text.count("</details>") == 1
    assert text.index("## Exercise") < text.index("<details>") < text.index("## Where to go on")
    assert "**What stays:**" in text
    assert f"`make lesson LESSON={each.number}`" in text


@pytest.mark.parametrize("each", LESSONS.values(), ids=NUMBERS)
def test_a_lesson_shows_code_of_two_services_beside_each_other(each: Lesson) -> None:
    (first, *_) = re.findall(r"^<!-- code (.*) -->$", each.path.read_text(), re.MULTILINE)
    shown = dict(word.partition("=")[::2] for word in first.split())
    assert len(shown) == 2
    assert all(place.startswith("services/") for place in shown.values())
    # They are services that the command runs; where it runs one alone, that one and another.
    running = set(each.options(seed=1).services)
    assert shown.keys() <= running or running < shown.keys() <= SERVICES.keys()


@pytest.mark.parametrize("each", LESSONS.values(), ids=NUMBERS)
def test_a_lesson_is_read_in_ten_minutes(each: Lesson) -> None:
    text = re.sub(r"<!--.*?-->", "", each.path.read_text(), flags=re.DOTALL)
    assert len(words(text)) <= MOST_WORDS


@pytest.mark.parametrize("each", LESSONS.values(), ids=NUMBERS)
def test_the_command_runs_what_the_page_shows_within_three_minutes(
    each: Lesson, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # a file is of the clone, wherever the command is given
    options = each.options(seed=1)
    assert options.services, "a service that is new here would join, and take time"
    plan = plans.prepare(options)
    assert plan.most_seconds <= MOST_SECONDS
    assert {board.experiment for board in each.boards} & {e.name for e in plan.experiments}
    assert all(experiment.rounds >= 3 for experiment in plan.experiments)


@pytest.mark.parametrize("each", LESSONS.values(), ids=NUMBERS)
def test_a_page_says_how_long_its_command_takes(each: Lesson) -> None:
    [told] = re.findall(r"^It takes (.+?)\. `make lesson", each.path.read_text(), re.MULTILINE)
    estimated_s = plans.prepare(each.options(seed=1)).most_seconds
    assert 60 * MINUTES[told] == pytest.approx(estimated_s, rel=0.25)


def exercises(each: Lesson) -> list[Typed]:
    """What the page has its reader type behind its own command."""
    return list(blocks(each.path.read_text()))[1:]


@pytest.mark.parametrize("each", LESSONS.values(), ids=NUMBERS)
def test_a_page_has_nothing_typed_that_no_test_runs(each: Lesson) -> None:
    """tests/native/lessons runs the lesson's own command, then those of its exercise."""
    first, *more = blocks(each.path.read_text())
    assert shlex.split(first.line) == shlex.split(each.command)
    assert {typed.target for typed in more} <= {"compare", "live"}


def test_an_exercise_says_how_long_its_command_takes() -> None:
    found = [(each, t) for each in LESSONS.values() for t in exercises(each)]
    compared = [(each, typed) for each, typed in found if typed.target == "compare"]
    assert compared
    for each, typed in compared:
        asking = each.path.read_text().partition("## Exercise")[2].partition("<details>")[0]
        [told] = re.findall(r"Then measure, in (.+?):", asking)
        plan = plans.prepare(replace(each, command=typed.line).options(seed=1))
        assert 60 * MINUTES[told] == pytest.approx(plan.most_seconds, rel=0.25)


def timed(path: Path) -> list[tuple[str, int, int]]:
    """Each command of a page that says its time: command, minutes, and minutes at most."""
    text = " ".join(path.read_text().split())
    found = re.findall(r"`(make compare [^`]+)` \(about (\d+) minutes?(?:, (\d+) at most)?\)", text)
    return [(command, int(usual), int(most or usual)) for command, usual, most in found]


def test_a_command_says_the_time_that_the_lab_estimates() -> None:
    pages = [*(each.path for each in LESSONS.values()), ROOT / "docs/teaching.md"]
    told = [line for page in pages for line in timed(page)]
    assert len(told) > len(pages)
    wrong = []
    for command, usual, most in told:
        plan = plans.prepare(replace(LESSONS[1], command=command).options(seed=1))
        if abs(plan.seconds / 60 - usual) > 1 or abs(plan.most_seconds / 60 - most) > 1:
            wrong.append(f"{command}: {plan.seconds / 60:.1f}, {plan.most_seconds / 60:.1f}")
    assert wrong == []


@pytest.mark.parametrize("each", LESSONS.values(), ids=NUMBERS)
def test_a_lesson_says_how_long_each_command_takes(each: Lesson) -> None:
    """Its own and that of its exercise stand in blocks, and say it otherwise."""
    said = " ".join(own(each.path.read_text()).split())
    commands = re.findall(r"`(make compare [A-Z][^`]+)`", said)
    assert sorted(commands) == sorted(command for command, *_ in timed(each.path))


def test_a_teacher_reads_how_long_the_lessons_plan_takes() -> None:
    plan = plans.prepare(Options(seed=1, plan="lesson"))
    told = {"docs/teaching.md": r"It takes about (\d+) minutes, (\d+) at most"}
    told["README.md"] = r"PLAN=lesson .* it estimates (\d+) minutes, (\d+) at most"
    for name_of, sign in told.items():
        [(usual, most)] = re.findall(sign, (ROOT / name_of).read_text())
        assert float(usual) == pytest.approx(plan.seconds / 60, abs=1)
        assert float(most) == pytest.approx(plan.most_seconds / 60, abs=1)


@pytest.mark.parametrize("each", LESSONS.values(), ids=NUMBERS)
def test_make_compare_asks_for_what_the_lesson_runs(
    each: Lesson, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page's own line, from make to the options of a run, is what `make lesson` runs."""
    line = ["make", "--dry-run", *shlex.split(each.command)[1:]]
    path = {"PATH": os.environ["PATH"]}
    done = subprocess.run(line, cwd=ROOT, env=path, capture_output=True, text=True, check=True)
    last = shlex.split(done.stdout.splitlines()[-1])
    asked: list[Options] = []
    monkeypatch.setattr(cli, "_compare", lambda options, *_: asked.append(options))
    cli.app(last[last.index("loadtest") + 1 :], standalone_mode=False)
    [options] = asked
    named = [str(ROOT / name) if "/" in name else name for name in options.experiments]
    assert replace(options, experiments=tuple(named)) == each.options(options.seed)


@pytest.mark.parametrize("each", LESSONS.values(), ids=NUMBERS)
def test_its_figures_are_such_as_an_experiment_has(each: Lesson) -> None:
    known = reader.load_all() | {
        path.stem: reader.read(path) for path in lesson.LESSONS.glob("*.toml")
    }
    assert each.boards
    for board in each.boards:
        assert wrong(board, known[board.experiment], known) == []


def claims_of(each: Lesson) -> list[str]:
    return [claim for board in each.boards for claim in board.claims]


def test_plan_lesson_has_an_experiment_of_each_lesson_in_the_order_of_the_pages() -> None:
    planned = [
        claim
        for each in schedule.plan(reader.load_all(), "lesson")
        for claim in (each.claim, *each.further)
    ]
    told = list(dict.fromkeys(claim for each in LESSONS.values() for claim in claims_of(each)))
    assert planned == [claim for claim in told if claim in planned]
    before: set[str] = set()
    for each in LESSONS.values():
        own = set(claims_of(each)) - before
        assert own & set(planned), f"lesson {each.number} has no experiment in PLAN=lesson"
        before |= own


@pytest.mark.parametrize("each", LESSONS.values(), ids=NUMBERS)
def test_figures_beside_the_published_run_are_of_the_page_s_own_command(each: Lesson) -> None:
    for board in each.boards:
        found = board.source(RUNS)
        if found and not found.page:
            asked = each.options(seed=int(found.command.rpartition("--seed ")[2]))
            assert found.command == asked.command.replace(f"{ROOT}/", "")


def test_what_sixty_threads_cost_in_lesson_3_is_what_the_table_says() -> None:
    assert "It costs 60 more threads. By\nthe table they take about 2 MiB" in (
        LESSONS[3].path.read_text()
    )
    [memory] = [b for b in LESSONS[3].boards if b.measure == "pss_kib_per_request"]
    found = memory.source(RUNS)
    assert found
    [thread] = [row.value for row in memory.rows(found) if row.service == "flask-gthread"]
    assert 60 * thread / 1024 == pytest.approx(2, rel=0.3)


def test_the_slots_that_lesson_1_counts_are_those_of_the_budget() -> None:
    told = re.findall(
        r"^\| `([\w-]+)` \| (?:.* = )?(\d+) \| [a-z ]+ \| (\d+) a second \|$",
        LESSONS[1].path.read_text(),
        re.MULTILINE,
    )
    services = plans.prepare(LESSONS[1].options(seed=1)).services
    assert [service for service, *_ in told] == list(LESSONS[1].options(seed=1).services)
    for service, slots, rps in told:
        assert Demand.of(services[service]).slots == int(slots)
        assert int(slots) / 0.1 == int(rps)


def wrong(board: Board, experiment: Experiment, known: dict[str, Experiment]) -> list[str]:
    """What a table asks for that its experiment does not measure, or no experiment claims."""
    decided = (each.measure for each in experiment.criteria)
    measures = {experiment.measure, *decided, *experiment.tells}
    claims = {c for each in known.values() for c in (each.claim, *each.further)}
    levels = {"", *(level.label for level in experiment.levels)}
    asked = [
        ({board.measure}, measures),
        ({board.level}, levels),
        (set(board.services), set(experiment.services)),
        (set(board.claims), claims),
    ]
    return [each for named, there in asked for each in named - there]


def glossary() -> set[str]:
    """Every word that the glossary explains, in small letters."""
    cells = re.findall(r"^\| \*\*(.+?)\*\* \|", (ROOT / "docs/glossary.md").read_text(), re.M)
    return {word.lower() for cell in cells for word in re.split(r", ", cell)}


def test_the_glossary_has_the_lab_s_own_words_and_those_of_the_lessons() -> None:
    assert {*OWN_WORDS, *LEARNT_WORDS} - glossary() == set()


@pytest.mark.parametrize("each", LESSONS.values(), ids=NUMBERS)
def test_the_glossary_has_every_abbreviation_of_a_lesson(each: Lesson) -> None:
    said = " ".join(sentences(each.path.read_text()))
    found = set(re.findall(r"\b[A-Z]{3,}\b", said)) - EVERYDAY
    assert {word for word in found if word.lower() not in glossary()} == set()


def test_each_page_names_its_own_path() -> None:
    for each in LESSONS.values():
        assert each.page == name(each.path)
