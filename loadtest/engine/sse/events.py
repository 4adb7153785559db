"""Server-Sent Events out of a stream of bytes, as the HTML standard has them (9.2.6)."""

from __future__ import annotations

LARGEST_EVENT = 1_048_576  # bytes
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class EventError(Exception):
    """The bytes are no events; the message is the name to count that under."""


class EventReader:
    """Takes bytes as they come and gives the data of each event once it is whole.

    Lines end with CRLF, LF or CR. Comments and heartbeats are no events, nor is what has no data.
    """

    __slots__ = ("_after_cr", "_begun", "_data", "_has_data", "_rest", "_size")

    def __init__(self) -> None:
        self._rest = b""  # of a line that has not ended
        self._after_cr = False  # a LF that comes now is the same line's end
        self._begun = True  # no byte has come yet
        self._data: list[bytes] = []
        self._size = 0
        self._has_data = False

    @property
    def cut(self) -> bool:
        """Whether an event has begun that is not whole."""
        rest = self._rest.removeprefix(_BYTE_ORDER_MARK) if self._begun else self._rest
        return self._has_data or bool(rest and rest[:1] != b":")

    def feed(self, data: bytes) -> list[bytes]:
        """The data of the events that `data` completes; raises EventError."""
        if self._after_cr and data:
            data, self._after_cr = data.removeprefix(b"\n"), False
        if b"\r" in data:
            self._after_cr = data.endswith(b"\r")
            data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        *lines, self._rest = (self._rest + data).split(b"\n")
        found: list[bytes] = []
        for line in lines:
            self._take(line, found)
        if self._size + len(self._rest) > LARGEST_EVENT:
            raise EventError("event too large")
        return found

    def _take(self, line: bytes, found: list[bytes]) -> None:
        if self._begun:
            line, self._begun = line.removeprefix(_BYTE_ORDER_MARK), False
        if not line:
            if self._has_data:
                found.append(b"\n".join(self._data))
            self._data, self._size, self._has_data = [], 0, False
            return
        name, _, value = line.partition(b":")
        if name == b"data":
            self._data.append(value.removeprefix(b" "))
            self._size += len(value)
            self._has_data = True
