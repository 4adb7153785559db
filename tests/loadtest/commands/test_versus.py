"""What a page may show of the command that made it."""

from __future__ import annotations

import pytest

from loadtest.commands.own import versus


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        (["--header", "Authorization: Bearer x"], ["--header", "Authorization:…"]),
        (["--header=Cookie: a=1"], ["--header=Cookie:…"]),
        (["--env", "DB_PASSWORD=a=b"], ["--env", "DB_PASSWORD=…"]),
        (["--body", "me@example.org"], ["--body", "…"]),
        (["--body=@file"], ["--body=…"]),
        (["A=http://a/", "--seconds", "2"], ["A=http://a/", "--seconds", "2"]),
        (["--header", "--body: x", "--seed", "1"], ["--header", "--body:…", "--seed", "1"]),
    ],
)
def test_it_names_headers_variables_and_the_body_and_shows_none(
    typed: list[str], shown: list[str]
) -> None:
    assert versus.shown(typed) == shown
