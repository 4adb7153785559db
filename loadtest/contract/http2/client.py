"""One connection that speaks HTTP/2: many requests on it side by side, by the library h2."""

from __future__ import annotations

import socket
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    Event,
    RemoteSettingsChanged,
    ResponseReceived,
    StreamEnded,
    StreamReset,
)
from h2.exceptions import ProtocolError

from loadtest.errors import LabError

_AT_A_TIME = 65_536  # bytes


class Http2Error(LabError):
    """The other side speaks no HTTP/2, or not as it should; the message says how that showed."""


@dataclass
class Answered:
    """What came back to one request."""

    status: int = 0
    body: bytes = b""


class Http2Connection:
    """HTTP/2 from the first byte on `connected`: by prior knowledge, or agreed upon by TLS."""

    def __init__(self, connected: socket.socket, scheme: str, authority: str) -> None:
        self._socket = connected
        self._head = [(":method", "GET"), (":scheme", scheme), (":authority", authority)]
        self._protocol = H2Connection(H2Configuration(client_side=True))
        self._answers: dict[int, Answered] = {}
        self._ended: set[int] = set()
        self.settled = False  # whether the server has said how many requests it takes at once

    def __enter__(self) -> Http2Connection:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._socket.close()

    def ask(self, paths: Sequence[str], timeout_s: float) -> list[Answered]:
        """GET all of them, as many at once as the server takes; raises Http2Error.

        A request that the server has ended without an answer has the status 0.
        """
        end = time.monotonic() + timeout_s
        waiting, streams = deque(paths), list[int]()
        try:
            if not self.settled:
                self._protocol.initiate_connection()
            while waiting or not self._ended.issuperset(streams):
                if self.settled:
                    streams += self._begin(waiting)
                self._socket.sendall(self._protocol.data_to_send())
                self._receive(end)
        except (OSError, ProtocolError) as error:
            raise Http2Error(_told(error)) from None
        return [self._answers[stream] for stream in streams]

    def _begin(self, waiting: deque[str]) -> list[int]:
        begun = []
        protocol = self._protocol
        most = protocol.remote_settings.max_concurrent_streams
        while waiting and protocol.open_outbound_streams < most:
            stream = protocol.get_next_available_stream_id()
            head = [*self._head, (":path", waiting.popleft())]
            protocol.send_headers(stream, head, end_stream=True)
            self._answers[stream] = Answered()
            begun.append(stream)
        return begun

    def _receive(self, end: float) -> None:
        self._socket.settimeout(max(0.001, end - time.monotonic()))
        received = self._socket.recv(_AT_A_TIME)
        if not received:
            raise Http2Error("closes the connection")
        if not self.settled and received.startswith(b"HTTP/"):
            raise Http2Error("answers in an older protocol")
        for event in self._protocol.receive_data(received):
            self._take(event)

    def _take(self, event: Event) -> None:
        match event:
            case RemoteSettingsChanged():
                self.settled = True
            case ResponseReceived():
                headers = dict(event.headers or ())
                self._answers[event.stream_id].status = int(headers[b":status"])
            case DataReceived():
                self._answers[event.stream_id].body += event.data
                self._protocol.acknowledge_received_data(
                    event.flow_controlled_length, event.stream_id
                )
            case StreamEnded() | StreamReset():
                self._ended.add(event.stream_id)
            case ConnectionTerminated():
                raise Http2Error(f"ends the connection (error {int(event.error_code or 0)})")


def _told(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "does not answer in time"
    if isinstance(error, ConnectionError):  # reset: it closed before it had read everything
        return "closes the connection"
    return "breaks the protocol" if isinstance(error, ProtocolError) else str(error)
