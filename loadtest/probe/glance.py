"""Looks once before the load: whether a right answer comes, how large, over what connection."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from loadtest.analysis.amounts import amount
from loadtest.engine.own_request import begin_answer, own_traffic
from loadtest.engine.tls import client_context, is_alert
from loadtest.model.counts import number_of
from loadtest.model.target import Target
from loadtest.probe import refusals
from loadtest.probe.limits import WARM_UP_S, Allowance, ProbeError
from loadtest.probe.record import Glance
from loadtest.system import urls
from loadtest.system.sockets import Address

STILL_WAITS_S = 1.0  # an answer is waited for so long at least, however little time is left
ASK_AGAIN_S = 0.5
_PART_BYTES = 65_536
_LIMIT_FIELDS = ("retry-after", "ratelimit", "ratelimit-policy", "x-ratelimit-limit")
_CLOSED = (ConnectionError, ssl.SSLEOFError)  # or refused
_MAY_WANT = "it may want a certificate of the client, which a probe can't send"


class GoneError(ProbeError):
    """Refused, or closed without an answer: the service may be gone."""


@dataclass(frozen=True)
class _Reply:
    """One answer as it came."""

    status: int
    fields: http.client.HTTPMessage
    version: str
    size: int
    digest: bytes
    took_s: float
    kept: bool


def look(
    target: Target,
    address: Address,
    allowance: Allowance,
    waiting: Callable[[str], None] = lambda _: None,
) -> Glance:
    """Ask twice, one after the other; raises ProbeError where a load would measure no service.

    A service that answers 503 may be starting: it is asked again for `WARM_UP_S`.
    """
    first, second, connect_s = _warm(target, address, allowance, waiting)
    for reply in (first, second):
        if why := refusals.of_status(target, reply.status, reply.fields, warm_up_s(allowance)):
            raise ProbeError(f"{target.url} {why}")
    return Glance(
        status=second.status,
        version=second.version,
        server=second.fields.get("server", ""),
        size=second.size,
        took_s=second.took_s,
        first_s=first.took_s,
        connect_s=connect_s,
        kept=first.kept,
        same=first.digest == second.digest,
        limit=next((second.fields[each] for each in _LIMIT_FIELDS if each in second.fields), ""),
    )


def gone(target: Target, address: Address, allowance: Allowance, within_s: float) -> str:
    """Why the service seems to have ended; empty where it lives, whatever it says.

    One request. It lives, too, where nothing comes in time: a backlog that is full takes no
    connection, and a long queue gives no answer.
    """
    half_s = within_s / 2  # to connect, and to answer
    try:
        with _in_words(target), _connected(target, address, half_s) as sock:
            _ask(sock, target, allowance, half_s)
    except GoneError as error:
        return str(error)
    except ProbeError:
        return ""
    return ""


def sentence(seen: Glance) -> str:
    """What was seen, in one line."""
    kept = "keeps connections" if seen.kept else "closes connections"
    parts = (
        f"it answers {seen.status}",
        f"{number_of(seen.size, 'byte')} in {amount(1000 * seen.took_s)} ms",
        *(seen.version, kept, seen.server),
    )
    return ", ".join(filter(None, parts))


def _warm(
    target: Target, address: Address, allowance: Allowance, waiting: Callable[[str], None]
) -> tuple[_Reply, _Reply, float]:
    ends = time.monotonic() + warm_up_s(allowance)
    told = False
    while True:
        found = _twice(target, address, allowance)
        if found[0].status != 503 or target.status == 503 or time.monotonic() > ends:
            return found
        if not told:
            waiting("it answers 503: waiting whether it is only starting")
        told = True
        time.sleep(ASK_AGAIN_S)


def warm_up_s(allowance: Allowance) -> float:
    """How many seconds a service may say 503 at first."""
    return min(WARM_UP_S, allowance.seconds / 4)


def _twice(target: Target, address: Address, allowance: Allowance) -> tuple[_Reply, _Reply, float]:
    """Two answers, over one connection where the server keeps it, and the time of connecting."""
    began = time.perf_counter()
    sock = _connected(target, address, _within_s(allowance))
    connect_s = time.perf_counter() - began
    try:
        with _in_words(target):
            first = _ask(sock, target, allowance, _within_s(allowance))
            if not first.kept:
                sock.close()
                sock = _connected(target, address, _within_s(allowance))
            try:
                return first, _ask(sock, target, allowance, _within_s(allowance)), connect_s
            except _CLOSED:  # it said that it keeps it, and did not
                first = replace(first, kept=False)
                sock.close()
                sock = _connected(target, address, _within_s(allowance))
                return first, _ask(sock, target, allowance, _within_s(allowance)), connect_s
    finally:
        sock.close()


def _within_s(allowance: Allowance) -> float:
    """How long to wait for what comes next, in tenths of a second where little time is left."""
    return min(allowance.timeout_s, max(STILL_WAITS_S, round(allowance.left_s, 1)))


@contextlib.contextmanager
def _in_words(target: Target) -> Iterator[None]:
    """What ends an open connection becomes a ProbeError of one line."""
    try:
        yield
    except ConnectionError:
        raise GoneError(
            f"{target.url}: the connection was closed without an answer; {_instead(target)}"
        ) from None
    except ssl.SSLError as error:
        ended = f"TLS ended after the handshake ({error.reason or error})"
        kind = GoneError if isinstance(error, _CLOSED) else ProbeError
        raise kind(f"{target.url}: {ended}; {_instead(target)}") from None
    except OSError as error:
        raise ProbeError(f"{target.url}: {error.strerror or error}") from None


def _connected(target: Target, address: Address, timeout_s: float) -> socket.socket:
    host, port = urls.endpoint(target.url)
    family, at = address
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.settimeout(timeout_s)
    connected = False
    try:
        sock.connect(at)
        connected = True
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if target.url.startswith("https:"):
            context = client_context(insecure=target.insecure)
            return context.wrap_socket(sock, server_hostname=host)
    except OSError as error:
        sock.close()
        kind = GoneError if isinstance(error, _CLOSED) else ProbeError
        raise kind(_unreached(target, host, port, error, connected=connected)) from None
    return sock


def _unreached(target: Target, host: str, port: int, error: OSError, *, connected: bool) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        said = error.verify_message.rstrip(".")
        return f"{target.url}: certificate: {said}; --insecure asks all the same"
    if isinstance(error, ssl.SSLError):
        instead = _MAY_WANT if is_alert(error) else "is it http://?"
        return f"{target.url}: no TLS with it ({error.reason or error}); {instead}"
    if isinstance(error, ConnectionRefusedError):
        return f"{target.url}: nothing listens on {host} port {port}; start the service first"
    if isinstance(error, TimeoutError) and connected:
        return f"{target.url}: no handshake of TLS came back; is it http://?"
    if isinstance(error, TimeoutError):
        return f"{target.url}: {host} port {port} takes no connection; check host and firewall"
    return f"{target.url}: {error.strerror or error}"


def _ask(sock: socket.socket, target: Target, allowance: Allowance, within_s: float) -> _Reply:
    began = time.perf_counter()
    allowance.sent += 1
    size, digest = 0, hashlib.sha256()
    response = http.client.HTTPResponse(sock, method=target.method)
    try:
        sock.settimeout(within_s)
        sock.sendall(next(own_traffic(target)()).data)
        begin_answer(response, within_s)
        for part in _parts(response, sock, began + within_s):
            size += len(part)
            digest.update(part)
    except TimeoutError:
        raise ProbeError(refusals.too_late(target, size, within_s)) from None
    except http.client.RemoteDisconnected:
        raise
    except http.client.IncompleteRead:
        raise ProbeError(f"{target.url}: its answer was cut off; its log says why") from None
    except http.client.HTTPException as error:
        what = f"no HTTP ({type(error).__name__})"
        raise ProbeError(f"{target.url}: {what}; {_other(target)}") from None
    return _Reply(
        status=response.status,
        fields=response.headers,
        version=f"HTTP/{response.version // 10}.{response.version % 10}",
        size=size,
        digest=digest.digest(),
        took_s=time.perf_counter() - began,
        kept=not response.will_close,
    )


def _parts(response: http.client.HTTPResponse, sock: socket.socket, ends: float) -> Iterator[bytes]:
    """The body; TimeoutError where it goes on for longer, IncompleteRead where it is cut off."""
    while part := response.read1(_PART_BYTES) if response.length != 0 else b"":
        yield part
        left_s = ends - time.perf_counter()
        if left_s <= 0:
            raise TimeoutError
        sock.settimeout(left_s)
    if response.length:
        raise http.client.IncompleteRead(b"", response.length)


def _instead(target: Target) -> str:
    """What to try where a connection gave no answer: after a handshake it is no plain HTTP."""
    if target.url.startswith("https:"):
        return _MAY_WANT
    return _other(target)


def _other(target: Target) -> str:
    scheme = "https" if target.url.startswith("http:") else "http"
    return f"is it {scheme}://?"
