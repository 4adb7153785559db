"""A psycopg pool that fails as soon as Postgres is away, and recovers when it is back.

The stock pool lets a request wait for its full `timeout` while Postgres is gone, for it can't tell
an absent server from a busy pool, and hands out connections that died while idle.
"""

from __future__ import annotations

from typing import Any, TypeVar

from psycopg import Connection, OperationalError
from psycopg_pool import ConnectionPool

from lab import internals

internals.check(__name__)

ACQUIRE_TIMEOUT_S = 30.0
CONNECT_TIMEOUT_S = 2
RECONNECT_TIMEOUT_S = 0.5
LIFETIME_S = 24 * 60 * 60.0

_Connection = TypeVar("_Connection", bound=Connection[Any])


def options(size: int) -> dict[str, Any]:
    """Arguments for a `ConnectionPool` of `size` connections that are all held open."""
    return {
        "min_size": size,
        "max_size": size,
        "timeout": ACQUIRE_TIMEOUT_S,
        "max_lifetime": LIFETIME_S,
        "reconnect_timeout": RECONNECT_TIMEOUT_S,
        "reconnect_failed": dismiss_waiting,
    }


def take(pool: ConnectionPool[_Connection], timeout_s: float) -> _Connection:
    """A live connection; raises psycopg_pool.PoolTimeout, or OperationalError without Postgres.

    The pool's own `check` would wait longer and longer between the dead ones after a restart.
    """
    while not is_alive(connection := pool.getconn(timeout_s)):
        connection.close()
        pool.putconn(connection)
    return connection


def dismiss_waiting(pool: ConnectionPool[Any]) -> None:
    """Fail whoever waits, unless a connection is left that could still serve them.

    For the pool's `reconnect_failed`. The next request tries to connect again.
    """
    with pool._lock:
        if pool._nconns:
            return
        waiting = list(pool._waiting)
        pool._waiting.clear()
    for client in waiting:
        client.fail(OperationalError("Postgres is out of reach"))


def is_alive(connection: Connection[Any]) -> bool:
    """Whether the server still holds the other end; two reads that never block, no round trip."""
    try:
        connection.pgconn.consume_input()  # what the server said in parting
        connection.pgconn.consume_input()  # that it hung up
    except OperationalError:
        return False
    return True
