"""Django's own database backend, whose pool is measured and never hands out a dead connection."""

from __future__ import annotations

from threading import Lock
from typing import Any

from django.db.backends.postgresql import base

from django_services.environment import METRICS
from lab import internals
from lab.postgres import pool

internals.check(__name__)


class DatabaseWrapper(base.DatabaseWrapper):  # type: ignore[misc]
    """One thread's connection, taken from the process's pool for the length of a request.

    Django's own check of pooled connections (`CONN_HEALTH_CHECKS`) is a round trip for each
    request, and waits longer and longer between the dead ones after a restart of Postgres.
    """

    in_use = 0
    """Connections of this process that are in a request's hands."""

    _lock = Lock()

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        since = METRICS.pool.waiting()
        try:
            connection = super().get_new_connection(conn_params)
            while not pool.is_alive(connection):
                connection.close()
                self.pool.putconn(connection)
                connection = super().get_new_connection(conn_params)
        except BaseException:
            METRICS.pool.failed()
            raise
        METRICS.pool.taken(since)
        self._count(1)
        return connection

    def _close(self) -> None:
        if self.connection is not None:
            METRICS.pool.released()
            self._count(-1)
        super()._close()

    @classmethod
    def _count(cls, change: int) -> None:
        with cls._lock:
            cls.in_use += change
