"""The last verdict on each claim: from the newest run that has one."""

from __future__ import annotations

import json
from pathlib import Path

from loadtest.results import verdicts


def _write(results: Path, run: str, **found: str) -> None:
    (results / run).mkdir(parents=True)
    claims = [{"claim": claim, "verdict": verdict} for claim, verdict in found.items()]
    (results / run / "verdicts.json").write_text(json.dumps({"claims": claims}))


def test_the_newest_verdict_counts_and_not_measured_is_none(tmp_path: Path) -> None:
    _write(tmp_path, "1", C1="refuted", C4="refuted")
    _write(tmp_path, "2", C1="confirmed", C4="not measured")
    (tmp_path / "latest").symlink_to("2")
    assert verdicts.last(tmp_path) == {"C1": "confirmed, 2", "C4": "refuted, 1"}


def test_what_cannot_be_read_is_left_out(tmp_path: Path) -> None:
    _write(tmp_path, "1", C1="refuted")
    for run, text in (("2", "{"), ("3", "[]"), ("4", '{"claims": [1]}'), ("5", "\x00")):
        (tmp_path / run).mkdir()
        (tmp_path / run / "verdicts.json").write_text(text)
    (tmp_path / "6").mkdir()
    assert verdicts.last(tmp_path) == {"C1": "refuted, 1"}
    assert verdicts.last(tmp_path / "nowhere") == {}
