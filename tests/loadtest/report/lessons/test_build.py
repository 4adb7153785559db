"""What a page takes from elsewhere stands between its marks; a wrong mark is named."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.report import report
from loadtest.report.lessons import board, build, digest, snippets
from loadtest.report.lessons.board import PageError
from loadtest.report.lessons.digest import Digest, Measured, Verdict
from loadtest.results.runs import RunError
from tests.synthetic import experiment, trials_of, write_run

PAGE = Path("docs/lessons/1-a.md")
FIGURES = (
    '<!-- figures experiment=blocked-threads measure=goodput_rps level="128 connections" {}-->'
)
CODE = "<!-- code fastapi-async=services/fastapi/fastapi_services/{} -->"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Digest:
    folder = tmp_path_factory.mktemp("run")
    write_run(folder, [experiment()], trials_of([experiment()]))
    return digest.digest(report.load(folder), "results.md")


def page(mark: str) -> str:
    return f"Before.\n\n{mark}\nolder\n<!-- end -->\n\nAfter.\n"


def test_figures_stand_beside_their_prediction_with_verdict_and_origin(run: Digest) -> None:
    text = build.filled(page(FIGURES.format("claim=C1 ")), PAGE, [run])
    lines = text.splitlines()
    assert "| service | slots ÷ wait | requests/s | 95 % interval |" in lines
    [row] = [line for line in lines if line.startswith("| `fastapi-async` |")]
    predicted, measured, interval = (cell.strip() for cell in row.split("|")[2:5])
    low, high = map(float, interval.split("–"))
    assert low < float(measured) < high
    assert float(predicted) == pytest.approx(399)
    assert "| C1: A waiting thread does nothing else. | ✔ confirmed |" in text
    assert (
        "Measured at commit `0123456`, budget `typical`: [the whole run](../results.md)." in lines
    )
    assert text.startswith("Before.\n\n<!-- figures ")
    assert text.endswith("<!-- end -->\n\nAfter.\n")
    assert "older" not in text


def test_a_figure_is_rounded_once_as_in_the_verdict_beside_it() -> None:
    """58.053 ms is 58.05 in the digest, and that would be 58.0; the report tells 58.1."""
    told = "32.3 ms at the 99th percentile (18.0–58.1)"
    found = Measured("e", "l", "s", "p99_ms", 32.3, 17.97, 58.05, 8, told)
    assert (board.value_of(found), board.interval_of(found)) == ("32.3", "18.0–58.1")
    below = replace(found, text="−3.0 ms over (−4.0 to 1.0)")
    assert (board.value_of(below), board.interval_of(below)) == ("−3.0", "−4.0 to 1.0")
    few = replace(found, rounds=1, text="32.3 ms (1 round, too few for an interval)")
    assert (board.value_of(few), board.interval_of(few)) == ("32.3", "1 round, too few")


def test_a_table_can_have_all_levels_and_only_some_services(run: Digest) -> None:
    mark = "<!-- figures experiment=blocked-threads measure=goodput_rps services=flask-sync -->"
    text = build.filled(page(mark), PAGE, [run])
    assert "| at | service |" in text
    assert text.count("| `flask-sync` |") == 4
    assert "fastapi-async" not in text


@pytest.mark.parametrize("budget", ["typical", "equal-slots"])
def test_what_no_run_has_is_not_measured_yet(run: Digest, budget: str) -> None:
    runs = [] if budget == "typical" else [run]
    text = build.filled(page(FIGURES.format(f"budget={budget} ")), PAGE, runs)
    assert board.NOT_YET in text
    assert (board.NOT_MEASURED in text) == (budget == "typical")


def test_filling_in_twice_changes_nothing_more(run: Digest) -> None:
    both = page(FIGURES.format("")) + page(CODE.format("async_app.py:cpu"))
    once = build.filled(both, PAGE, [run])
    assert build.filled(once, PAGE, [run]) == once


def test_code_is_that_of_the_file_with_its_decorators() -> None:
    text = build.filled(page(CODE.format("sync_app.py:SESSIONS,cpu")), PAGE, [])
    code = text.partition("```python\n")[2].partition("\n```")[0]
    assert code.startswith("SESSIONS = ")
    assert '\n\n\n@app.get("/cpu"' in code
    assert code.endswith("result=work.compute(n))")
    assert "[fastapi-async](../../services/fastapi/fastapi_services/sync_app.py)" in text


def test_a_method_loses_its_margin() -> None:
    code = snippets.taken("services/common/lab/postgres/evented.py", ["row"], "page")
    assert code.startswith("async def row(")
    assert "\n    async with self.connection()" in code


def test_of_settings_those_lines_are_taken_that_begin_so() -> None:
    code = snippets.taken("budgets/equal-slots.env", ["FLASK_GTHREAD_"], "page")
    assert code.splitlines()[0] == "FLASK_GTHREAD_WORKERS=1"
    assert all(line.startswith("FLASK_GTHREAD_") for line in code.splitlines())


@pytest.mark.parametrize(
    ("mark", "why"),
    [
        (CODE.format("nowhere.py:cpu"), "nowhere.py: no such file"),
        (CODE.format("async_app.py:nothing"), "async_app.py has no 'nothing'"),
        ("<!-- figures experiment=blocked-threads measure=speed -->", "a measure that exists"),
        ("<!-- figures measure=goodput_rps -->", "needs experiment="),
        (FIGURES.format("size=3 "), "unknown size="),
    ],
)
def test_a_wrong_mark_is_named_with_its_page(mark: str, why: str) -> None:
    with pytest.raises(PageError, match=r"docs/lessons/1-a\.md") as refused:
        build.filled(page(mark), PAGE, [])
    assert why in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_mark_without_an_end_is_named() -> None:
    with pytest.raises(PageError, match="a mark without <!-- end -->"):
        build.filled(FIGURES.format("") + "\n\nMore.\n", PAGE, [])


WORDS = st.text(max_size=12)
VALUES = st.floats(min_value=-1e9, max_value=1e9)
FIGURE = st.builds(
    Measured, WORDS, WORDS, WORDS, WORDS, VALUES, VALUES, VALUES, st.integers(0, 99), WORDS,
    st.none() | VALUES,
)  # fmt: skip
VERDICT = st.builds(Verdict, WORDS, WORDS, WORDS, WORDS, WORDS, WORDS)
DIGEST = st.builds(
    Digest,
    WORDS,
    WORDS,
    WORDS,
    WORDS,
    st.lists(FIGURE, max_size=3).map(tuple),
    st.lists(VERDICT, max_size=3).map(tuple),
)


@given(runs=st.lists(DIGEST, max_size=3))
def test_what_is_written_is_read_again(
    runs: list[Digest], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("digest") / "results.jsonl"
    path.write_text(digest.text(runs), encoding="utf-8")
    assert digest.read(path) == runs


@pytest.mark.parametrize("line", ["{", "[]", '{"figure": {}}', '{"run": {"speed": 3}}', "3"])
def test_a_file_that_is_none_is_named_with_its_line(tmp_path: Path, line: str) -> None:
    path = tmp_path / "results.jsonl"
    path.write_text('{"run": {"budget": "typical"}}\n' + line + "\n")
    with pytest.raises(RunError, match=r"results\.jsonl:2: no line of a digest"):
        digest.read(path)
