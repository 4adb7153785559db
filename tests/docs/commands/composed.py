"""The `docker compose` commands that pages name."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from loadtest.inventory.manifest import COMPOSE_FILE, read_compose
from tests.docs.commands.typed import pieces

_WORD = r"(?:'[^'\s]*'|[^\s'\"`&|;#]+)"
_COMMAND = re.compile(rf"((?:\b[A-Z][A-Z0-9_]*=\S+ +)*)\bdocker compose((?: +{_WORD})+)")
_VARIABLE = re.compile(r"\$\{(\w+)")
DECLARED = read_compose(COMPOSE_FILE, {})["services"]
PROFILES = {name for each in DECLARED.values() for name in each.get("profiles", ())}
READ = set(_VARIABLE.findall(COMPOSE_FILE.read_text(encoding="utf-8")))
# What tests/containers run of Compose, and `push`; with the options that pages use.
VERBS = {
    "build": set[str](),
    "down": {"--volumes"},
    "exec": set[str](),
    "pause": set[str](),
    "push": set[str](),
    "stop": set[str](),
    "unpause": set[str](),
    "up": {"-d", "--detach", "--wait", "--build", "--scale"},
}
_WITH_A_VALUE = {"--profile", "--scale"}


@dataclass(frozen=True)
class Composed:
    """`NAME=value docker compose --profile NAME verb OPTIONS SERVICES`."""

    verb: str
    profiles: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)

    def wrong(self) -> str:
        """Why the lab's compose file can't follow the command; empty where it can."""
        asked = [
            ("no such command as", {self.verb} - VERBS.keys()),
            ("there is no option", {*self.options} - VERBS.get(self.verb, set())),
            ("there is no profile", {*self.profiles} - PROFILES - {"*"}),
            ("there is no service", {*self.services} - DECLARED.keys()),
            ("docker-compose.yml reads no", self.environment.keys() - READ),
        ]
        return "; ".join(f"{why} {', '.join(sorted(what))}" for why, what in asked if what)


def composed(text: str) -> Iterator[Composed]:
    """Every such command of a page."""
    for code in pieces(text):
        for before, after in _COMMAND.findall(code):
            environment = dict(each.split("=", 1) for each in before.split())
            yield _read([each.strip("'") for each in after.split()], environment)


def _read(words: list[str], environment: Mapping[str, str]) -> Composed:
    given: dict[str, list[str]] = {name: [] for name in _WITH_A_VALUE}
    options, names = [], []
    # Behind the service of `exec` stands a command of the container's own.
    rest = iter(words[: words.index("exec") + 2] if "exec" in words else words)
    for word in rest:
        if word in given:
            given[word].append(next(rest))
        if word.startswith("-"):
            options.append(word)
        else:
            names.append(word)
    verb, *services = names or [""]
    return Composed(
        verb,
        tuple(given["--profile"]),
        tuple(each for each in options if each != "--profile"),
        (*services, *_scaled(given["--scale"])),
        environment,
    )


def _scaled(counts: list[str]) -> list[str]:
    """The services of `--scale service=number`."""
    return [each.partition("=")[0] for each in counts]
