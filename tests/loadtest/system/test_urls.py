"""What answers, and what does not, whatever the machine's proxy."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from loadtest.system import urls
from loadtest.system.ports import held
from tests.lying_servers import OK, answering, once, serving

REFUSED = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"


@pytest.fixture
def nobody() -> Iterator[str]:
    """A URL at which nothing listens all through the test."""
    with held(1) as [port]:
        yield f"http://127.0.0.1:{port}"


@pytest.fixture(autouse=True)
def proxy(monkeypatch: pytest.MonkeyPatch, nobody: str) -> None:
    """An office's proxy, which knows nothing of this machine."""
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, nobody)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)


def test_a_success_is_an_answer() -> None:
    with serving(answering(OK)) as port:
        url = f"http://127.0.0.1:{port}/"
        assert urls.answers(url)
        assert urls.read(url, 2.0) == OK.partition(b"\r\n\r\n")[2]


@pytest.mark.parametrize("said", [REFUSED, b"", b"nonsense\r\n\r\n", OK[:-3]], ids=repr)
def test_all_else_is_none(said: bytes) -> None:
    with serving(once(said)) as port:
        assert not urls.answers(f"http://127.0.0.1:{port}/")
    with serving(once(said)) as port, pytest.raises(OSError, match=r"\S"):
        urls.read(f"http://127.0.0.1:{port}/", 2.0)


def test_silence_is_none_in_time(nobody: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        assert not urls.answers(url, 0.05)
    assert not urls.answers(nobody)
