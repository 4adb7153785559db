"""A lesson from its command to its answer, with services that really run."""

from __future__ import annotations

from pathlib import Path

from tests.native.commands.conftest import Shell, of_one

PAGE = """# 1. A service waits

**Question.** How long?

```sh
make compare EXPERIMENTS={experiment} SERVICES=fastapi-async ROUNDS=3
```

<!-- figures experiment=tiny measure=goodput_rps -->
<!-- end -->
"""
CRITERION = """
[[criteria]]
says = "it answers at all"
service = "fastapi-async"
level = "4 connections"
value_at_least = 1.0
"""
PROGRAM = """\
import sys
from pathlib import Path
from loadtest import cli
from loadtest.report.lessons import lesson
lesson.LESSONS = Path(sys.argv.pop(1))
sys.argv[0] = "loadtest"
cli.main()
"""


def test_a_lesson_shows_its_command_runs_it_and_answers(shell: Shell, tmp_path: Path) -> None:
    tiny = tmp_path / "tiny.toml"
    tiny.write_text(of_one("fastapi-async") + CRITERION)
    (tmp_path / "1-one.md").write_text(PAGE.format(experiment=tiny))
    done = shell.run(str(tmp_path), "lesson", "1", "--busy", "accept", program=("-c", PROGRAM))
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert lines[:2] == [
        "1. A service waits: How long?",
        f"$ make compare EXPERIMENTS={tiny} SERVICES=fastapi-async ROUNDS=3",
    ]
    end = lines[lines.index("Lesson 1 asked: How long?") :]
    assert any(line.split()[:1] == ["fastapi-async"] for line in end)
    [answer] = [line for line in end if line.startswith("Answer: ")]
    assert answer.startswith("Answer: 4 clients at once, each waits 20 ms in Postgres: measured")
    assert shell.record()["rounds"] == 3
