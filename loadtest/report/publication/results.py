"""docs/results.md and the README's table, as Markdown, from the report of a run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import pairwise

from loadtest.analysis.verdict import Claim
from loadtest.model.marks import MARKS
from loadtest.model.trial import Trial
from loadtest.report import conditions
from loadtest.report.report import Report
from loadtest.report.summary import limits_of, row

PAGE_NAME = "results.html"
FIELD_PAGE_NAME = "field.html"
FIELD_HEADING = "The rest of the field"
STOPPED_S = 120.0  # between two trials: no trial takes so long, with its restart


def markdown(report: Report, missing: Sequence[str]) -> str:
    """The whole page. `missing`: why the run is only a part of what the lab measures."""
    return "\n".join(_lines(report, missing)) + "\n"


def field(report: Report, missing: Sequence[str]) -> str:
    """The part of the page about the claims of PLAN=field, from a run of its own."""
    return "\n".join(_field_lines(report, missing))


def table(report: Report) -> str:
    """What the README shows: the claims, and where the rest is."""
    info = report.run.info
    later = [f"{each[:7]}," for each in info.get("resumed_at") or []]
    at = ", resumed at ".join([str(info.get("git_commit") or "")[:7], *later])
    return "\n".join(
        [
            *_table(
                ("taught", "measured", "verdict", "why"), [_short(claim) for claim in report.claims]
            ),
            "",
            f"One run at commit {at} on one machine: [all of it](docs/results.md).",
        ]
    )


def _lines(report: Report, missing: Sequence[str]) -> Iterator[str]:
    yield from ("# Results", "", "What did one run of the lab measure?", "")
    yield from _partial(missing)
    if report.answers:
        answers = [(each.condition, each.finding, each.reason or "–") for each in report.answers]
        yield from _table(("when", "measured", "reason"), answers)
        yield ""
    yield from ("## Each claim", "")
    yield from _claims(report, "the lesson says", PAGE_NAME)
    yield from ("## Under which conditions", "")
    yield from _conditions(report)
    yield "Written by `make publish`."


def _field_lines(report: Report, missing: Sequence[str]) -> Iterator[str]:
    yield from (
        f"## {FIELD_HEADING}",
        "",
        "Servers, Flask's own `async def`, streaming, HTTP/2.",
        "",
    )
    yield from _partial(missing)
    yield from _claims(report, "people say", FIELD_PAGE_NAME)
    yield from ("### Under which conditions", "")
    yield from _conditions(report)
    yield "Written by `make publish` from a run of `PLAN=field`."


def _partial(missing: Sequence[str]) -> Iterator[str]:
    if missing:
        yield from ("This run is partial:", "", *(f"- {each}" for each in missing), "")


def _claims(report: Report, who: str, page: str) -> Iterator[str]:
    headers = (who, "measured", "verdict", "why", "command", "minutes")
    claims = [(*_short(claim), *_cost(report, claim)) for claim in report.claims]
    yield from _table(headers, claims)
    yield from ("", f"Charts, intervals and every check: [the page of this run]({page}).", "")


def _conditions(report: Report) -> Iterator[str]:
    notices = [(each.word.rstrip("."), each.text) for each in report.notices]
    notices += [("Condition", each) for each in report.conditions]
    notices += [("Noticed", each) for each in conditions.noticed(report.run)]
    yield from _table(("what", "here"), [*notices, *conditions.facts(report.run).rows])
    yield from ("", limits_of(report), "")


def _table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return [row(*headers), row(*("---" for _ in headers)), *(row(*each) for each in rows)]


def _short(claim: Claim) -> tuple[str, ...]:
    verdict = f"{MARKS[claim.word]} {claim.word}"
    return (f"{claim.claim}: {claim.statement}", claim.measured, verdict, claim.why or "–")


def _cost(report: Report, claim: Claim) -> tuple[str, str]:
    """The command that measures the claim again, and the minutes that it took."""
    run = report.run
    parts = [f"make compare EXPERIMENTS={claim.experiment}"]
    parts += [f"{name}={run.info[key]}" for name, key in _ASKED if run.info.get(key) is not None]
    return f"`{' '.join(parts)}`", _minutes(run.all.get(claim.experiment, []))


_ASKED = (("PLAN", "plan"), ("BUDGET", "budget"), ("SEED", "seed"))


def _minutes(trials: Sequence[Trial]) -> str:
    """From the first window to the last, reruns included, without what a run was stopped for."""
    begins = sorted(datetime.fromisoformat(trial.result.started_at) for trial in trials)
    if not begins:
        return "0"
    gaps_s = [(after - before).total_seconds() for before, after in pairwise(begins)]
    minutes = (sum(each for each in gaps_s if each < STOPPED_S) + trials[-1].result.duration_s) / 60
    return f"{minutes:.0f}" if minutes >= 0.95 else f"{minutes:.1f}"
