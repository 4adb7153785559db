"""Does a service speak HTTP/2, and do requests on one connection then wait side by side?

In the clear it is asked as it runs, by prior knowledge (h2c). Over TLS another of it is asked,
with a certificate and, where its server has a switch for HTTP/2, with that on; ALPN agrees on it.
"""

from __future__ import annotations

import json
import math
import socket
import ssl
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from loadtest.backends.base import Backend
from loadtest.backends.native import Lab
from loadtest.contract.http2 import servers
from loadtest.contract.http2.beside import beside
from loadtest.contract.http2.client import Http2Connection, Http2Error
from loadtest.inventory.manifest import Service
from loadtest.system import urls
from loadtest.system.processes import ProcessError

STREAMS, EACH_MS = 100, 50
_GREETING, _GREETED = "/json", {"message": "Hello, World!"}
_SHORT_S, _LONG_S = 5.0, 60.0
_H2 = "h2"


@dataclass(frozen=True)
class Way:
    """One way to ask for HTTP/2: in the clear, or over TLS.

    `speaks` is None where it can't be asked, which `why` explains. `waits_s`: how long as many
    waits as STREAMS took on one connection.
    """

    name: str
    speaks: bool | None
    why: str = ""
    waits_s: float | None = None


def check(service: Service, backend: Backend) -> dict[str, Any]:
    """Whether the service speaks HTTP/2 in any way: `passed`, and `detail` in words.

    `passed` is None where no way that was asked spoke it, and one could not be asked.
    """
    url = service.url(backend.name)
    about = json.loads(urls.read(f"{url}/about", _SHORT_S))
    ways = [in_the_clear(url), _over_tls(service, backend)]
    slots = max(1, int(about["slots"]) // int(about["workers"]))
    return {"passed": spoken(ways), "detail": told(ways, slots)}


def spoken(ways: Sequence[Way]) -> bool | None:
    """Whether any way speaks HTTP/2; None where that is not known."""
    found = {way.speaks for way in ways}
    return True if True in found else None if None in found else False


def told(ways: Sequence[Way], slots: int) -> str:
    """What was found, as words; `slots`: those of the one worker that has the connection."""
    used = [way.name for way in ways if way.speaks]
    refused = [way.name for way in ways if way.speaks is False]
    said = f"speaks HTTP/2 {' and '.join(used)}" if used else "speaks HTTP/1.1 alone"
    if refused:
        said += f", not {refused[0]}" if used else f", {' and '.join(refused)}"
    waits_s = next((way.waits_s for way in ways if way.waits_s is not None), None)
    if waits_s is not None:
        said += (
            f"; {STREAMS} waits of {EACH_MS} ms on one connection take {waits_s:.2g} s, where its "
            f"{slots} slot{'s'[: slots != 1]} allow{'s'[: slots == 1]} {_allowed_s(slots):.2g} s "
            f"and one after another takes {STREAMS * EACH_MS / 1000:g} s"
        )
    return "; ".join([said, *(f"{way.name} {way.why}" for way in ways if way.why)])


def _allowed_s(slots: int) -> float:
    return math.ceil(STREAMS / slots) * EACH_MS / 1000


def in_the_clear(url: str) -> Way:
    """Ask by prior knowledge, as whoever is behind `url` runs."""
    address = urlsplit(url)
    try:
        connected = socket.create_connection((address.hostname, address.port), _SHORT_S)
    except OSError as error:
        return Way("in the clear", None, f"it could not be asked: {error.strerror or error}")
    return _asked("in the clear", connected, "http", address.netloc)


def over_tls(port: int, certificate: Path) -> Way:
    """Ask a server on the loopback that has this certificate; ALPN chooses."""
    context = ssl.create_default_context(cafile=str(certificate))
    context.set_alpn_protocols([_H2, "http/1.1"])
    try:
        plain = socket.create_connection(("127.0.0.1", port), _SHORT_S)
        connected = context.wrap_socket(plain, server_hostname="127.0.0.1")
    except OSError as error:
        return Way("over TLS", None, f"it could not be asked: {error.strerror or error}")
    if connected.selected_alpn_protocol() != _H2:
        connected.close()
        return Way("over TLS", False)
    return _asked("over TLS", connected, "https", f"127.0.0.1:{port}")


def _over_tls(service: Service, backend: Backend) -> Way:
    if not isinstance(backend, Lab):
        return Way("over TLS", None, "it is asked without containers alone")
    with tempfile.TemporaryDirectory(prefix="lab-http2-") as folder:
        made = servers.certify(Path(folder))
        if made is None:
            return Way("over TLS", None, "it is not asked: the program openssl is missing")
        options = servers.options(service, *made)
        if options is None:
            return Way("over TLS", None, "it is not asked: it takes no certificate")
        backend.stop(service.name)  # Postgres may have no room for the pools of both
        try:
            with beside(backend, service, options) as own:
                return over_tls(own.port, made[0])
        except ProcessError as error:
            return Way("over TLS", None, f"it does not start: {str(error).splitlines()[0]}")
        finally:
            backend.restart(service.name)


def _asked(name: str, connected: socket.socket, scheme: str, authority: str) -> Way:
    with Http2Connection(connected, scheme, authority) as connection:
        try:
            [greeting] = connection.ask([_GREETING], _SHORT_S)
            if greeting.status != 200 or json.loads(greeting.body) != _GREETED:
                return Way(name, False, f"it answers {greeting.status} {greeting.body[:80]!r}")
        except (Http2Error, ValueError):
            return Way(name, False)
        return _waited(name, connection)


def _waited(name: str, connection: Http2Connection) -> Way:
    began = time.monotonic()
    try:
        answers = connection.ask([f"/wait?ms={EACH_MS}"] * STREAMS, _LONG_S)
    except Http2Error as error:
        return Way(name, True, f"it {error}, when {STREAMS} requests wait on one connection")
    took_s = time.monotonic() - began
    wrong = sum(each.status != 200 for each in answers)
    why = f"it answers {wrong} of {STREAMS} waits on one connection wrongly" if wrong else ""
    return Way(name, True, why, None if wrong else took_s)
