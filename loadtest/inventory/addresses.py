"""Endpoints of anybody's services, as a user writes them, and whether they may be loaded."""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from loadtest.errors import LabError
from loadtest.system import urls
from loadtest.system.sockets import is_here

MAY_LOAD = "--i-may-load-this"
_SPOKEN = ("http", "https")
_TARGET_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
# Where nobody else's service is: loopback, RFC 1918, RFC 4193, and IPv6's local links.
_PRIVATE = tuple(
    map(
        ipaddress.ip_network,
        (
            *("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"),
            *("::1/128", "fc00::/7", "fe80::/10"),
        ),
    )
)
# What a server listens on for all of its addresses, and where it can be asked instead.
_INSTEAD_OF_ANY = {4: "127.0.0.1", 6: "[::1]"}


class AddressError(LabError):
    """An endpoint can't be asked; the message says which part of it is wrong, and what to write."""


def parsed_headers(lines: Iterable[str]) -> dict[str, str]:
    """Headers that a command line has as `Name: value`, each name once."""
    found: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not name.strip():
            raise AddressError(f"header {line!r}: write it as 'Name: value'")
        if name.strip().lower() in map(str.lower, found):
            raise AddressError(f"header {name.strip()} is there twice; write it once")
        found[name.strip()] = value.strip()
    return found


def read_body(text: str) -> str:
    """The body that a command line has as text, or as @FILE."""
    if not text.startswith("@"):
        return text
    path = Path(text[1:])
    try:
        return path.read_bytes().decode("utf-8")  # as it is: its line ends are part of it
    except OSError as error:
        raise AddressError(f"body {path}: {str(error.strerror).lower()}") from None
    except UnicodeDecodeError:
        raise AddressError(f"body {path}: is no text in UTF-8") from None


def named_pairs(texts: Iterable[str], form: str) -> dict[str, str]:
    """What stands behind each `NAME=`, by name; `form` is how the user should write it."""
    found: dict[str, str] = {}
    for text in texts:
        name, equals, rest = text.partition("=")
        if not equals or not is_name(name) or not rest.strip():
            raise AddressError(f"{text!r}: write {form}")
        if name in found:
            raise AddressError(f"{text!r} is the second {name}; give each a name of its own")
        found[name] = rest.strip()
    return found


def is_name(text: str) -> bool:
    """Whether a target may be called so."""
    return _TARGET_NAME.fullmatch(text) is not None


def endpoint(url: str) -> str:
    """The URL, if a load can ask it; raises AddressError."""
    if not url.isascii() or any(letter <= " " or letter == "\x7f" for letter in url):
        raise AddressError(f"{url!r} has a blank or a letter that no URL has; write it as %XX")
    if "://" not in url:
        raise AddressError(f"{url} has no scheme; write http://{url}")
    parts = _split(url)
    if parts.scheme not in _SPOKEN:
        raise AddressError(f"{url}: the load speaks http and https, not {parts.scheme}")
    if not (parts.hostname or "").strip("."):
        raise AddressError(f"{url} has no host; write {parts.scheme}://HOST:PORT/PATH")
    if "@" in parts.netloc:
        raise AddressError(f"{url} has a user in it; send one with --header 'Authorization: …'")
    if loopback := _INSTEAD_OF_ANY.get(_any_address(parts.hostname or "")):
        port = f":{parts.port}" if parts.port else ""
        there = parts._replace(netloc=f"{loopback}{port}").geturl()
        raise AddressError(
            f"{url}: a server listens there, nobody can be asked there; write {there}"
        )
    return parts._replace(fragment="").geturl()


def origin(url: str) -> str:
    """Scheme, host and port of a URL."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def same_origin(url: str, other: str) -> bool:
    """Whether scheme, host and port are the same, however they are written."""
    one, two = urlsplit(url), urlsplit(other)
    return (one.scheme, place(url)) == (two.scheme, place(other))


def place(url: str) -> tuple[str, int]:
    """Host and port of a URL that `endpoint` has let pass."""
    return urls.endpoint(url)


def _any_address(host: str) -> int:
    """4 or 6 where the host is "every address" of that version, else 0."""
    try:
        found = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return 0
    mapped = getattr(found, "ipv4_mapped", None)
    return (mapped or found).version if (mapped or found).is_unspecified else 0


def require_permission(url: str, *, may_load: bool = False) -> None:
    """Raise AddressError where the host is unknown, or neither here nor private, nor permitted."""
    host, port = place(url)
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise AddressError(f"{url}: there is no host {host}") from None
    hosts = [str(each[4][0]) for each in found]
    public = [each for each in hosts if not (_private(each) or is_here(each))]
    if public and not may_load:
        told = host if host == public[0] else f"{host} ({public[0]})"
        raise AddressError(
            f"{url}: {told} is neither this machine nor on a private network; "
            f"add {MAY_LOAD} (in a file: i_may_load_this = true) if it is yours to load"
        )


def _private(address: str) -> bool:
    found = ipaddress.ip_address(address.partition("%")[0])
    mapped = getattr(found, "ipv4_mapped", None)
    return any((mapped or found) in network for network in _PRIVATE)


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        fits = parts.port is None or parts.port > 0
    except ValueError:
        fits = False
    if not fits:
        raise AddressError(f"{url} has no port from 1 to 65535 behind its host")
    return parts
