"""How many users a load has that changes by itself: pure arithmetic on time and right answers."""

from __future__ import annotations

STEP_S = 10.0
GROWTH = 1.5
WORTHWHILE = 1.05  # goodput has to rise by 5 % for another step
PATIENCE = 2  # steps in a row without it


class Steps:
    """Half as many users again every ten seconds, from `first` to `most`; then it stops."""

    def __init__(self, first: int, most: int) -> None:
        self._users, self._most = min(first, most), most
        self._since = 0.0

    def users(self, now: float, answered: int) -> int | None:  # noqa: ARG002
        """How many there are `now` seconds and `answered` requests in; None is the end."""
        if now - self._since >= STEP_S:
            if self._users >= self._most:
                return None
            self._since = now
            self._users = grown(self._users, self._most)
        return self._users


class KneeSearch:
    """More users while that brings more right answers; then it holds the load where it paid.

    It never ends by itself: the knee is there to be looked at. With one service at a time it is
    that service's knee, with several the knee of their sum.
    """

    def __init__(self, first: int, most: int) -> None:
        self._users, self._most = min(first, most), most
        self._best_users, self._best_rps, self._in_vain = self._users, 0.0, 0
        self._since, self._answered_then = 0.0, 0
        self._found = False

    def users(self, now: float, answered: int) -> int | None:
        """How many there are `now` seconds and `answered` requests in."""
        elapsed = now - self._since
        if not self._found and elapsed >= STEP_S:
            self._judge((answered - self._answered_then) / elapsed)
            self._since, self._answered_then = now, answered
        return self._users

    def _judge(self, goodput_rps: float) -> None:
        if goodput_rps > self._best_rps * WORTHWHILE:
            self._best_rps, self._best_users, self._in_vain = goodput_rps, self._users, 0
        else:
            self._in_vain += 1
        self._found = self._in_vain == PATIENCE or self._users >= self._most
        self._users = self._best_users if self._found else grown(self._users, self._most)


def grown(users: int, most: int) -> int:
    """Half as many users again, at least one more, `most` at most."""
    return min(max(int(users * GROWTH), users + 1), most)
