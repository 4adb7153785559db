"""Each command on a page is one that there is, and what it would run can be planned."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import pytest

from loadtest.errors import LabError
from loadtest.inventory import budgets, free_threaded, manifest
from loadtest.plan import plans
from loadtest.plan.plans import Options
from loadtest.report.lessons import lesson
from tests.docs.commands.composed import PROFILES
from tests.docs.commands.typed import TAKES, TARGETS, Typed, blocks, commands
from tests.docs.pages import name, pages

# Read as history, with names that were.
PAGES = [page for page in pages() if page.name != "CHANGELOG.md"]
Values = tuple[tuple[str, str], ...]
OPEN = ("…", "mine.toml", "$")  # a reader has to fill it in


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_what_a_page_says_to_type_can_be_run(page: Path) -> None:
    assert [f"{each}: {why}" for each in commands(page.read_text()) if (why := wrong(each))] == []


def wrong(typed: Typed) -> str:
    """Why the command can't be run; empty where it can, or where a reader has to fill it in."""
    if typed.target not in TARGETS:
        return "no such target"
    if unknown := typed.variables.keys() - TAKES.get(typed.target, set()) - {"PYTHON"}:
        return f"takes no {', '.join(unknown)}"
    if any(sign in value for value in typed.variables.values() for sign in OPEN):
        return ""
    if (profile := typed.variables.get("PROFILE")) and profile not in PROFILES:
        return f"there is no profile {profile}"
    before, after = tuple(typed.environment.items()), tuple(typed.variables.items())
    return refused(typed.target, before, after)


@cache  # many pages name the same
def refused(target: str, before: Values, after: Values) -> str:
    """Why the lab can't plan the command, with what stands before it in its environment."""
    with pytest.MonkeyPatch.context() as patch:
        for variable, value in before:
            patch.setenv(variable, value)
        # What a machine lacks for an experiment, as a second core, is no mistake of a page.
        patch.setattr(free_threaded, "lacking", lambda *_: "")
        try:
            plan(target, dict(after))
        except LabError as error:
            return str(error)
    return ""


def plan(target: str, given: Mapping[str, str]) -> None:
    """Plan what the command would do with the lab's services. Raises LabError where it can't be."""
    if target == "compare" and "RESUME" not in given:
        plans.prepare(
            Options(
                seed=1,
                plan=given.get("PLAN", "quick"),
                experiments=tuple(given.get("EXPERIMENTS", "").split()),
                services=tuple(given.get("SERVICES", "").split()),
                budget=given.get("BUDGET", "typical"),
                rounds=int(given["ROUNDS"]) if "ROUNDS" in given else None,
                backend="compose",  # where nothing is left out that can't be built here
            )
        )
    if target == "lesson" and "LESSON" in given:
        lesson.choose(lesson.read_all(), given["LESSON"])
    if target in ("live", "up"):
        variables = budgets.variables(given.get("BUDGET", "typical"))
        services = manifest.load(variables=variables)
        profile = given.get("PROFILE", "")
        begun = [
            name for name, each in services.items() if each.central or profile in each.profiles
        ]
        chosen = manifest.choose(services, given.get("SERVICES", "").split() or begun)
        budgets.check(chosen.values(), budgets.max_connections(variables))


def test_a_command_is_read_as_it_is_typed() -> None:
    text = """Try `make live`, or

```sh
A_B=1 make compare \\
  SERVICES="x y" ROUNDS=4  # four
make  # nothing
```
"""
    live, compare = commands(text)
    assert (live.target, live.variables) == ("live", {})
    assert (compare.environment, compare.target) == ({"A_B": "1"}, "compare")
    assert compare.variables == {"SERVICES": "x y", "ROUNDS": "4"}


def test_what_stands_in_blocks_is_a_command_a_line() -> None:
    text = """Not `make test`, nor what the build fills in.

<!-- code a=x -->
```sh
make=up
```
<!-- end -->

```sh
A_B=1 make live \\
  SERVICES="x y"  # two

# Then:
make up
```
"""
    live, up = blocks(text)
    assert live == Typed({"A_B": "1"}, "live", {"SERVICES": "x y"})
    assert live.line == "make live 'SERVICES=x y'"
    assert up == Typed({}, "up", {})
    with pytest.raises(ValueError, match="no command of make: cd lab"):
        list(blocks("```sh\ncd lab\n```\n"))


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        (Typed({}, "compare", {"EXPERIMENTS": "speed"}), "unknown experiment 'speed'"),
        (Typed({}, "compare", {"SPEED": "3"}), "takes no SPEED"),
        (Typed({}, "race", {}), "no such target"),
        (Typed({}, "up", {"PROFILE": "most"}), "there is no profile most"),
        (Typed({}, "lesson", {"LESSON": "9"}), "there is no lesson '9'"),
        (Typed({"FLASK_GTHREAD_THREADS": "14"}, "live", {}), "14 threads share a pool of 4"),
    ],
    ids=str,
)
def test_a_command_that_cannot_be_is_named(typed: Typed, why: str) -> None:
    assert why in wrong(typed)
