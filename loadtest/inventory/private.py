"""Whether a load may be put on an endpoint that a user names."""

from __future__ import annotations

import ipaddress
import socket
from urllib.parse import urlsplit

from loadtest.errors import LabError
from loadtest.system import urls

PERMITS = "--i-may-load-this"
# Where nobody else's service is: loopback, RFC 1918, RFC 4193, and IPv6's local links.
_NEAR_NETWORKS = tuple(
    map(
        ipaddress.ip_network,
        (
            *("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"),
            *("::1/128", "fc00::/7", "fe80::/10"),
        ),
    )
)


class EndpointError(LabError):
    """An endpoint can't be asked, or may not be; the message says why, and what to write."""


def endpoint(url: str) -> str:
    """The URL without a fragment, if a load can ask it; raises EndpointError."""
    if not url.isascii() or any(letter <= " " or letter == "\x7f" for letter in url):
        raise EndpointError(f"{url!r} has a blank or a letter that no URL has; write it as %XX")
    if "://" not in url:
        raise EndpointError(f"{url} has no scheme; write http://{url}")
    try:
        parts = urlsplit(url)
        fits = parts.port is None or parts.port > 0
    except ValueError:
        fits = False
    if not fits:
        raise EndpointError(f"{url}: no host, or no port from 1 to 65535 behind it")
    if parts.scheme not in ("http", "https"):
        raise EndpointError(f"{url}: the load speaks http and https, not {parts.scheme}")
    if not (parts.hostname or "").strip("."):
        raise EndpointError(f"{url} has no host; write {parts.scheme}://HOST:PORT/PATH")
    if "@" in parts.netloc:
        raise EndpointError(f"{url} has a user in it; send one with --header 'Authorization: …'")
    return parts._replace(fragment="").geturl()


def require_permission(url: str, *, may_load: bool = False) -> None:
    """Raise EndpointError where the host is unknown, or public and not permitted."""
    host, port = urls.endpoint(url)
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise EndpointError(f"{url}: there is no host {host}") from None
    public = [str(each[4][0]) for each in found if not _is_near(str(each[4][0]))]
    if public and not may_load:
        told = host if host == public[0] else f"{host} ({public[0]})"
        raise EndpointError(
            f"{url}: {told} is neither this machine nor on a private network; "
            f"add {PERMITS} if it is yours to load"
        )


def _is_near(address: str) -> bool:
    found = ipaddress.ip_address(address.partition("%")[0])
    mapped = getattr(found, "ipv4_mapped", None)
    return any((mapped or found) in network for network in _NEAR_NETWORKS)
