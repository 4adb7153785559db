"""`python -m lab.healthcheck`."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from lab import healthcheck
from loadtest import ports


@contextmanager
def answering(status: int) -> Iterator[int]:
    """A server that answers everything with `status`, on the port that it yields."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/readyz" else 404)
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def test_ready() -> None:
    with answering(200) as port:
        assert healthcheck.check(port) == ""


def test_unready_says_so() -> None:
    with answering(503) as port:
        assert "503" in healthcheck.check(port)


def test_nobody_there_is_unhealthy(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (port,) = ports.free(1)
    monkeypatch.setenv("PORT", str(port))
    assert healthcheck.main() == 1
    assert str(port) in capsys.readouterr().err
