"""What a user may put a load on: what is here or private, all else only where permitted."""

from __future__ import annotations

import pytest

from loadtest.inventory.private import EndpointError, endpoint, require_permission


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("127.0.0.1:8000/slow", "write http://127.0.0.1:8000/slow"),
        ("ftp://127.0.0.1/", "not ftp"),
        ("http:///slow", "no host"),
        ("http://127.0.0.1:99999/", "65535"),
        ("http://127.0.0.1/a b", "%XX"),
        ("http://me:secret@127.0.0.1/", "Authorization"),
    ],
)
def test_what_no_load_can_ask_is_refused_with_what_to_write(url: str, told: str) -> None:
    with pytest.raises(EndpointError, match=told):
        endpoint(url)


def test_a_fragment_is_nothing_that_a_server_sees() -> None:
    assert endpoint("http://127.0.0.1:8000/a?b=1#c") == "http://127.0.0.1:8000/a?b=1"


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "[::1]", "localhost", "10.1.2.3", "192.168.0.1", "[::ffff:127.0.0.1]"]
)
def test_what_is_here_or_private_may_be_loaded(host: str) -> None:
    require_permission(f"http://{host}:8000/")


@pytest.mark.parametrize("host", ["192.0.2.1", "[2001:db8::1]", "[::ffff:192.0.2.1]"])
def test_a_public_address_may_be_loaded_where_permitted(host: str) -> None:
    with pytest.raises(EndpointError, match="--i-may-load-this"):
        require_permission(f"http://{host}/")
    require_permission(f"http://{host}/", may_load=True)


def test_a_host_that_does_not_exist_is_told() -> None:
    with pytest.raises(EndpointError, match="there is no host nobody"):
        require_permission("http://nobody.invalid/")
