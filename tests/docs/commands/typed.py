"""The `make` commands that pages name, in blocks of code and within a line."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from markdown_it import MarkdownIt
from markdown_it.token import Token

from tests.docs.pages import ROOT

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


def commands(text: str) -> Iterator[Typed]:
    """Every command of a page; a line may go on after a backslash."""
    for code in _code(_PARSER.parse(text)):
        for before, target, after in _COMMAND.findall(code.replace("\\\n", " ")):
            yield Typed(_values(before), target, _values(after))


def _code(tokens: list[Token]) -> Iterator[str]:
    for token in tokens:
        if token.type in ("fence", "code_inline", "code_block"):
            yield token.content
        yield from _code(token.children or [])


def _values(text: str) -> dict[str, str]:
    return {name: value for name, _, value in (each.partition("=") for each in shlex.split(text))}
