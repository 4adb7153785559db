"""What the answer of an exercise works out: from the figures of a run, and never without them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from loadtest.report.lessons import build
from loadtest.report.lessons.board import NOT_YET, PageError
from loadtest.report.lessons.digest import Digest, Measured

PAGE = Path("docs/lessons/5-a.md")
SAVED = (
    '<!-- saved experiment=framework-ladder level=JSON services="fastapi-async starlette" '
    "of_us=2000 -->\n<!-- end -->"
)
AGAIN = (
    '<!-- again comparison=P4 level="100 clients, 40 threads" service=fastapi-async -->\n'
    "<!-- end -->"
)
P4 = {
    "where": "here",
    "missing": [],
    "comparisons": {
        "P4": {
            "verdict": "confirmed",
            "ratios": [
                {
                    "level": "100 clients, 40 threads",
                    "service": "fastapi-async",
                    "value": 2.56,
                    "low": 2.42,
                    "high": 2.69,
                    "rounds": 3,
                }
            ],
        }
    },
}


def run_of(**rps: float) -> Digest:
    return Digest(
        budget="typical",
        figures=tuple(
            Measured("framework-ladder", "JSON", name, "goodput_rps", rate, rate, rate, 3, "")
            for name, rate in rps.items()
        ),
    )


def test_a_full_core_s_second_is_divided_among_its_requests() -> None:
    run = run_of(**{"asgi-raw": 40_000, "starlette": 20_000, "fastapi-async": 10_000})
    lines = build.filled(SAVED, PAGE, [run]).splitlines()
    assert lines[2:7] == [
        "| service | 1 second ÷ requests a second |",
        "| --- | ---: |",
        "| `fastapi-async` | 100 µs |",
        "| `starlette` | 50.0 µs |",
        "| difference | 50.0 µs, 2.5 % of 2 ms |",
    ]


@pytest.mark.parametrize("rps", [{}, {"starlette": 20_000.0}])
def test_without_both_figures_nothing_is_worked_out(rps: dict[str, float]) -> None:
    assert NOT_YET in build.filled(SAVED, PAGE, [run_of(**rps)])


def test_a_published_comparison_is_told_as_it_came_out_here(tmp_path: Path) -> None:
    assert NOT_YET in build.filled(AGAIN, PAGE, [], tmp_path)
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/published.json").write_text(json.dumps(P4))
    told = build.filled(AGAIN, PAGE, [], tmp_path)
    assert "The lab took it again: `fastapi-async` ÷ `fastapi-sync` 2.6 × (2.4–2.7)." in told


@pytest.mark.parametrize(
    ("mark", "why"),
    [
        (AGAIN.replace("P4", "P99"), "there is no comparison 'P99'"),
        (AGAIN.replace("40 threads", "4 threads"), "P4 has no level '100 clients, 4 threads'"),
        (AGAIN.replace(" service=fastapi-async", ""), "give comparison=, level=, service="),
        (SAVED.replace("of_us", "of"), "give experiment=, level=, services=, of_us="),
    ],
)
def test_a_wrong_mark_is_named_with_its_page(mark: str, why: str) -> None:
    with pytest.raises(PageError, match=r"docs/lessons/5-a\.md: <!-- ") as refused:
        build.filled(mark, PAGE, [])
    assert why in str(refused.value)
