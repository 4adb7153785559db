"""Thousands of connections on one event loop: load as fast as one core can make it.

A general-purpose client parses, allocates and dispatches for every response. Here requests are
bytes, prepared once. The first right answer is parsed and checked. Later answers are compared with
it byte for byte, and only what differs is parsed and checked again. So no answer goes unchecked.
"""

from __future__ import annotations

import math
import time
from collections import defaultdict
from collections.abc import Callable

from loadtest.engine.connection import READ_SIZE, Connection
from loadtest.engine.reactor import Reactor, Standstill
from loadtest.engine.request import Request
from loadtest.engine.stream import OpenStream, Stream
from loadtest.engine.tally import Batch, Slice, Slices, Tally
from loadtest.model.load import SLICE_S
from loadtest.system.sockets import READ

Observer = Callable[[list[Batch]], None]

SWEEP_INTERVAL_S = 0.1
PAUSE_S = 0.02  # from which on the loop stands still; a turn of its own work takes less
_DRAIN_AFTER = 2000


def _unwatched(_: str) -> None:
    """Nobody wants to know of a window's ends."""


class Engine(Reactor[Connection]):
    """One process's event loop. `observers` get what happened, four times a second."""

    def __init__(self) -> None:
        super().__init__()
        self.observers: list[Observer] = []
        self.streams: list[Stream] = []
        self.tallies: dict[Stream, Tally] = {}
        self.measured = False
        self.window_started_at = 0.0
        self._recorded = 0
        self._opening = 0
        self._window_begins = 0.0
        self._slices: dict[Stream, Slices] = {}
        self._cpu_began = 0.0
        self.standstill = Standstill()  # since the window began, or since it was set anew
        self._stepped_at, self._may_wait_s = self.now(), 0.0
        self._in_window = False
        self.at(self.now() + SWEEP_INTERVAL_S, self._sweep)
        self._publish_from(self.now())

    # Streams and connections

    def add_stream(self, stream: Stream) -> None:
        """Let a stream take part; its connections come by `add_connection`."""
        self.streams.append(stream)
        if self._in_window:
            self.tallies[stream] = stream.new_tally(self.now())

    def remove_stream(self, stream: Stream) -> None:
        """Take a stream out, with all its connections."""
        for connection in list(stream.connections):
            connection.remove(self.now())
        self._publish_streams([stream])
        self.streams.remove(stream)

    def add_connection(self, stream: Stream) -> Connection:
        """Open one more connection of `stream`, a little after the one before."""
        connection = Connection(stream)
        stream.connections.add(connection)
        stream.opening_at = max(self.now(), stream.opening_at + stream.opening_interval_s)
        self._opening += 1
        self.at(stream.opening_at, lambda now: self._open(connection, now))
        return connection

    def _open(self, connection: Connection, now: float) -> None:
        self._opening -= 1
        connection.start(now)

    @property
    def opened(self) -> int:
        """How many connections have had their turn."""
        return sum(len(stream.connections) for stream in self.streams) - self._opening

    # The window

    def measure(
        self, begins_in_s: float, lasts_s: float, entered: Callable[[str], None] = _unwatched
    ) -> None:
        """Measure one window; nothing is sent after its end. `measured` tells when it is over.

        What is sent from now on until it begins is the warm-up: drawn, but not counted. `entered`
        is told "measured" and "done" at its ends, at once: other greenlets wake up much later.
        """
        now = self.now()
        self._publish_streams(self.streams)
        self._publish_from(now + (begins_in_s % SLICE_S or SLICE_S))
        self._window_begins = now + begins_in_s
        self._slices = {stream: defaultdict(Slice) for stream in self.streams}
        self.at(self._window_begins, lambda now: self._begin_window(now, lasts_s, entered))

    def _begin_window(self, now: float, lasts_s: float, entered: Callable[[str], None]) -> None:
        self._publish_streams(self.streams)
        self._window_begins = now
        self.window_started_at = time.time()
        self._publish_from(now + SLICE_S)
        self._cpu_began = time.process_time()
        self.standstill = Standstill()
        self._in_window = True
        self.tallies = {stream: stream.new_tally(now) for stream in self.streams}
        self.at(now + lasts_s, lambda now: self._end_window(now, lasts_s, entered))
        entered("measured")

    def _end_window(self, now: float, planned_s: float, entered: Callable[[str], None]) -> None:
        self._publish_streams(self.streams)
        cpu_s = time.process_time() - self._cpu_began
        for stream, tally in self.tallies.items():
            tally.duration_s = now - self._window_begins
            tally.planned_s = planned_s
            tally.cpu_s = cpu_s
            tally.longest_pause_s = self.standstill.longest_s
            tally.stood_still_s = self.standstill.in_all_s
            tally.slices = self._slices.get(stream, tally.slices)
            stream.close_tally(tally, now)
            stream.stop()
        self._slices = {}
        self._in_window = False
        self.measured = True
        entered("done")

    @property
    def in_flight(self) -> int:
        """Requests in hand now."""
        return sum(stream.in_flight for stream in self.streams)

    @property
    def waits_for_more(self) -> bool:
        """Whether answers to what was in hand at the window's end are still worth waiting for."""
        now = self.now()
        return any(stream.waits_for_more(now) for stream in self.tallies)

    def settle(self) -> None:
        """The waiting after the window is over: complete the tallies."""
        now = self.now()
        for stream, tally in self.tallies.items():
            stream.settle(tally, now)

    # The loop

    def run(self, until: Callable[[], bool]) -> None:
        """Go on until `until()` holds. Between two runs the loop does not stand still."""
        self._stepped_at, self._may_wait_s = self.now(), 0.0
        while not until():
            self.step(0.1)
        self._turned(self.now())

    def step(self, longest_s: float) -> bool:
        """Do what is due, wait at most `longest_s`, deal with what came (True: something)."""
        now = self.now()
        self._turned(now)
        if self.next_at <= now:
            self._send_due(now)  # before a window ends: what became due in it belongs to it
            self.act(now)
        due = self._send_due(now)
        self._may_wait_s = max(0.0, min(longest_s, self.next_at - now))
        events = self.wait(self._may_wait_s, due - now)
        if events:
            self._handle(events, due)
        return bool(events)

    def _turned(self, now: float) -> None:
        """Note what passed since the last turn beside its waiting."""
        lasted_s = now - self._stepped_at - self._may_wait_s
        self._stepped_at, self._may_wait_s = now, 0.0
        if lasted_s > PAUSE_S:
            self.standstill.add(lasted_s)

    def _send_due(self, now: float) -> float:
        """Send the open loads' due requests; when the next one is due."""
        due = float("inf")
        for stream in self.streams:
            if isinstance(stream, OpenStream):
                if stream.due_at <= now:
                    stream.send_due(now)
                due = min(due, stream.due_at)
        return due

    def _handle(self, events: list[tuple[int, int]], due: float) -> None:
        connections, clock = self.watched, self.now
        for fd, mask in events:
            connection = connections.get(fd)
            if connection is None:
                continue
            if mask != READ or not connection.hot:
                if fd not in self.new:  # else the event was for the socket before it
                    connection.ready(mask, clock())
                continue
            try:
                data = connection.recv(READ_SIZE)
            except BlockingIOError:
                continue
            except OSError as error:
                connection.broken(error, clock())
                continue
            now = clock()
            request: Request = connection.request  # type: ignore[assignment] # hot: it has one
            stream = connection.stream
            if data != request.verified or not stream.runs_on:
                connection.take(data, now)
                if now >= due:
                    due = self._send_due(now)
                continue
            request.series.service_time.append(now - connection.begun)
            request.hits += 1
            _send_next(connection, now)
        self._drain_after(len(events))

    def _drain_after(self, events: int) -> None:
        self._recorded += events
        if self._recorded > _DRAIN_AFTER:
            self._recorded = 0
            for stream in self.streams:
                stream.drain()

    def _sweep(self, now: float) -> None:
        for stream in self.streams:
            stream.sweep(now)
        self.at(now + SWEEP_INTERVAL_S, self._sweep)

    def _publish_from(self, due: float) -> None:
        """Publish at `due` and then every `SLICE_S`; an earlier series ends."""
        self._publish_at = due
        self.at(due, self._publish)

    def _publish(self, now: float) -> None:
        if now >= self._publish_at:
            self._publish_streams(self.streams)
            self._publish_from(max(self._publish_at + SLICE_S, now))

    def _publish_streams(self, streams: list[Stream]) -> None:
        number = math.floor((self.now() - self._window_begins) / SLICE_S - 0.5)
        # However late the window begins: what came before is the warm-up's.
        number = max(number, 0) if self._in_window else min(number, -1)
        batches = []
        for stream in streams:
            taken = stream.take()
            batches += taken
            for batch in taken:
                if stream in self._slices:
                    self._slices[stream][number].add(batch)
                if self._in_window:
                    self.tallies[stream].add(batch)
        if batches:
            for observer in self.observers:
                observer(batches)

    def close(self) -> None:
        """Close every connection and the poller."""
        for stream in list(self.streams):
            self.remove_stream(stream)
        super().close()


def _send_next(connection: Connection, now: float) -> None:
    """A right answer has come in a closed load: the next request leaves at once."""
    try:
        connection.request = request = next(connection.requests)
    except StopIteration:
        connection.rest(now)
        return
    connection.begun = now
    connection.stream.sent += 1
    if request.series is None:
        connection.stream.series(request)
    try:
        sent = connection.send(request.data)
    except BlockingIOError:
        sent = 0
    except OSError as error:
        connection.broken(error, now, unsent=True)
        return
    if sent != len(request.data):
        connection.hold_back(request.data[sent:])
