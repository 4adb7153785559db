"""A psycopg pool that says at once when Postgres is away, and mends itself when it is back."""

from __future__ import annotations

from time import monotonic
from typing import Any, TypeAlias

from psycopg import Connection, OperationalError
from psycopg_pool import ConnectionPool

WAIT_S = 30.0
"""Seconds that a request waits for a pooled connection (services/contract.yaml)."""

_CONNECT_S = 1
_GIVE_UP_S = 0.5

_Connection: TypeAlias = Connection[tuple[Any, ...]]


class Pool(ConnectionPool[_Connection]):
    """`psycopg_pool.ConnectionPool` for a service that has to answer 503 within two seconds.

    The stock pool lets a request wait its full `timeout` while Postgres is away, for it cannot
    tell an absent server from a busy pool, and it hands out connections that died while idle.
    This one fails the waiting requests with `psycopg.OperationalError` as soon as the last
    connection is given up, and drops a dead idle connection before anyone sees it. The next
    request tries to connect again, so nothing needs a restart.
    """

    def __init__(self, conninfo: str = "", *, kwargs: dict[str, Any], **options: Any) -> None:
        super().__init__(
            conninfo,
            kwargs={"connect_timeout": _CONNECT_S, **kwargs},
            **{"timeout": WAIT_S, "reconnect_timeout": _GIVE_UP_S, "open": False, **options},
        )

    def getconn(self, timeout: float | None = None) -> _Connection:
        """Take a live connection within `timeout` seconds (default: the pool's).

        Raises psycopg_pool.PoolTimeout when all are busy for that long, OperationalError when
        Postgres is out of reach.
        """
        deadline = monotonic() + (self.timeout if timeout is None else timeout)
        while True:
            connection = super().getconn(max(deadline - monotonic(), 0.001))
            if _is_alive(connection):
                return connection
            connection.close()
            self.putconn(connection)

    def reconnect_failed(self) -> None:
        """Send away whoever waits, unless a connection is left that could still serve them."""
        with self._lock:
            if self._nconns:
                return
            waiting = list(self._waiting)
            self._waiting.clear()
        for client in waiting:
            client.fail(OperationalError("Postgres is out of reach"))
        super().reconnect_failed()


def _is_alive(connection: _Connection) -> bool:
    """Whether the server still holds the other end; two reads that never block, no round trip."""
    try:
        connection.pgconn.consume_input()  # what the server said in parting
        connection.pgconn.consume_input()  # that it hung up
    except OperationalError:
        return False
    return True
