"""One question to anybody's service and its answer: no redirect is followed, no proxy is used."""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass

from loadtest.engine.own_request import begin_answer, own_request
from loadtest.engine.tls import client_context, is_alert
from loadtest.errors import LabError
from loadtest.model.target import Target
from loadtest.system import urls

ANSWER_WITHIN_S = 30.0
SAFE = ("GET", "HEAD", "OPTIONS")  # may be asked once more than needed
_PART = 65_536  # bytes
_ALL_THE_SAME = "--insecure (in a file: insecure = true) asks it all the same"
_CERTIFICATE = "it wants a certificate of the client, which can't be sent"
_PLAIN_OR_CERTIFICATE = f"is it http://? Or {_CERTIFICATE}"


class NoAnswer(LabError):
    """No answer came, or none of HTTP; the message says what was wrong, without the URL."""


@dataclass(frozen=True)
class Heard:
    """An answer. Names of `headers` are in small letters; `took_s` includes connecting."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    took_s: float
    kept: bool  # whether the server keeps the connection


def ask(target: Target, within_s: float = ANSWER_WITHIN_S) -> Heard:
    """Ask once, as a load does, over a new connection; raises NoAnswer."""
    try:
        return _asked(target, within_s)
    except ssl.SSLCertVerificationError as error:
        said = error.verify_message.rstrip(".")
        raise NoAnswer(f"certificate: {said}; {_ALL_THE_SAME}") from None
    except ssl.SSLError as error:
        raise NoAnswer(f"no TLS with it ({error.reason or error}); {_of_tls(error)}") from None
    except socket.gaierror:
        raise NoAnswer("there is no such host") from None
    except TimeoutError:
        raise NoAnswer(f"no whole answer within {within_s:g} s") from None
    except ConnectionRefusedError:
        raise NoAnswer("nothing listens there; start it, or mend the URL") from None
    except (ConnectionError, http.client.RemoteDisconnected):
        instead = "is it https://?" if target.url.startswith("http:") else _PLAIN_OR_CERTIFICATE
        raise NoAnswer(f"it closed the connection without an answer; {instead}") from None
    except http.client.IncompleteRead:
        raise NoAnswer("its answer was cut off") from None
    except http.client.HTTPException as error:
        raise NoAnswer(f"what it answers is no HTTP ({type(error).__name__})") from None
    except OSError as error:
        raise NoAnswer(f"it can't be asked: {error.strerror or error}") from None


def _of_tls(error: ssl.SSLError) -> str:
    """What may be wrong. A bare end, with or without a handshake before it, tells little."""
    if is_alert(error):
        return _CERTIFICATE
    return _PLAIN_OR_CERTIFICATE if isinstance(error, ssl.SSLEOFError) else "is it http://?"


def _asked(target: Target, within_s: float) -> Heard:
    began = time.monotonic()
    with (
        _connected(target, within_s) as sock,
        contextlib.closing(http.client.HTTPResponse(sock, method=target.method)) as response,
    ):
        sock.sendall(own_request(target).data)
        begin_answer(response, within_s)
        body = _body(response, began + within_s)
    return Heard(
        status=response.status,
        headers={name.lower(): value for name, value in response.getheaders()},
        body=body,
        took_s=time.monotonic() - began,
        kept=not response.will_close,
    )


def _connected(target: Target, within_s: float) -> socket.socket:
    """A connection to the first of the host's addresses that takes one."""
    host, port = urls.endpoint(target.url)
    plain = socket.create_connection((host, port), within_s)
    if not target.url.startswith("https:"):
        return plain
    try:
        context = client_context(insecure=target.insecure)
        return context.wrap_socket(plain, server_hostname=host)
    except OSError:
        plain.close()
        raise


def _body(response: http.client.HTTPResponse, deadline: float) -> bytes:
    """The whole body; TimeoutError where it goes on for longer, as a stream does."""
    found = []
    while part := response.read1(_PART):
        found.append(part)
        if time.monotonic() > deadline:
            raise TimeoutError
    if response.length:
        raise http.client.IncompleteRead(b"", response.length)
    return b"".join(found)
