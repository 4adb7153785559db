"""Each `docker compose` command on a page is one that the lab's compose file can follow."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.commands.composed import Composed, composed
from tests.docs.commands.test_commands import PAGES
from tests.docs.pages import ROOT, name


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_what_a_page_says_to_type_can_be_followed(page: Path) -> None:
    assert [f"{each}: {why}" for each in composed(page.read_text()) if (why := each.wrong())] == []


def test_teaching_and_the_fourth_lesson_have_such_commands() -> None:
    pages = (ROOT / "docs/teaching.md", ROOT / "docs/lessons/4-the-pool.md")
    found = [{each.verb for each in composed(page.read_text())} for page in pages]
    assert found == [{"build", "up", "stop"}, {"up"}]


def test_a_command_is_read_as_it_is_typed() -> None:
    text = """Type `docker compose`, or `A_B=1 docker compose --profile all up --wait go`, then

```sh
docker compose up --scale locust-worker=4   # more
time docker compose --profile '*' build && docker compose exec postgres psql -U lab
```
"""
    assert list(composed(text)) == [
        Composed("up", ("all",), ("--wait",), ("go",), {"A_B": "1"}),
        Composed("up", (), ("--scale",), ("locust-worker",)),
        Composed("build", ("*",)),
        Composed("exec", services=("postgres",)),
    ]


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        (Composed("start-all"), "no such command as start-all"),
        (Composed("up", ("most",)), "there is no profile most"),
        (Composed("stop", services=("flask", "go")), "there is no service flask"),
        (Composed("build", options=("--fast",)), "there is no option --fast"),
        (Composed("up", environment={"SPEED": "1"}), "docker-compose.yml reads no SPEED"),
    ],
    ids=lambda each: getattr(each, "verb", ""),
)
def test_a_command_that_cannot_be_is_named(typed: Composed, why: str) -> None:
    assert typed.wrong() == why
