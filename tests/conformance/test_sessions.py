"""A session cookie is taken as it was given, and in no other spelling."""

from __future__ import annotations

from http.cookies import SimpleCookie

import pytest

from loadtest.contract.conformance import Client
from loadtest.inventory.manifest import Service
from tests.conformance.conftest import APPLICATIONS

# Neighbours in base64's alphabet differ in its lowest bits, which a last character may not need.
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
JSON = {"Content-Type": "application/json"}


def variants(cookie: str) -> list[str]:
    """The cookie with one character changed, left out or put in."""
    pieces = [(cookie[:place], cookie[place], cookie[place + 1 :]) for place in range(len(cookie))]
    changed = [f"{a}{other}{b}" for a, old, b in pieces for other in others(old)]
    left_out = [f"{a}{b}" for a, _, b in pieces]
    put_in = [f"{cookie[:-1]}{more}{cookie[-1]}" for more in "A!=.~"]
    return [*changed, *left_out, *put_in, f"{cookie}=", f"{cookie}A"]


def others(character: str) -> set[str]:
    """Some that could stand in its place."""
    if (index := ALPHABET.find(character)) < 0:
        return {"A"}
    return {ALPHABET[index ^ 1], ALPHABET[index ^ 2], character.swapcase()} - {character}


@pytest.mark.parametrize("service", APPLICATIONS, indirect=True)
def test_cookie_with_a_character_changed_is_refused(service: Service) -> None:
    with Client(service.url()) as client:
        given = client.send("POST", "/session", b'{"username": "ann"}', JSON).cookies
        (cookie,) = [morsel.coded_value for line in given for morsel in SimpleCookie(line).values()]

        def status(value: str) -> int:
            return client.send("GET", "/me", headers={"Cookie": f"session={value}"}).status

        assert status(cookie) == 200
        assert [each for each in variants(cookie) if status(each) != 401] == []
