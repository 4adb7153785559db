"""Counts as text: one trial, two trials."""

from __future__ import annotations

_AS_ES = ("s", "x", "ch", "sh")


def number_of(count: int, noun: str) -> str:
    """`1 trial`, `2,000 trials`, `3 processes`."""
    plural = noun + ("es" if noun.endswith(_AS_ES) else "s")
    return f"{count:,} {noun if count == 1 else plural}"


def agree(count: int, one: str, many: str) -> str:
    """The word that goes with the count: `agree(1, "stays", "stay")` is `stays`."""
    return one if count == 1 else many


def were(count: int, noun: str) -> str:
    """`1 packet was`, `2 packets were`."""
    return f"{number_of(count, noun)} {agree(count, 'was', 'were')}"
