"""What gunicorn's three workers make of one Flask application."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from lab.about import Bound
from lab.settings import Settings


def in_turn(task: Callable[[], object], n: int) -> None:
    """Run `task` `n` times, one after another, in the thread that serves the request."""
    for _ in range(n):
        task()


def at_once(task: Callable[[], object], n: int) -> None:
    """Run `task` in `n` greenlets; the first error of any is raised."""
    import gevent

    greenlets = [gevent.spawn(task) for _ in range(n)]
    try:
        gevent.joinall(greenlets, raise_error=True)
    finally:
        gevent.killall(greenlets, block=False)


@dataclass(frozen=True)
class Model:
    """A worker class, what a waiting request occupies in it, and how one request fans out."""

    server: str
    kind: Literal["thread", "greenlet"]
    bound_by: Bound
    per_worker: Callable[[Settings], int]
    fanout: Literal["at once", "in turn"] = "in turn"
    run_all: Callable[[Callable[[], object], int], None] = in_turn
    packages: tuple[str, ...] = ("gunicorn", "psycopg")


MODELS = {
    "processes": Model("gunicorn sync", "thread", "workers", lambda _: 1),
    "threads": Model("gunicorn gthread", "thread", "threads", lambda settings: settings.threads),
    "greenlets": Model(
        "gunicorn gevent",
        "greenlet",
        "greenlets",
        lambda settings: settings.threads,
        fanout="at once",
        run_all=at_once,
        packages=("gunicorn", "psycopg", "gevent"),
    ),
}
