"""A lesson from its command to its answer, with services that really run."""

from __future__ import annotations

from pathlib import Path

from tests.native.commands.conftest import EXPERIMENT, Shell

PAGE = """# 1. Two services wait

**Question.** Which one waits?

```sh
make compare EXPERIMENTS={experiment} ROUNDS=3
```

<!-- figures experiment=tiny measure=goodput_rps -->
<!-- end -->
"""
CRITERION = """
[[criteria]]
says = "one answers less"
service = "flask-sync"
level = "4 connections"
ratio_at_most = 0.9
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
    tiny.write_text(EXPERIMENT + CRITERION)
    (tmp_path / "1-two.md").write_text(PAGE.format(experiment=tiny))
    done = shell.run(str(tmp_path), "lesson", "1", "--busy", "accept", program=("-c", PROGRAM))
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert lines[:2] == [
        "1. Two services wait: Which one waits?",
        f"$ make compare EXPERIMENTS={tiny} ROUNDS=3",
    ]
    end = lines[lines.index("Lesson 1 asked: Which one waits?") :]
    assert any(line.split()[:1] == ["flask-sync"] for line in end)
    [answer] = [line for line in end if line.startswith("Answer: ")]
    assert "4 clients at once" in answer
    assert shell.record()["rounds"] == 3
