"""The report: whole from two files, honest about what is missing, open to everybody."""

from __future__ import annotations

import csv
import errno
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from rich.console import Console

from loadtest.model.trial import Trial
from loadtest.plan import reader
from loadtest.plan.parsing import parse
from loadtest.plan.schedule import narrow, plan
from loadtest.report import console as figures
from loadtest.report import files, report, summary
from loadtest.results.runs import RunError
from tests.synthetic import document, experiment, failing, faster, trials_of, write_run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    one = experiment()
    trials = trials_of([one])
    broken = [failing(trial) if trial.index == 4 else trial for trial in trials]
    rerun = Trial(**vars(trials[4]) | {"attempt": 2})
    folder = tmp_path_factory.mktemp("results") / "run"
    files.build(write_run(folder, [one], [*broken, rerun]))
    return folder


class _Text(HTMLParser):
    """The words of a page, and the addresses that it asks for by itself."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.loaded: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        wanted = {"src", "srcset"} | ({"href"} if tag == "link" else set())
        self.loaded += [value or "" for name, value in attrs if name in wanted]

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def _read(folder: Path) -> _Text:
    page = _Text()
    page.feed((folder / "report.html").read_text(encoding="utf-8"))
    return page


def _words(folder: Path) -> str:
    return re.sub(r"\s+", " ", " ".join(_read(folder).words))


def test_the_page_needs_nothing_beside_itself_and_no_script(run: Path) -> None:
    page = _read(run)
    assert page.loaded
    assert all(address.startswith("data:") for address in page.loaded)
    assert "<script" not in (run / "report.html").read_text(encoding="utf-8")


def test_the_page_says_verdict_figure_and_how_to_run_it_again(run: Path) -> None:
    words = _words(run)
    assert "confirmed" in words
    assert re.search(r"fastapi ÷ flask-gthread, 128 connections: 3\.\d × \(", words)
    assert "make compare SEED=7" in words
    assert "seed 7" in words


def test_the_page_opens_with_its_answer_and_the_reason(run: Path) -> None:
    opening = _words(run).split("What is taught")[0]
    assert re.search(
        r"128 clients at once, each waits 100 ms in Postgres "
        r"Fastapi handled 3\.\d times as many requests/s as flask-gthread \(95 % CI [^)]+\)\. "
        r"40 slots \(threads\) in fastapi and 12 slots \(threads\) in flask-gthread",
        opening,
    )


def test_the_result_can_be_copied_as_markdown(run: Path) -> None:
    """With all that a figure needs: interval, budget, machine, commit, and for what it is none."""
    copied = summary.markdown(report.load(run))
    for text in ("budget typical", "2 cores (Made-up CPU)", "0123456789ab", "seed 7"):
        assert text in copied
    table = [line for line in copied.splitlines() if line.startswith("|")]
    assert {line.count("|") for line in table} == {5}
    assert "the claim needs at least 2 ×" in table[2]
    assert "Other machines, budgets and versions have other figures" in copied
    assert " ".join(copied.split()) in _words(run)


def test_the_page_shows_what_a_burst_found_before_the_first_trial(run: Path) -> None:
    words = _words(run)
    assert "Slots taken in a burst" in words
    assert "31, 33, 35" in words


def test_a_failed_gate_and_its_rerun_are_shown(run: Path) -> None:
    words = _words(run)
    assert "1 of 97 trials failed a check, and a rerun passed in place of each." in words
    assert "Little's law" in words
    assert "a rerun passed" in words


def test_every_chart_has_a_table_and_its_files(run: Path) -> None:
    text = (run / "report.html").read_text(encoding="utf-8")
    charts = [
        name
        for name in re.findall(r'href="charts/([\w-]+)\.svg"', text)
        if not name.endswith("-wall")
    ]
    assert len(charts) == text.count("<figure ") == text.count("as a table</summary>")
    for chart in charts:
        assert (run / f"charts/{chart}.svg").read_text().startswith("<svg")
        assert (run / f"charts/{chart}.png").read_bytes().startswith(b"\x89PNG")


def test_each_claim_has_a_picture_for_a_wall(run: Path) -> None:
    svg = (run / "charts/C1-wall.svg").read_text()
    assert 'viewBox="0 0 1600 900"' in svg
    for text in ("A waiting thread does nothing else", "confirmed", "the claim needs at least 2 ×"):
        assert text in svg
    assert (run / "charts/C1-wall.png").read_bytes().startswith(b"\x89PNG")


def test_the_csv_has_every_trial(run: Path) -> None:
    with (run / "results.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 97
    assert {row["valid"] for row in rows} == {"True", "False"}
    assert all(float(row["goodput_rps"]) > 0 for row in rows)
    at_most = [row for row in rows if row["level"] == "128 connections"]
    lucky = [row for row in at_most if row["service"] == "flask-sync"]
    assert {row["p50_ms"] for row in lucky} == {""}
    assert all(float(row["littles_mean_ms"]) > 4000 for row in lucky)
    assert all(float(row["waiting_share"]) > 0.6 for row in lucky)
    assert all(row["p50_ms"] for row in at_most if row["service"] == "fastapi-async")
    assert {float(row["failed_share"]) for row in rows} == {0.0}


def test_the_report_is_the_same_when_built_again(run: Path) -> None:
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    files.build(run)
    assert {path: path.read_bytes() for path in run.rglob("*") if path.is_file()} == before


def test_the_console_shows_the_same_figures(run: Path) -> None:
    console = Console(width=160)
    with console.capture() as capture:
        console.print(figures.shown(report.load(run)))
    shown = capture.get()
    assert "flask-gthread" in shown
    assert "✔ C1 confirmed" in shown


@pytest.mark.parametrize(("count", "are"), [(0, "are"), (1, "is"), (3, "are"), (20, "are")])
def test_a_run_that_was_stopped_gives_a_report_of_what_there_is(
    tmp_path: Path, count: int, are: str
) -> None:
    one = experiment()
    trials = trials_of([one])
    write_run(
        tmp_path / "run", [one], trials[:count], interrupted=True, planned=96, reason="Ctrl-C"
    )
    files.build(tmp_path / "run")
    words = _words(tmp_path / "run")
    assert f"Incomplete. Ctrl-C: {count} of 96 trials {are} here" in words
    assert ("nothing to compare yet" in words) == (count == 0)


def test_two_rounds_are_shown_and_decide_nothing(tmp_path: Path) -> None:
    one = experiment(rounds=2)
    files.build(write_run(tmp_path / "run", [one], trials_of([one])))
    words = _words(tmp_path / "run")
    assert "Too few rounds to tell a difference from chance" in words
    assert "Too few rounds to compare the reference service with itself" in words
    assert "too noisy" not in words
    assert "95 % CI" not in words


def test_a_cut_last_line_is_told_and_nothing_is_overwritten(tmp_path: Path) -> None:
    one = experiment()
    folder = write_run(tmp_path / "run", [one], trials_of([one])[:8])
    path = folder / "trials.jsonl"
    path.write_text(path.read_text()[:-100])
    before = {each: each.read_bytes() for each in folder.iterdir()}
    with pytest.raises(RunError, match=rf"last line is cut off.*RESUME={folder}"):
        files.build(folder)
    assert {each: each.read_bytes() for each in folder.iterdir()} == before


def test_a_service_that_differs_from_itself_is_stamped(tmp_path: Path) -> None:
    one = experiment()
    spoiled = [faster(t, 1.3) if t.arm.endswith("#2") else t for t in trials_of([one])]
    files.build(write_run(tmp_path / "run", [one], spoiled))
    words = _words(tmp_path / "run")
    assert "Unstable." in words
    assert "differs from itself, so trust none" in words


def test_a_twin_has_the_same_p_on_the_page_and_in_the_file(tmp_path: Path) -> None:
    """Holm's correction is over the whole run, whoever shows the figure."""
    first = experiment()
    second = parse("again", document(), where="test")
    trials = trials_of([first, second], noise=0.05, seed=3)
    made = report.load(write_run(tmp_path / "run", [first, second], trials))
    in_file = {
        (twin["experiment"], twin["level"]): twin["p_holm"]
        for twin in files.verdicts(made)["twins"]
    }
    drawn = {
        (section.experiment.name, row[1]): row[5]
        for section in made.sections
        for chart in section.charts
        if chart.name.endswith("-ratios")
        for row in chart.table.rows
        if row[0].endswith("#2")
    }
    assert len(in_file) == 8
    assert drawn == {place: f"{p:.3f}" for place, p in in_file.items()}


def test_what_was_left_out_is_said(tmp_path: Path) -> None:
    one = experiment()
    left = {"go": "go 1.22 is not installed"}
    files.build(write_run(tmp_path / "run", [one], trials_of([one]), left_out=left))
    assert "Left out. go: go 1.22 is not installed" in _words(tmp_path / "run")


def test_claimed_figures_stand_beside_measured_ones(tmp_path: Path) -> None:
    shipped = reader.load_all()["framework-throughput"]
    one = narrow(plan({"c4": shipped}, "quick")[0], ["fastapi-async", "flask-gthread", "go"])
    files.build(write_run(tmp_path / "run", [one], trials_of([one])))
    words = _words(tmp_path / "run")
    assert re.search(r"flask-gthread 5,000 0\.07 × \d", words)
    assert re.search(r"node 80,000 1\.07 × not measured", words)
    svg = (tmp_path / "run/charts/framework-throughput-scaling.svg").read_text()
    for text in ("75,000 claimed", "5,000 claimed", "Requests/s, log scale"):
        assert text in svg
    assert shipped.caution
    assert shipped.caution in words


def test_text_from_a_run_cannot_become_markup(tmp_path: Path) -> None:
    one = experiment(title="<script>alert(1)</script>")
    files.build(write_run(tmp_path / "run", [one], trials_of([one])[:8], command="<b>x</b>"))
    assert "<script" not in (tmp_path / "run/report.html").read_text()


def test_another_version_is_refused_and_nothing_is_touched(tmp_path: Path) -> None:
    one = experiment()
    folder = write_run(tmp_path / "run", [one], trials_of([one])[:4], version=99)
    before = sorted(path.name for path in folder.iterdir())
    with pytest.raises(RunError, match=r"made by another version of the lab \(99, this one reads"):
        files.build(folder)
    assert sorted(path.name for path in folder.iterdir()) == before


@pytest.mark.parametrize(
    ("content", "complaint"),
    [(None, "no run.json; name a folder of results/"), ("{", "not valid JSON"), ("[]", "version")],
)
def test_a_folder_that_is_no_run_is_refused(
    tmp_path: Path, content: str | None, complaint: str
) -> None:
    if content is not None:
        (tmp_path / "run.json").write_text(content)
    with pytest.raises(RunError, match=complaint):
        files.build(tmp_path)


def test_a_full_disk_leaves_the_older_report_readable(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = (run / "report.html").read_bytes()
    write = Path.write_bytes

    def full(path: Path, content: bytes) -> int:
        if path.name.startswith("report.html"):
            write(path, content[:100])
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(path, content)

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(RunError, match="no space left for the report; make room, then: python -m"):
        files.build(run)
    assert (run / "report.html").read_bytes() == before
    assert not list(run.glob("*.part"))
