"""The `make` commands that pages name, in blocks of code and within a line."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from markdown_it import MarkdownIt
from markdown_it.token import Token

from tests.docs.pages import ROOT, own

_PARSER = MarkdownIt("commonmark").enable("table")
_VALUE = r"(?:\"[^\"]*\"|'[^']*'|[^\s\"']+)"
_NAME = r"[a-z](?:[a-z0-9-]*[a-z0-9])?(?![\w-])"
_COMMAND = re.compile(
    rf"((?:\b[A-Z][A-Z0-9_]*={_VALUE} +)*)\bmake +({_NAME})((?: +[A-Z]+={_VALUE})*)"
)
_TARGET = re.compile(r"^([a-z][a-z0-9-]*):", re.MULTILINE)
_TAKES = re.compile(r"^TAKES_(\S+) := (.*)$", re.MULTILINE)
_MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
TARGETS = set(_TARGET.findall(_MAKEFILE))
TAKES = {target: set(names.split()) for target, names in _TAKES.findall(_MAKEFILE)}


@dataclass(frozen=True)
class Typed:
    """`NAME=value make target VARIABLE=value`: the environment before it, the variables after."""

    environment: Mapping[str, str]
    target: str
    variables: Mapping[str, str]

    def __str__(self) -> str:
        """As it is typed, without the values."""
        return " ".join([*self.environment, "make", self.target, *self.variables])

    @property
    def line(self) -> str:
        """The command alone, without what stands before it."""
        given = [f"{name}={value}" for name, value in self.variables.items()]
        return shlex.join(["make", self.target, *given])


def commands(text: str) -> Iterator[Typed]:
    """Every command of a page; a line may go on after a backslash."""
    for code in pieces(text):
        for found in _COMMAND.finditer(code):
            yield _typed(found)


def blocks(text: str) -> Iterator[Typed]:
    """What a page's own blocks of code have a reader type, a command a line.

    Raises ValueError for a line that is none.
    """
    fences = (each for each in _PARSER.parse(own(text)) if each.type == "fence")
    for code in (_joined(each.content) for each in fences if each.info == "sh"):
        for line in filter(None, (each.partition("#")[0].strip() for each in code.splitlines())):
            found = _COMMAND.fullmatch(line)
            if found is None:
                raise ValueError(f"no command of make: {line}")
            yield _typed(found)


def pieces(text: str) -> Iterator[str]:
    """Every piece of code of a page; a line that goes on after a backslash is one."""
    return map(_joined, _code(_PARSER.parse(text)))


def _code(tokens: list[Token]) -> Iterator[str]:
    for token in tokens:
        if token.type in ("fence", "code_inline", "code_block"):
            yield token.content
        yield from _code(token.children or [])


def _joined(code: str) -> str:
    return code.replace("\\\n", " ")


def _typed(found: re.Match[str]) -> Typed:
    before, target, after = found.groups()
    return Typed(_values(before), target, _values(after))


def _values(text: str) -> dict[str, str]:
    return {name: value for name, _, value in (each.partition("=") for each in shlex.split(text))}
