"""gunicorn's gevent worker, made to stop as its gthread worker does.

Its own waits for every kept connection until the graceful timeout, though nobody asks on it.
"""

from __future__ import annotations

from types import FrameType, TracebackType

import gevent
from gunicorn.workers.ggevent import GeventWorker

from lab import internals

internals.check(__name__)

LINGER_S = 2.0
"""How long a stopping worker still reads from kept connections, as gunicorn's gthread does."""


class Worker(GeventWorker):  # type: ignore[misc]
    """Lets go of idle kept connections when it is told to stop."""

    _idle: set[_Idle]

    def init_process(self) -> None:
        self._idle = set()
        super().init_process()

    def timeout_ctx(self) -> _Idle:
        """gunicorn's limit on the wait for a connection's next request."""
        return _Idle(self.cfg.keepalive if self.alive else LINGER_S, self._idle)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        super().handle_exit(sig, frame)
        gevent.spawn_later(LINGER_S, self._let_go)

    def _let_go(self) -> None:
        for idle in tuple(self._idle):
            gevent.kill(idle.greenlet, idle)


class _Idle(gevent.Timeout):  # type: ignore[misc]
    """A timeout that can be brought forward: a connection on which no request has come yet."""

    def __init__(self, seconds: float, idle: set[_Idle]) -> None:
        super().__init__(seconds, False)
        self.greenlet = gevent.getcurrent()
        self._idle = idle

    def __enter__(self) -> _Idle:
        self._idle.add(self)
        super().__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool | None:
        self._idle.discard(self)
        result: bool | None = super().__exit__(kind, value, traceback)
        return result
