"""The environment of a service."""

from pathlib import Path

import pytest

from lab import settings
from lab.settings import SettingsError

LEAST = {"SERVICE_NAME": "service", "DATABASE_URL": "postgresql://lab@127.0.0.1/lab"}


def test_defaults() -> None:
    read = settings.load(LEAST)
    assert (read.port, read.workers, read.pool_size, read.metrics) == (8000, 1, 1, True)


def test_everything_is_taken_from_the_environment(tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.write_text("s3cret\n")
    read = settings.load(
        LEAST
        | {"PORT": "8123", "WORKERS": "3", "THREADS": "4", "POOL_SIZE": "5", "LAB_METRICS": "off"}
        | {"DATABASE_PASSWORD_FILE": str(secret), "THREAD_LIMIT": "6", "PROCESSES": "7"}
    )
    assert (read.port, read.workers, read.threads, read.pool_size) == (8123, 3, 4, 5)
    assert (read.thread_limit, read.processes) == (6, 7)
    assert (read.metrics, read.database_password) == (False, "s3cret")


def test_secrets_stay_out_of_the_text_of_settings() -> None:
    read = settings.Settings("service", "url", database_password="s3cret", session_secret="t0p")
    assert "s3cret" not in repr(read)
    assert "t0p" not in repr(read)


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"SERVICE_NAME": ""}, "SERVICE_NAME"),
        ({"DATABASE_URL": ""}, "DATABASE_URL"),
        ({"PORT": "http"}, "PORT"),
        ({"PORT": "65536"}, "65535"),
        ({"WORKERS": "0"}, "WORKERS"),
        ({"THREADS": "-1"}, "THREADS"),
        ({"POOL_SIZE": "1.5"}, "POOL_SIZE"),
        ({"THREAD_LIMIT": "0"}, "THREAD_LIMIT"),
        ({"LAB_METRICS": "yes"}, "on or off"),
        ({"DATABASE_PASSWORD_FILE": "/nowhere/password"}, "/nowhere/password"),
    ],
)
def test_wrong_value_is_one_line_that_names_it(wrong: dict[str, str], named: str) -> None:
    with pytest.raises(SettingsError) as raised:
        settings.load(LEAST | wrong)
    assert named in str(raised.value)
    assert "\n" not in str(raised.value)
