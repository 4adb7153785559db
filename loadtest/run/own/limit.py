"""How many requests services of the user's own may get, and how many they got."""

from __future__ import annotations

from loadtest.errors import LabError
from loadtest.model.counts import were


class EnoughAsked(LabError):
    """As many requests were sent as may be."""


class RequestLimit:
    """`most` in all, whoever sends them; None: there is no limit."""

    def __init__(self, most: int | None) -> None:
        self.most = most
        self.sent = 0
        self._guessed = False

    @property
    def left(self) -> int | None:
        """How many may still be sent."""
        return None if self.most is None else max(0, self.most - self.sent)

    def require(self, coming: float = 1) -> None:
        """Raise EnoughAsked where there is no room for so many more."""
        if self.most is not None and self.sent + coming > self.most:
            sent = f"{'up to ' if self._guessed else ''}{were(self.sent, 'request')} sent"
            raise EnoughAsked(
                f"{sent}, and no more than {self.most:,} may be; "
                "allow more with --requests (in a file: requests_at_most), or ask for fewer rounds"
            )

    def take_one(self) -> None:
        """One request is about to be sent, if it may be."""
        self.require()
        self.sent += 1

    def guess(self, at_most: float) -> None:
        """A load broke off before it told what it had sent: all that it can have counts."""
        self.sent += round(at_most if self.left is None else min(at_most, self.left))
        self._guessed = True
