"""The environment of a service as one frozen value."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


class SettingsError(Exception):
    """A variable is missing or wrong; the message names it and says what to do."""


@dataclass(frozen=True)
class Settings:
    """What a service is told at start.

    `workers` are processes; `threads` and `pool_size` (connections) are of each worker.
    `thread_limit` is the size of the thread pool of an event loop, where a service limits that;
    `processes` are those of a process pool for CPU work, where it has one.
    `metrics` is off only to measure what metrics cost. `metrics_directory` is where the workers
    put their counters for `lab.serve` to read; None where nobody reads them.
    """

    service_name: str
    database_url: str
    database_password: str | None = field(default=None, repr=False)
    host: str = "127.0.0.1"
    port: int = 8000
    metrics_port: int = 9000
    workers: int = 1
    threads: int = 1
    pool_size: int = 1
    thread_limit: int = 40
    processes: int = 1
    metrics: bool = True
    metrics_directory: Path | None = None
    session_secret: str = field(default="", repr=False)


def load(environment: Mapping[str, str] = os.environ) -> Settings:
    """Read the settings; raises SettingsError with a one-line message."""
    directory = environment.get("LAB_METRICS_DIRECTORY")
    return Settings(
        service_name=_text(environment, "SERVICE_NAME"),
        database_url=_text(environment, "DATABASE_URL"),
        database_password=_password(environment),
        host=environment.get("HOST", "127.0.0.1"),
        port=_number(environment, "PORT", 8000, 65535),
        metrics_port=_number(environment, "METRICS_PORT", 9000, 65535),
        workers=_number(environment, "WORKERS", 1, 256),
        threads=_number(environment, "THREADS", 1, 10_000),
        pool_size=_number(environment, "POOL_SIZE", 1, 10_000),
        thread_limit=_number(environment, "THREAD_LIMIT", 40, 10_000),
        processes=_number(environment, "PROCESSES", 1, 256),
        metrics=_switch(environment, "LAB_METRICS"),
        metrics_directory=Path(directory) if directory else None,
        session_secret=environment.get("LAB_SESSION_SECRET", ""),
    )


def _text(environment: Mapping[str, str], name: str) -> str:
    value = environment.get(name, "")
    if not value:
        raise SettingsError(f"{name} is not set; docker-compose.yml shows what a service needs")
    return value


def _number(environment: Mapping[str, str], name: str, default: int, maximum: int) -> int:
    text = environment.get(name) or str(default)
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= maximum):
        raise SettingsError(f"{name} is {text!r}; set it to a whole number from 1 to {maximum}")
    return int(text)


def _switch(environment: Mapping[str, str], name: str) -> bool:
    text = environment.get(name) or "on"
    if text not in ("on", "off"):
        raise SettingsError(f"{name} is {text!r}; set it to on or off")
    return text == "on"


def _password(environment: Mapping[str, str]) -> str | None:
    path = environment.get("DATABASE_PASSWORD_FILE")
    if not path:
        return None
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except OSError as error:
        reason = error.strerror or "cannot be read"
        raise SettingsError(f"DATABASE_PASSWORD_FILE: {path}: {reason}") from None
