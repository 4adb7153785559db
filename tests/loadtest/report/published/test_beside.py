"""A run of a published comparison: its table in the report, and what the repository shows of it."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from loadtest.inventory import manifest
from loadtest.model.experiment import Experiment
from loadtest.plan import reader, schedule
from loadtest.report import files, report
from loadtest.report.publication import publish
from loadtest.report.published import document, measured
from loadtest.report.published.beside import CPU, MeasuredRatio
from loadtest.report.published.measured import JudgedPart, MeasuredRun, TakenAgain
from loadtest.results.runs import RunError
from loadtest.system.paths import ROOT
from tests.docs.pages import anchors, links, sentences, words
from tests.synthetic import trials_of, write_run

SHIPPED = reader.load_published()
POOLS = SHIPPED["p01-threads-and-pool"]
SERVICES = manifest.load(variables={})


def planned(one: Experiment) -> Experiment:
    [found] = schedule.plan({one.name: one}, "published", rounds=3)
    return found


def written(folder: Path, *experiments: Experiment, **info: Any) -> Path:
    made = [planned(each) for each in experiments]
    return write_run(folder, made, trials_of(made), plan="published", **info)


def test_the_report_sets_published_predicted_and_measured_side_by_side(tmp_path: Path) -> None:
    [section] = report.load(written(tmp_path / "run", POOLS)).sections
    assert section.published
    assert section.published.headers[2:5] == (
        "Published ratio",
        "Predicted",
        "Measured here (95 % CI)",
    )
    first, proof = section.published.rows
    assert first[0] == proof[0] == "fastapi-async"
    assert first[1:4] == ("16 threads, 60 connections", "3.7 ×", "3.8 ×")
    assert first[6] == "992"
    assert re.fullmatch(r"3\.\d × \(3\.\d–\d\.\d\)", first[4])
    assert proof[1:3] == ("16 of both", "–")
    assert proof[5] == "the counter-proof"
    assert re.fullmatch(r"(0\.9\d|1\.0\d) × .*", proof[4])


def test_the_page_says_what_the_figures_measured_and_whose_they_are(tmp_path: Path) -> None:
    folder = written(tmp_path / "run", POOLS)
    files.build(folder)
    page = (folder / "report.html").read_text()
    assert POOLS.published
    assert f'<a href="{POOLS.published.url}">{POOLS.published.source}</a>' in page
    assert "<strong>slots</strong>" in page
    assert POOLS.published.told in page


def test_an_experiment_of_the_lab_has_no_such_table(tmp_path: Path) -> None:
    own = reader.load_all()["pool-size"]
    [section] = report.load(written(tmp_path / "run", own)).sections
    assert section.published is None


def test_without_a_run_the_page_says_that_nothing_was_measured() -> None:
    text = document.markdown(SHIPPED.values(), SERVICES, None)
    assert "Nothing was measured here yet." in text
    assert "measured |" not in text.replace("not measured |", "").replace("it measured |", "")
    rows = [line for line in text.splitlines() if line.startswith("| [P")]
    assert len(rows) == len(SHIPPED)
    assert all("| – |" in row for row in rows)
    assert {row.split(" | ")[-1] for row in rows} == {"not measured |", "told, not run |"}


def test_what_a_run_measured_stands_beside_what_was_predicted() -> None:
    ratio = MeasuredRatio(3.68, 3.6, 3.76, 4)
    alike = MeasuredRatio(1.01, 0.97, 1.05, 4)
    ratios = {
        ("16 threads, 60 connections", "fastapi-async"): ratio,
        ("16 of both", "fastapi-async"): alike,
    }
    run = MeasuredRun(
        "9 trials somewhere", ["it ended early"], {"P1": TakenAgain("confirmed", ratios)}
    )
    text = document.markdown(SHIPPED.values(), SERVICES, run)
    assert "| 3.7 × | 3.8 × | 3.7 × | slots | ✔ confirmed |" in text
    assert "| 992 | 3.7 × | 3.8 × | 3.7 × (3.6–3.8) |" in text
    assert "measured ÷ published 0.98, predicted ÷ measured 1.02." in text
    assert "1.00 × predicted, 1.01 × (0.97–1.05) measured." in text
    assert "| measured |\n| --- |\n| 9 trials somewhere |" in text
    assert "The run below is partial:\n\n- it ended early\n" in text


@pytest.mark.parametrize(
    ("low", "value", "high", "told"),
    [
        (0.41, 0.59, 0.86, "**Not so here.** `flask-sync`, *a connection a request*"),
        (0.41, 0.95, 1.7, "**Another size here.** `flask-sync`, *a connection a request*"),
        (2.0, 2.2, 2.4, "**Another size here.** `flask-sync`, *a connection a request*"),
        (1.2, 1.3, 1.4, ""),
    ],
)
def test_a_ratio_that_came_out_otherwise_is_said_to(
    low: float, value: float, high: float, told: str
) -> None:
    """P10 published 1.29: whoever leads here, and by how much, the page says it."""
    ratios = {("a connection a request", "flask-sync"): MeasuredRatio(value, low, high, 4)}
    text = page_of("P10", TakenAgain("conditional", ratios))
    assert bool(re.search(r"\*\*(Not so|Another size) here", text)) == bool(told)
    assert told in text


def test_cpu_is_told_where_it_decides() -> None:
    values = {("kept connections", "go", CPU): 16.04, ("16 of both", "fastapi-async", CPU): 300.0}
    text = page_of("P11", TakenAgain("undecided", {}, values))
    assert "- CPU a request here, *kept connections*: `go` 16.0 µs." in text
    assert "CPU a request here" not in page_of("P1", TakenAgain("confirmed", {}, values))


def page_of(claim: str, taken: TakenAgain) -> str:
    run = MeasuredRun("somewhere", [], {claim: taken})
    return document.markdown(SHIPPED.values(), SERVICES, run)


def test_its_links_lead_somewhere() -> None:
    text = document.markdown(SHIPPED.values(), SERVICES, None)
    inner = [link for link in links(text) if link.startswith("#")]
    assert {link[1:] for link in inner} <= anchors(text)
    assert len(inner) == len(SHIPPED)
    outer = [link.partition("#")[0] for link in links(text) if not link.startswith(("#", "http"))]
    assert all((ROOT / "docs" / link).exists() for link in outer)


@pytest.mark.parametrize("run", [None, measured.read(ROOT / document.MEASURED_IN)])
def test_the_page_can_be_read_once(run: MeasuredRun | None) -> None:
    text = document.markdown(SHIPPED.values(), SERVICES, run)
    assert [each for each in sentences(text) if len(words(each)) > 20] == []


def test_the_page_of_the_repository_is_up_to_date() -> None:
    assert (ROOT / document.TOLD_IN).read_text() == document.of_repository(), "make reference"


def test_what_was_measured_is_read_as_it_was_written(tmp_path: Path) -> None:
    ratios = {("a level", "go"): MeasuredRatio(2.5, 2.4, 2.6, 6)}
    values = {("a level", "go", CPU): 16.0}
    parts = (JudgedPart("Go leads", "a level", "fails", "go ÷ node: 1.1 ×"),)
    again = TakenAgain("refuted", ratios, values, parts)
    run = MeasuredRun("here", ["without go"], {"P4": again})
    path = tmp_path / "published.json"
    assert measured.read(path) is None
    path.write_text(measured.text(run))
    assert measured.read(path) == run


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository whose only comparison is P1."""
    monkeypatch.setattr(reader, "load_published", lambda: {POOLS.name: POOLS})
    (tmp_path / "docs").mkdir()
    return tmp_path


def test_a_run_of_comparisons_is_published_as_their_page(home: Path) -> None:
    folder = written(home / "results/run", POOLS)
    done = publish.publish(folder, partial=False, home=home)
    names = ["docs/published.html", "docs/published.json", "docs/published.md"]
    assert [str(path.relative_to(home)) for path in done] == names
    page = (home / "docs/published.md").read_text()
    assert "✔ confirmed" in page
    assert "- Counter-proof, *16 of both*, as expected: " in page
    assert "Made-up CPU" in page
    assert "[the page of this run](published.html)" in page
    assert max(len(words(each)) for each in sentences(page)) <= 25
    run = measured.read(home / "docs/published.json")
    assert document.written(run, whole=True) == page
    assert run
    first, proof = run.comparisons["P1"].parts
    assert (first.state, proof.state, proof.level) == ("holds", "holds", "16 of both")
    assert re.fullmatch(r"fastapi-async ÷ flask-gthread, 16 of both: .* 0\.9 to 1\.1 ×", proof.line)


def test_less_than_all_of_them_is_refused(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = replace(POOLS, claim="P2", name="other")
    monkeypatch.setattr(reader, "load_published", lambda: {"one": POOLS, "other": other})
    with pytest.raises(RunError, match="no verdict on P2"):
        publish.publish(written(home / "results/run", POOLS), partial=False, home=home)
    assert not list((home / "docs").iterdir())
