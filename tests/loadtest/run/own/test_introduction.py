"""Before the first trial services of the user's own have to answer alike; if not, it is told."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from loadtest.backends.asking import ask
from loadtest.backends.own import OwnServiceError, OwnServices
from loadtest.inventory.own_service import own_services
from loadtest.plan.parsing import parse
from loadtest.run.own import introduction
from loadtest.run.own.introduction import AnswersDiffer, Introduction
from tests.lying_servers import Script, answering, once, over_tls, serving


def answer(body: str = "hello", status: str = "200 OK", headers: str = "") -> bytes:
    return f"HTTP/1.1 {status}\r\n{headers}Content-Length: {len(body)}\r\n\r\n{body}".encode()


@contextlib.contextmanager
def introduced(
    folder: Path, a: Script, b: Script, scheme: str = "http", **keys: Any
) -> Iterator[tuple[Introduction, list[str]]]:
    with serving(a) as first, serving(b) as second:
        targets = {
            name: {"url": f"{scheme}://localhost:{port}/x"}
            for name, port in (("A", first), ("B", second))
        }
        experiment = parse("mine", {"targets": targets, **keys}, where="mine")
        found = own_services(experiment.targets, experiment.starts)
        said: list[str] = []
        with OwnServices(found, folder) as backend:
            yield Introduction(backend, experiment, said.append), said


def refusal(folder: Path, a: Script, b: Script, **keys: Any) -> str:
    with introduced(folder, a, b, **keys) as (found, _), pytest.raises(OwnServiceError) as refused:
        found.of(("A", "B"))
    assert "\n" not in str(refused.value)
    return str(refused.value)


def test_services_that_answer_alike_are_told_with_what_they_answer(tmp_path: Path) -> None:
    servers = answering(answer(headers="Server: toy\r\n")), once(answer("other"))
    with introduced(tmp_path, *servers) as (found, said):
        arrivals = found.of(("A", "B"))
    assert arrivals["A"].observed["server"] == "toy"
    assert (arrivals["A"].observed["status"], arrivals["B"].observed["bytes"]) == (200, 5)
    assert not any(each.wrong for each in arrivals.values())
    assert "A answers 200 with 5 bytes" in said[-1]


@pytest.mark.parametrize(
    ("status", "headers", "told"),
    [
        ("302 Found", "Location: /login\r\n", "it leads to /login"),
        ("401 Unauthorized", "", "--header"),
        ("403 Forbidden", "", "--header"),
        ("404 Not Found", "", "--expect 404"),
        ("405 Method Not Allowed", "Allow: POST\r\n", "it allows POST"),
        ("429 Too Many Requests", "", "it limits how much it is asked"),
        ("500 Internal Server Error", "", "--expect 500"),
    ],
)
def test_a_wrong_status_is_told_with_what_to_do(
    tmp_path: Path, status: str, headers: str, told: str
) -> None:
    wrong = answering(answer(status=status, headers=headers))
    said = refusal(tmp_path, answering(answer()), wrong)
    assert said.startswith("B: GET http://localhost:")
    assert f"is answered {status[:3]}" in said
    assert told in said


def test_a_status_that_is_asked_for_is_right(tmp_path: Path) -> None:
    gone = answering(answer(status="404 Not Found"))
    with introduced(tmp_path, gone, gone, request={"status": 404}) as (found, _):
        assert found.of(("A", "B"))["B"].observed["status"] == 404
    said = refusal(tmp_path, gone, answering(answer()), request={"status": 404})
    assert "is answered 200, not 404" in said


def test_services_whose_status_differs_are_not_compared(tmp_path: Path) -> None:
    made = answering(answer(status="201 Created"))
    with (
        introduced(tmp_path, answering(answer()), made) as (found, _),
        pytest.raises(AnswersDiffer, match="B answers 201, A answers 200"),
    ):
        found.of(("A", "B"))


def test_bodies_are_compared_where_that_is_asked_for(tmp_path: Path) -> None:
    servers = answering(answer("one two three")), answering(answer("one 2 three"))
    with introduced(tmp_path, *servers) as (found, _):
        found.of(("A", "B"))
        assert found.body(found._experiment.levels[0]) is None
    said = refusal(tmp_path, *servers, same_body=True)
    assert "from byte 4 B has '2 three', A 'two three'" in said
    with introduced(tmp_path, servers[0], servers[0], same_body=True) as (found, _):
        found.of(("A", "B"))
        assert found.body(found._experiment.levels[0]) == "one two three"


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"text", ""),
        (b"x" * 1_000_000, ""),
        (b"x" * 1_000_001, "they have 1,000,001 bytes, and up to 1,000,000 are"),
        (b"\x89PNG\xff", "they are no text"),
    ],
    ids=["text", "1 MB", "more", "binary"],
)
def test_bodies_that_only_the_first_look_compares_are_told(
    tmp_path: Path, body: bytes, told: str
) -> None:
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    script = answering(head + body)
    with introduced(tmp_path, script, script, same_body=True) as (found, said):
        found.of(("A", "B"))
        assert (found.body(found._experiment.levels[0]) is None) == bool(told)
    lines = [line for line in said if line.startswith("bodies are compared now only: ")]
    assert len(lines) == bool(told)
    assert all(told in line for line in lines)


def test_a_body_that_differs_each_time_is_told(tmp_path: Path) -> None:
    clock = answering(answer("12:00"))
    ticks = iter(range(100))

    def ticking(connection: Any) -> None:
        once(answer(f"12:{next(ticks):02}"))(connection)

    assert "A answers" not in refusal(tmp_path, clock, ticking, same_body=True)
    assert "different body each time" in refusal(tmp_path, ticking, clock, same_body=True)


def test_a_second_answer_has_to_be_right_too(tmp_path: Path) -> None:
    """As where a second order is a conflict."""
    made = iter([answer(status="201 Created"), answer("there already", status="409 Conflict")])

    def ordered(connection: Any) -> None:
        once(next(made))(connection)

    said = refusal(tmp_path, ordered, answering(answer()), same_body=True)
    assert "is answered 409" in said


def test_one_that_is_starting_still_gets_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(introduction, "NEXT_TRY_S", 0.01)
    answers = iter([*[answer(status="503 Service Unavailable")] * 3, *[answer()] * 9])

    def starting(connection: Any) -> None:
        once(next(answers))(connection)

    with introduced(tmp_path, answering(answer()), starting) as (found, _):
        assert found.of(("A", "B"))["B"].observed["status"] == 200


@pytest.mark.parametrize(
    ("script", "told"),
    [
        (once(b"SSH-2.0-OpenSSH_9.2\r\n"), "no HTTP"),
        (lambda _: None, "closed the connection without an answer"),
        (once(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab"), "cut off"),
    ],
)
def test_what_is_no_answer_is_told(tmp_path: Path, script: Script, told: str) -> None:
    assert told in refusal(tmp_path, answering(answer()), script)


def test_certificates_are_checked_unless_they_need_not_be(tmp_path: Path) -> None:
    secured = over_tls(answering(answer()))
    assert "--insecure" in refusal(tmp_path, secured, secured, scheme="https")
    keys: dict[str, Any] = {"scheme": "https", "request": {"insecure": True}}
    with introduced(tmp_path, secured, secured, **keys) as (found, _):
        assert found.of(("A", "B"))["A"].observed["status"] == 200

    def plain(connection: Any) -> None:
        connection.sendall(answer())

    assert "is it http://?" in refusal(tmp_path, plain, plain, scheme="https")


def test_each_path_is_asked_and_compared(tmp_path: Path) -> None:
    levels = [{"connections": 1}, {"connections": 2}, {"connections": 3, "path": "/y"}]
    servers = answering(answer()), answering(answer())
    with introduced(tmp_path, *servers, levels=levels, same_body=True) as (found, said):
        found.of(("A", "B"))
        assert len(said) == 2
        assert [found.body(level) for level in found._experiment.levels] == ["hello"] * 3


def test_a_window_that_is_too_short_for_an_answer_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    took_s = iter((0.01, 0.6))  # of A and of B
    monkeypatch.setattr(introduction, "ask", lambda each: replace(ask(each), took_s=next(took_s)))
    server = answering(answer())
    with introduced(tmp_path, server, server, duration_s=5) as (found, said):
        arrivals = found.of(("A", "B"))
    [warning] = arrivals["B"].warnings
    assert warning in said
    assert re.search(r"B takes \d\.\d+ s for an answer, and a window lasts 5 s", warning)
    assert not arrivals["A"].warnings
