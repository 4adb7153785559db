"""Requests held inside Postgres, for as long as it takes to count them."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event

import psycopg

from loadtest.contract.conformance import Client, Reply
from loadtest.inventory.manifest import Service
from tests.waiting import eventually

_ACTIVE = "SELECT count(*) FROM pg_stat_activity WHERE application_name = %s AND state = 'active'"


class Busy:
    """How many of a service's connections have a statement under way."""

    def __init__(self, database: psycopg.Connection, service: Service) -> None:
        self._database, self._service = database, service

    def count(self) -> int:
        """The number at this moment."""
        found = self._database.execute(_ACTIVE, [self._service.name]).fetchone()
        return found[0] if found else 0

    def reaches(self, number: int) -> bool:
        """Whether `number` of them are busy at one moment, before long."""
        return eventually(lambda: self.count() == number)

    def exceeds(self, number: int) -> bool:
        """Whether more than `number` are, within a moment."""
        return eventually(lambda: self.count() > number, timeout_s=0.3)


def ask(service: Service, target: str) -> Reply:
    """One GET on a connection of its own."""
    with Client(service.url()) as client:
        return client.send("GET", target)


@contextmanager
def asked(service: Service, target: str, times: int) -> Iterator[list[Future[Reply]]]:
    """`times` requests under way together; they have been answered when the block has ended."""
    with ThreadPoolExecutor(times) as threads:
        yield [threads.submit(ask, service, target) for _ in range(times)]


@contextmanager
def asked_again(service: Service, target: str) -> Iterator[None]:
    """One request after the other until the block ends; each is answered with 200."""
    enough = Event()

    def ask_on() -> set[int]:
        found = {ask(service, target).status}
        while not enough.is_set():
            found.add(ask(service, target).status)
        return found

    with ThreadPoolExecutor(1) as thread:
        asking = thread.submit(ask_on)
        try:
            yield
        finally:
            enough.set()
    assert asking.result() == {200}


@contextmanager
def held(service: Service, times: int, database_url: str) -> Iterator[list[Future[Reply]]]:
    """`times` requests for an item, of which Postgres answers none before the block ends."""
    with ThreadPoolExecutor(times) as threads, psycopg.connect(database_url) as holder:
        holder.execute("LOCK TABLE items IN ACCESS EXCLUSIVE MODE")
        yield [threads.submit(ask, service, "/items/1") for _ in range(times)]
