"""LAB_TARGET: a service of the user's own is reached as it is named, or refused in one line."""

from __future__ import annotations

import os
import subprocess
import sys
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.inventory import guests
from loadtest.inventory.guests import GuestError
from loadtest.system.paths import LOCUSTFILE, ROOT

NAMES = st.from_regex(r"[a-z][a-z0-9-]{0,8}", fullmatch=True)
HOSTS = st.sampled_from(["localhost", "127.0.0.1", "[::1]", "my-service.example"])
SCHEMES = st.sampled_from(["http", "https"])
PORTS = st.integers(1, 65535).map(lambda port: f":{port}") | st.just("")


@given(
    st.dictionaries(NAMES, st.builds("{}://{}{}".format, SCHEMES, HOSTS, PORTS)),
    st.sampled_from("/ "),
)
def test_hosts_and_ports_are_taken_as_they_are(named: dict[str, str], end: str) -> None:
    text = " ".join(f"{name}={url}{end}" for name, url in named.items())
    assert guests.named({"LAB_TARGET": text}) == named


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a=ftp://localhost:8000", "asks for ftp, but the load speaks HTTP"),
        ("a=http://localhost:8000/api", "a scenario chooses the path, LAB_REQUEST your own"),
        ("a=http://localhost:8000?x=1", "a scenario chooses the path, LAB_REQUEST your own"),
        (f"a=http://{'x' * 64}.example", "has no host"),
        ("a=localhost:8000", "write a=http://localhost:8000"),
        ("a=127.0.0.1", "write a=http://127.0.0.1"),
        ("a=http://localhost:99999", "no port from 1 to 65535"),
        ("a=http://localhost:0", "no port from 1 to 65535"),
        ("a=http://localhost:http", "no port from 1 to 65535"),
        ("a=http://:8000", "has no host"),
        ("a=http://[::1", "is no URL"),
        ("a=http://me:secret@localhost", "has a user in it"),
        ("http://localhost:8000", "has no name"),
        ("a=http://b:1 a=http://c:1", "is the second a"),
        ("a=", "has no scheme"),
    ],
)
def test_what_cannot_be_asked_is_told(text: str, told: str) -> None:
    with pytest.raises(GuestError, match=r"^LAB_TARGET: \S+ ") as error:
        guests.named({"LAB_TARGET": text})
    assert told in str(error.value)


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_is_taken_or_refused_in_one_line(text: str) -> None:
    said = ""
    try:
        for url in guests.named({"LAB_TARGET": text}).values():
            parts = urlsplit(url)
            assert parts.hostname
            assert parts.port != 0
    except GuestError as error:
        said = str(error)
    assert len(said.splitlines()) <= 1


LIVE = ["loadtest", "live"]
LOCUST = ["locust", "-f", str(LOCUSTFILE), "--list"]


@pytest.mark.parametrize(
    ("command", "variable", "value", "told"),
    [
        (LIVE, "LAB_TARGET", "mine=ws://127.0.0.1:8000", "mine=ws://127.0.0.1:8000 asks for ws"),
        (LIVE, "LAB_REQUEST", '{"path": "x"}', "path: write it from its first /"),
        (LOCUST, "LAB_TARGET", "mine=ws://127.0.0.1:8000", "mine=ws://127.0.0.1:8000 asks for ws"),
    ],
)
def test_it_is_told_before_anything_starts(
    command: list[str], variable: str, value: str, told: str
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=ROOT,
        env={**os.environ, variable: value},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    [line] = done.stderr.splitlines()
    assert f"{variable}: {told}" in line
