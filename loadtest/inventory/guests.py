"""Services that the user names for Locust's page: LAB_TARGET="mine=http://127.0.0.1:8000 …"."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import SplitResult, urlsplit

from loadtest.errors import LabError
from loadtest.system import urls

VARIABLE = "LAB_TARGET"
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
_FORM = "write NAME=http://HOST:PORT"
_SCHEMES = ("http", "https")


class GuestError(LabError):
    """A name or a URL that can't be used; the message says which part, and what to write."""


def named(variables: Mapping[str, str]) -> dict[str, str]:
    """URL by name of the services in LAB_TARGET; raises GuestError."""
    found: dict[str, str] = {}
    for text in variables.get(VARIABLE, "").split():
        name, equals, url = text.partition("=")
        if not equals or not _NAME.fullmatch(name):
            raise _refused(text, f"has no name before the URL; {_FORM}")
        if name in found:
            raise _refused(text, f"is the second {name}; give each a name of its own")
        found[name] = _checked(text, name, url)
    return found


def _checked(text: str, name: str, url: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError:
        raise _refused(text, f"is no URL; {_FORM}") from None
    if "://" not in url:
        raise _refused(text, f"has no scheme; write {name}=http://{url}")
    if parts.scheme not in _SCHEMES:
        raise _refused(text, f"asks for {parts.scheme}, but the load speaks HTTP; {_FORM}")
    if not _has_host(parts):
        raise _refused(text, f"has no host; {_FORM}")
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise _refused(
            text, "has more than host and port; a scenario chooses the path, LAB_REQUEST your own"
        )
    if "@" in parts.netloc:
        raise _refused(text, f"has a user in it, which no scenario sends; {_FORM}")
    if not _has_port(parts):
        raise _refused(text, "has no port from 1 to 65535 behind its host")
    return f"{parts.scheme}://{parts.netloc}"


def _has_host(parts: SplitResult) -> bool:
    """Whether there is one that a DNS can hold, or an address."""
    try:
        return bool((parts.hostname or "").strip(".") and urls.host_field(parts))
    except ValueError:  # UnicodeError is one, and what is no port
        return bool(parts.hostname) and not _has_port(parts)


def _has_port(parts: SplitResult) -> bool:
    try:
        return parts.port is None or parts.port > 0
    except ValueError:
        return False


def _refused(text: str, why: str) -> GuestError:
    return GuestError(f"{VARIABLE}: {text} {why}")
