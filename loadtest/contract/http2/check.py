"""Can a service speak HTTP/2, and do requests on one connection then wait side by side?

It is asked as it runs, in the clear by prior knowledge (h2c). Where it does not speak HTTP/2 so,
another of it is asked with its server's own switch on. Over TLS another of it has a certificate
as well, and ALPN agrees on the protocol.
"""

from __future__ import annotations

import json
import socket
import ssl
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from loadtest.backends.base import Backend
from loadtest.backends.native import Lab
from loadtest.contract.http2 import servers
from loadtest.contract.http2.beside import beside
from loadtest.contract.http2.client import Http2Connection, Http2Error
from loadtest.contract.http2.ways import (
    DEPLOYED,
    EACH_MS,
    IN_CLEAR,
    STREAMS,
    TLS,
    Way,
    spoken,
    told,
)
from loadtest.inventory.manifest import Service
from loadtest.model.counts import number_of
from loadtest.system import ports, urls
from loadtest.system.processes import ProcessError

_GREETING, _GREETED = "/json", {"message": "Hello, World!"}
_SHORT_S, _LONG_S = 5.0, 60.0
_UNTIMED = 40  # waits before: they open the connections to Postgres that a fresh service lacks
_H2 = "h2"
_NO_SWITCH = "a certificate"  # all that is added to a server that needs no switch


def check(service: Service, backend: Backend) -> dict[str, Any]:
    """Whether the service can speak HTTP/2 in any way: `passed`, and `detail` in words.

    `passed` is None where no way that was asked spoke it, and one could not be asked.
    """
    url = service.url(backend.name)
    about = json.loads(urls.read(f"{url}/about", _SHORT_S))
    deployed = in_the_clear(url, DEPLOYED)
    switch = () if deployed.speaks else servers.switch(service)  # else it is on already
    others = _switched(service, backend, switch)
    slots = max(1, int(about["slots"]) // int(about["workers"]))
    return {
        "passed": spoken([deployed, *others]),
        "detail": told(deployed, " ".join(switch) or _NO_SWITCH, others, slots),
    }


def in_the_clear(url: str, name: str = IN_CLEAR) -> Way:
    """Ask by prior knowledge, as whoever is behind `url` runs."""
    address = urlsplit(url)
    try:
        connected = socket.create_connection((address.hostname, address.port), _SHORT_S)
    except OSError as error:
        return Way(name, None, f"it could not be asked: {error.strerror or error}")
    return _asked(name, connected, "http", address.netloc)


def over_tls(port: int, certificate: Path) -> Way:
    """Ask a server on the loopback that has this certificate; ALPN chooses."""
    context = ssl.create_default_context(cafile=str(certificate))
    context.set_alpn_protocols([_H2, "http/1.1"])
    try:
        plain = socket.create_connection((ports.LOOPBACK, port), _SHORT_S)
        connected = context.wrap_socket(plain, server_hostname=ports.LOOPBACK)
    except OSError as error:
        return Way(TLS, None, f"it could not be asked: {error.strerror or error}")
    if connected.selected_alpn_protocol() != _H2:
        connected.close()
        return Way(TLS, False)
    return _asked(TLS, connected, "https", f"{ports.LOOPBACK}:{port}")


def _switched(service: Service, backend: Backend, switch: Sequence[str]) -> list[Way]:
    """Ask others of the service: in the clear where there is something to switch, and over TLS."""
    if not isinstance(backend, Lab):
        return [Way("with its switch", None, "it is asked without containers alone")]
    backend.stop(service.name)  # Postgres may have no room for the pools of both
    try:
        clear = [_clear_beside(backend, service, switch)] if switch else []
        return [*clear, _tls_beside(backend, service, switch)]
    finally:
        backend.restart(service.name)


def _clear_beside(lab: Lab, service: Service, switch: Sequence[str]) -> Way:
    return _beside(lab, service, switch, IN_CLEAR, lambda own: in_the_clear(own.url()))


def _tls_beside(lab: Lab, service: Service, switch: Sequence[str]) -> Way:
    with tempfile.TemporaryDirectory(prefix="lab-http2-") as folder:
        made = servers.certify(Path(folder))
        if made is None:
            return Way(TLS, None, "it is not asked: the program openssl is missing")
        options = servers.certified(service, *made)
        if options is None:
            return Way(TLS, None, "it is not asked: it takes no certificate")
        own_certificate = made[0]
        return _beside(
            lab, service, [*switch, *options], TLS, lambda own: over_tls(own.port, own_certificate)
        )


def _beside(
    lab: Lab, service: Service, options: Sequence[str], name: str, ask: Callable[[Service], Way]
) -> Way:
    try:
        with beside(lab, service, options) as own:
            return ask(own)
    except ProcessError as error:
        return Way(name, None, f"it does not start: {str(error).splitlines()[0]}")


def _asked(name: str, connected: socket.socket, scheme: str, authority: str) -> Way:
    with Http2Connection(connected, scheme, authority) as connection:
        try:
            [greeting] = connection.ask([_GREETING], _SHORT_S)
            if greeting.status != 200 or json.loads(greeting.body) != _GREETED:
                return Way(name, False, f"it answers {greeting.status} {greeting.body[:80]!r}")
        except (Http2Error, ValueError) as error:
            return Way(name, False, f"it begins HTTP/2, then {error}" if connection.settled else "")
        return _waited(name, connection)


def _waited(name: str, connection: Http2Connection) -> Way:
    wait = f"/wait?ms={EACH_MS}"
    at_once = _UNTIMED
    try:
        connection.ask([wait] * at_once, _LONG_S)
        at_once, began = STREAMS, time.monotonic()
        answers = connection.ask([wait] * at_once, _LONG_S)
    except Http2Error as error:
        return Way(
            name, True, f"it {error}, when {number_of(at_once, 'request')} wait on one connection"
        )
    took_s = time.monotonic() - began
    wrong = sum(each.status != 200 for each in answers)
    why = f"it answers {wrong} of {STREAMS} waits on one connection wrongly" if wrong else ""
    return Way(name, True, why, None if wrong else took_s)
