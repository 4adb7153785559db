"""TLS over a socket that never blocks, in a process that gevent has patched as in any other."""

from __future__ import annotations

import contextlib
import socket
import ssl
from collections.abc import Iterator
from typing import Any

from loadtest.system.sockets import READ, WRITE, NamedError

_CIPHERTEXT = 65_536  # bytes that are read from the socket at a time


def client_context(*, insecure: bool = False) -> ssl.SSLContext:
    """What certificates are accepted: those that this machine trusts, or any.

    SSL_CERT_FILE and SSL_CERT_DIR name others to trust.
    """
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    if insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def is_alert(error: ssl.SSLError) -> bool:
    """Whether the other side said no: it speaks TLS, and may want a certificate of the client."""
    return "ALERT" in (error.reason or "")


class TlsSocket:
    """As much of a socket as a connection needs, with TLS on top of the socket `plain`.

    Python's own SSLSocket is gevent's in a patched process; this is OpenSSL on two buffers. What
    has gone wrong has a name: "certificate: …" or "TLS: …".
    """

    def __init__(self, plain: Any, context: ssl.SSLContext, server_name: str) -> None:
        self._plain = plain
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(
            self._incoming, self._outgoing, server_hostname=server_name or None
        )
        self._unsent = b""  # encrypted, and not yet taken by the socket
        self._owed = 0  # bytes of what is offered next that are encrypted already
        self.fileno, self.connect_ex = plain.fileno, plain.connect_ex
        self.getsockopt = plain.getsockopt

    def shake(self) -> int:
        """Go on with the handshake; what has to be awaited for its next step, 0 if it is over."""
        try:
            with contextlib.suppress(BlockingIOError):
                self._fill()
            with _named():
                self._tls.do_handshake()
        except ssl.SSLWantReadError:
            self._flush()
            return READ | WRITE if self._unsent else READ
        except ssl.SSLEOFError:
            raise NamedError("connection closed") from None
        except NamedError:
            with contextlib.suppress(OSError):
                self._flush()  # says why to the server
            raise
        self._flush()
        return READ | WRITE if self._unsent else 0

    def recv(self, _: int, /) -> bytes:
        """All that has come, empty if the server has closed; BlockingIOError where nothing has."""
        with contextlib.suppress(BlockingIOError):
            self._fill()
        parts: list[bytes] = []
        ended = False
        try:
            with _named():
                while not ended:
                    parts.append(self._tls.read(_CIPHERTEXT))
                    ended = not parts[-1]
        except ssl.SSLWantReadError:
            pass
        except (ssl.SSLEOFError, ssl.SSLZeroReturnError):
            ended = True
        if self._outgoing.pending:
            self._flush()
        return self._received(b"".join(parts), ended=ended)

    def _received(self, data: bytes, *, ended: bool) -> bytes:
        if data and ended:
            with contextlib.suppress(OSError):
                self._plain.shutdown(socket.SHUT_RD)  # so that the poller tells of the end, too
        if not data and not ended:
            raise BlockingIOError
        return data

    def send(self, data: bytes, /) -> int:
        """How much of `data` has left; BlockingIOError where nothing has.

        What is encrypted cannot be taken back. Where only a part of it has left, all of `data` but
        its first byte is said to be unsent, and has to be offered again, as OpenSSL itself asks.
        """
        new = not self._owed
        if new:
            self._encrypt(data)
            self._owed = len(data)
        offered = len(self._unsent) + self._outgoing.pending
        self._flush()
        if not self._unsent:
            sent, self._owed = self._owed, 0
            return sent
        if new and self._owed > 1 and len(self._unsent) < offered:
            self._owed -= 1
            return 1
        raise BlockingIOError

    def close(self) -> None:
        """Take leave of the server, if it listens, and close."""
        with contextlib.suppress(OSError, ValueError):
            with contextlib.suppress(ssl.SSLError):
                self._tls.unwrap()
            self._flush()
        self._plain.close()

    def _encrypt(self, data: bytes) -> None:
        left = memoryview(data)
        with _named():
            while left:
                left = left[self._tls.write(left) :]

    def _fill(self) -> None:
        got = self._plain.recv(_CIPHERTEXT)
        if got:
            self._incoming.write(got)
        else:
            self._incoming.write_eof()

    def _flush(self) -> None:
        self._unsent += self._outgoing.read()
        gone = 0
        try:
            while gone < len(self._unsent):
                gone += self._plain.send(memoryview(self._unsent)[gone:])
        except BlockingIOError:
            pass
        except OSError:
            if not gone:  # else it is told again, and not that nothing has left
                raise
        self._unsent = self._unsent[gone:]


@contextlib.contextmanager
def _named() -> Iterator[None]:
    """Gives errors of OpenSSL their names; that more has to come is none."""
    try:
        yield
    except (ssl.SSLWantReadError, ssl.SSLEOFError, ssl.SSLZeroReturnError):
        raise
    except ssl.SSLCertVerificationError as error:
        said = error.verify_message.rstrip(".")
        raise NamedError(f"certificate: {said[:1].lower()}{said[1:]}") from None
    except ssl.SSLError as error:
        raise NamedError(f"TLS: {_reason(error)}") from None


def _reason(error: ssl.SSLError) -> str:
    return (error.reason or str(error)).replace("_", " ").lower()
