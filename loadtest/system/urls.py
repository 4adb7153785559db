"""HTTP to what the lab runs itself: one question, one answer, never through a proxy; and where a
URL leads.
"""

from __future__ import annotations

import http.client
import urllib.request
from urllib.parse import SplitResult, urlsplit

_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))
_PORTS = {"http": 80, "https": 443}


def read(url: str, timeout_s: float) -> bytes:
    """The body of the answer; OSError where none comes, or none of success."""
    try:
        with _DIRECT.open(url, timeout=timeout_s) as response:
            body: bytes = response.read()
    except http.client.HTTPException as error:
        raise ConnectionError(f"{url}: {error or type(error).__name__}") from None
    return body


def answers(url: str, timeout_s: float = 2.0) -> bool:
    """Whether the answer is a success, within the time."""
    try:
        read(url, timeout_s)
    except OSError:
        return False
    return True


def endpoint(url: str) -> tuple[str, int]:
    """Host and port that a URL leads to; an IPv6 address without its brackets."""
    parts = urlsplit(url)
    host = (parts.hostname or "").replace("%25", "%")  # before the zone of an IPv6 address
    return host, parts.port or _PORTS.get(parts.scheme, 80)


def host_field(parts: SplitResult) -> str:
    """What the Host field says (RFC 9110, 7.2): ASCII, and no port where it is the scheme's own.

    Raises UnicodeError for a name that no DNS can hold.
    """
    host = parts.hostname or ""
    name = f"[{host.partition('%')[0]}]" if ":" in host else host.encode("idna").decode()
    return name if parts.port in (None, _PORTS.get(parts.scheme)) else f"{name}:{parts.port}"
