"""What Postgres sees of one service."""

from __future__ import annotations

import threading

import psycopg

SAMPLE_S = 0.02

_ACTIVITY = """
    SELECT count(*) FILTER (WHERE state = 'active' AND query LIKE '%%pg_sleep%%'), count(*)
    FROM pg_stat_activity WHERE application_name = %s AND backend_type = 'client backend'
"""


class Activity:
    """Samples pg_stat_activity for one application inside the block; keeps the highest values."""

    def __init__(self, database_url: str, service: str) -> None:
        self.waiting = self.sessions = 0
        self._service = service
        self._connection = psycopg.connect(database_url, autocommit=True)
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Activity:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()
        self._connection.close()

    def _watch(self) -> None:
        while not self._done.wait(SAMPLE_S):
            row = self._connection.execute(_ACTIVITY, (self._service,)).fetchone()
            assert row is not None, "an aggregate has one row"
            self.waiting, self.sessions = max(self.waiting, row[0]), max(self.sessions, row[1])
