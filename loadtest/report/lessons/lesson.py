"""A lesson, as its page has it: a number, a question, a command and tables of figures."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

from loadtest.plan.plans import Options
from loadtest.report.lessons.board import Board, PageError, board
from loadtest.system.paths import ROOT

LESSONS = ROOT / "docs" / "lessons"
_FIGURES_MARK = re.compile(r"^<!-- figures (.*) -->$", re.MULTILINE)
_TITLE = re.compile(r"^# (\d+)\. (.+)$", re.MULTILINE)
_QUESTION = re.compile(r"^\*\*Question\.\*\* (.+?)\n\n", re.MULTILINE | re.DOTALL)
_STAYS = re.compile(r"^\*\*What stays:\*\* (.+?)\n\n", re.MULTILINE | re.DOTALL)
_EXERCISE = "\n## Exercise\n"
_COMMAND = re.compile(r"^(make compare .*?)(?: +#.*)?$", re.MULTILINE)
# The variables of `make compare` that a lesson may set, as options of a run.
_OPTION_OF = {
    "EXPERIMENTS": "experiments",
    "SERVICES": "services",
    "BUDGET": "budget",
    "ROUNDS": "rounds",
    "PLAN": "plan",
}


@dataclass(frozen=True)
class Lesson:
    """One page of docs/lessons. `command` is the page's own, for a shell in the clone.

    `stays` is the sentence that the page ends its reasons with.
    """

    number: int
    title: str
    question: str
    command: str
    path: Path
    boards: tuple[Board, ...]
    stays: str = ""

    @property
    def page(self) -> str:
        """Where it is, from the clone's folder."""
        return str(self.path.relative_to(ROOT)) if ROOT in self.path.parents else str(self.path)

    def options(self, seed: int) -> Options:
        """What the page's command asks for."""
        words = shlex.split(self.command)[2:]
        given = {name: value for name, _, value in (word.partition("=") for word in words)}
        if unknown := given.keys() - _OPTION_OF.keys():
            raise PageError(f"{self.page}: a lesson's command takes no {', '.join(unknown)}=")
        chosen = {_OPTION_OF[name]: value for name, value in given.items()}
        return Options(
            seed=seed,
            plan=chosen.get("plan", "quick"),
            experiments=tuple(_placed(name) for name in chosen.get("experiments", "").split()),
            services=tuple(chosen.get("services", "").split()),
            budget=chosen.get("budget", "typical"),
            rounds=int(chosen["rounds"]) if "rounds" in chosen else None,
        )


def _placed(name: str) -> str:
    """An experiment's name; a file is of the clone, wherever the command is given."""
    return str(ROOT / name) if name.endswith(".toml") else name


def read_all(folder: Path | None = None) -> dict[int, Lesson]:
    """Every lesson of docs/lessons, by its number. Raises PageError where there is none."""
    folder = folder or LESSONS
    pages = sorted(folder.glob("[0-9]*.md"), key=lambda page: int(page.name.partition("-")[0]))
    if not pages:
        raise PageError(f"{folder}: holds no lesson; run this in a clone of the lab")
    found = [read(page) for page in pages]
    return {each.number: each for each in found}


def read(page: Path) -> Lesson:
    """The lesson of a page. Raises PageError where the page lacks a part."""
    text = page.read_text(encoding="utf-8")
    title, question, command = (each.search(text) for each in (_TITLE, _QUESTION, _COMMAND))
    if not (title and question and command):
        raise PageError(f"{page}: a lesson needs '# 1. Title', '**Question.** …' and make compare")
    asking = text.partition(_EXERCISE)[0]  # figures behind it would give its answer away
    boards = tuple(_board(words, page) for words in _FIGURES_MARK.findall(asking))
    stays = _STAYS.search(text)
    asked, kept = (" ".join(each[1].split()) if each else "" for each in (question, stays))
    return Lesson(int(title[1]), title[2], asked, command[1].strip(), page, boards, kept)


def _board(words: str, page: Path) -> Board:
    return board(dict(each.partition("=")[::2] for each in shlex.split(words)), page.name)


def choose(lessons: dict[int, Lesson], number: str) -> Lesson:
    """The lesson of that number; PageError says which there are."""
    if number.isascii() and number.isdigit() and int(number) in lessons:
        return lessons[int(number)]
    raise PageError(f"there is no lesson {number!r}; there are {min(lessons)} to {max(lessons)}")
