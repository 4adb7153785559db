"""Counting of WSGI answers that are made while they are sent: streams."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any


class Lasting:
    """Parts of an answer; `ended` is called once, when the server closes them.

    The server does so behind the last part, and also where the client has left before (PEP 3333).
    """

    def __init__(self, parts: Iterable[bytes], ended: Callable[[], None]) -> None:
        self._parts, self._ended = parts, ended

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._parts)

    def close(self) -> None:
        """End what makes the parts, then count."""
        ended, self._ended = self._ended, _nothing
        try:
            close: Any = getattr(self._parts, "close", None)
            if close is not None:
                close()
        finally:
            ended()


def _nothing() -> None:
    """It has been counted."""
