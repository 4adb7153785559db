"""Endpoints that a user names: what can be asked is taken, all else is refused in one line."""

from __future__ import annotations

import contextlib
import socket
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.inventory import addresses
from loadtest.inventory.addresses import AddressError


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("127.0.0.1:8000/x", "write http://127.0.0.1:8000/x"),
        ("ftp://here/x", "http and https, not ftp"),
        ("http://:80/", "has no host"),
        ("http://./", "has no host"),
        ("http://here:99999/", "no port from 1 to 65535"),
        ("http://here:0/", "no port from 1 to 65535"),
        ("http://[::1/", "no port from 1 to 65535"),
        ("http://me:secret@here/", "Authorization"),
        ("http://here/a b", "write it as %XX"),
        ("http://here/a\r\nX: y", "write it as %XX"),
        ("http://here/ä", "write it as %XX"),
        ("http://0.0.0.0:8000/a?b=1", "write http://127.0.0.1:8000/a?b=1"),
        ("http://0.0.0.0/", "write http://127.0.0.1/"),
        ("https://[::]:8443/", "write https://[::1]:8443/"),
        ("http://[0:0::0]:80/", "write http://[::1]:80/"),
        ("http://[::ffff:0.0.0.0]:80/", "write http://127.0.0.1:80/"),
    ],
)
def test_what_is_no_endpoint_is_told(url: str, told: str) -> None:
    with pytest.raises(AddressError, match=r"\A[^\n]+\Z") as refused:
        addresses.endpoint(url)
    assert told in str(refused.value)


@given(st.text(max_size=40))
def test_whatever_is_written_can_be_asked_or_is_refused(text: str) -> None:
    for url in (text, f"http://{text}", f"http://here/{text}"):
        with contextlib.suppress(AddressError):
            found = addresses.endpoint(url)
            host, port = addresses.place(found)
            assert host
            assert 0 < port < 65536
            assert "#" not in found


@pytest.mark.parametrize(
    ("address", "private"),
    [
        ("127.0.0.1", True),
        ("127.8.9.10", True),
        ("10.1.2.3", True),
        ("172.16.0.1", True),
        ("172.32.0.1", False),
        ("192.168.7.7", True),
        ("169.254.169.254", False),
        ("8.8.8.8", False),
        ("0.0.0.0", False),
        ("::1", True),
        ("fe80::1%eth0", True),
        ("fd00::7", True),
        ("2001:db8::1", False),
        ("::ffff:192.168.1.1", True),
        ("::ffff:8.8.8.8", False),
    ],
)
def test_only_private_addresses_are_loaded_without_permission(
    monkeypatch: pytest.MonkeyPatch, address: str, private: bool
) -> None:
    def resolved(*_: Any, **__: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 80))]

    monkeypatch.setattr(socket, "getaddrinfo", resolved)
    if private:
        addresses.require_permission("http://named/")
    else:
        with pytest.raises(AddressError, match="--i-may-load-this") as refused:
            addresses.require_permission("http://named/")
        assert address in str(refused.value)
        addresses.require_permission("http://named/", may_load=True)


@pytest.mark.parametrize("address", ["8.8.8.8", "2001:db8::1"])
def test_a_public_address_of_this_machine_is_loaded_without_permission(
    monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    here = [
        SimpleNamespace(family=family, address=f"{address}%eth0" if ":" in address else address)
    ]
    found = [(family, socket.SOCK_STREAM, 6, "", (address, 80))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    monkeypatch.setattr(psutil, "net_if_addrs", lambda: {"eth0": here})
    addresses.require_permission("http://named/")
    here.clear()
    with pytest.raises(AddressError, match="--i-may-load-this"):
        addresses.require_permission("http://named/")


def test_a_name_with_one_public_address_is_public(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [(2, 1, 6, "", ("127.0.0.1", 80)), (2, 1, 6, "", ("8.8.8.8", 80))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    with pytest.raises(AddressError, match=r"named \(8\.8\.8\.8\)"):
        addresses.require_permission("http://named/")


def test_an_unknown_host_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: Any, **__: Any) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "no")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(AddressError, match="there is no host nowhere"):
        addresses.require_permission("http://nowhere/", may_load=True)


@pytest.mark.parametrize("text", ["http://a/", "=http://a/", "1=http://a/", "a b=c", "A=", "A= "])
def test_a_pair_without_a_name_or_anything_behind_it_is_told(text: str) -> None:
    with pytest.raises(AddressError, match="write NAME=URL"):
        addresses.named_pairs([text], "NAME=URL")


def test_pairs_keep_their_order_and_differ() -> None:
    pairs = ["B=http://b/?x=1", "A=http://a/"]
    assert list(addresses.named_pairs(pairs, "").items()) == [
        ("B", "http://b/?x=1"),
        ("A", "http://a/"),
    ]
    with pytest.raises(AddressError, match="the second A"):
        addresses.named_pairs(["A=x", "A=y"], "")


def test_a_body_is_text_or_a_file(tmp_path: Path) -> None:
    (tmp_path / "order.json").write_text('{"n": 1}')
    assert addresses.read_body(f"@{tmp_path}/order.json") == '{"n": 1}'
    assert addresses.read_body("plain") == "plain"
    (tmp_path / "form").write_bytes(b"--x\r\n\r\nvalue\r\n--x--\r\n")
    assert addresses.read_body(f"@{tmp_path}/form") == "--x\r\n\r\nvalue\r\n--x--\r\n"
    with pytest.raises(AddressError, match="no such file"):
        addresses.read_body(f"@{tmp_path}/nothing")
    (tmp_path / "picture").write_bytes(b"\xff\xfe")
    with pytest.raises(AddressError, match="UTF-8"):
        addresses.read_body(f"@{tmp_path}/picture")


def test_a_header_has_a_name_and_a_value() -> None:
    assert addresses.parsed_headers(["A: b:c", "D:e"]) == {"A": "b:c", "D": "e"}
    with pytest.raises(AddressError, match="'Name: value'"):
        addresses.parsed_headers(["nothing"])


@pytest.mark.parametrize("again", ["Cookie: b=2", "Cookie: a=1", " cookie :b=2"])
def test_no_header_is_left_out_silently(again: str) -> None:
    with pytest.raises(AddressError, match=r"header [Cc]ookie is there twice; write it once"):
        addresses.parsed_headers(["Cookie: a=1", "Accept: */*", again])


@pytest.mark.parametrize(
    ("other", "same"),
    [
        ("http://here/healthz", True),
        ("http://here:80/?a=1", True),
        ("HTTP://HERE/", True),
        ("https://here/", False),
        ("https://here:80/", False),
        ("http://here:8080/", False),
        ("http://there/", False),
    ],
)
def test_an_origin_is_scheme_host_and_port(other: str, same: bool) -> None:
    assert addresses.same_origin("http://here/slow", other) is same
