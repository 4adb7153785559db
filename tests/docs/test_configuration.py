"""docs/configuration.md has every variable, with its default, and no other."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pytest

from loadtest.inventory import manifest
from loadtest.system import environment
from tests.docs import variables
from tests.docs.pages import ROOT

TEXT = (ROOT / "docs" / "configuration.md").read_text()
LINE = re.compile(r"^\| `([A-Z][A-Z0-9_]*)` \| ([^|]*) \| ([^|]*)\| ([^|]*) \|$", re.MULTILINE)
PREFIX = "NAME_"  # stands for the name of each service


@dataclass(frozen=True)
class Entry:
    """A line of the page's tables."""

    name: str
    default: str
    places: tuple[str, ...]


ENTRIES = [
    Entry(name, default.strip().strip("`"), tuple(re.findall(r"`([^`]+)`", places)))
    for name, _, default, places in LINE.findall(TEXT)
]
CONFIGURABLE = {name for name, *_ in LINE.findall(TEXT.partition("## Set by the lab itself")[0])}
FOUND = variables.found()
SERVICES = {name.upper().replace("-", "_") for name in manifest.load(variables={})}


def described(variable: str) -> str:
    """How the page names a variable: each service has those that begin with its name."""
    for service in sorted(SERVICES, key=len, reverse=True):
        if variable.startswith(f"{service}_"):
            return PREFIX + variable.removeprefix(f"{service}_")
    return variable


def places(entry: Entry) -> set[str]:
    return {
        path for name, paths in FOUND.items() if described(name) == entry.name for path in paths
    }


def test_every_variable_is_on_the_page() -> None:
    missing = {described(name): sorted(paths) for name, paths in FOUND.items()}
    for entry in ENTRIES:
        missing.pop(entry.name, None)
    assert not missing


def test_every_variable_on_the_page_is_read() -> None:
    assert [entry.name for entry in ENTRIES if not places(entry)] == []


def test_no_variable_stands_twice_on_the_page() -> None:
    assert len({entry.name for entry in ENTRIES}) == len(ENTRIES)


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_it_is_read_where_the_page_says(entry: Entry) -> None:
    assert entry.places
    for place in entry.places:
        assert any(path == place or path.startswith(f"{place}/") for path in places(entry)), place


def test_defaults_are_those_of_compose() -> None:
    declared = variables.compose_defaults()
    for entry in ENTRIES:
        if entry.name in CONFIGURABLE and (default := declared.get(entry.name)):
            assert entry.default == default, entry.name


SECTION = TEXT.partition("## What counts")[2].partition("\n## ")[0]
TABLES = [
    set(re.findall(r"`([^`]+)`", part)) for part in re.findall(r"(?:^\|.*\n)+", SECTION, re.M)
]


def test_the_page_names_what_reaches_programs() -> None:
    counts, _, builds = TABLES
    services = {"docker-compose.yml", "LAB_", "node", "go"}
    expected = {*environment.EVERYWHERE, *environment.TERMINAL, *environment.SERVICE}
    expected |= set(environment.CERTIFICATES)
    assert counts == expected | services
    assert builds == {*environment.BUILDS, *environment.NPM, "npm_config_registry", "//", "@"}


def test_what_the_page_says_counts_for_nothing_reaches_nobody() -> None:
    named = {name for name in TABLES[1] if name.isupper()}
    assert len(named) > 30
    given = dict.fromkeys(named, "the user's")
    found = environment.own(given, ())
    assert "the user's" not in found.values()
