"""Services of the user's own: started, ready, stopped whatever happens, or told why not."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import psutil
import pytest

from loadtest.backends import own
from loadtest.backends.asking import ask
from loadtest.backends.own import OwnServiceError, OwnServices, reachable
from loadtest.inventory.own_service import own_services
from loadtest.model.experiment import CORES
from loadtest.model.start import Start
from loadtest.model.target import Target
from loadtest.system import ports
from loadtest.system.adoption import orphans
from loadtest.system.processes import ProcessError, wait_until
from tests.lying_servers import answering, serving
from tests.waiting import eventually, gone

# Says 503 until a file is there, then 200, with the variable that it was given.
TOY = """
import http.server, os, pathlib, sys
pathlib.Path("pid").write_text(str(os.getpid()))
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        ready = pathlib.Path("ready").exists()
        pathlib.Path("asked").touch()
        self.send_response(200 if ready or self.path == "/" else 503)
        self.end_headers()
        self.wfile.write(os.environ["GREETING"].encode())
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


@pytest.fixture
def port() -> Iterator[int]:
    with ports.held(1) as (found,):
        yield found


def services(
    folder: Path, port: int, *command: str, ready: str = "", path: str = "/"
) -> OwnServices:
    toy = command or (sys.executable, "-c", TOY, str(port))
    start = Start(toy, str(folder), ready, {"GREETING": "hello"})
    target = Target(f"http://127.0.0.1:{port}{path}")
    return OwnServices(own_services({"toy": target}, {"toy": start}), folder / "logs")


def test_it_is_started_and_gone_at_the_end(tmp_path: Path, port: int) -> None:
    with services(tmp_path, port) as backend:
        backend.start(["toy"])
        [pid] = backend.roots().values()
        assert ask(backend.own["toy"].target).body == b"hello"
        assert backend.alive("toy")
        if backend.cpus.service:
            assert set(psutil.Process(pid).cpu_affinity()) == backend.cpus.service
    assert eventually(lambda: gone(pid))


def test_it_is_gone_after_an_error_too(tmp_path: Path, port: int) -> None:
    def interrupted() -> None:
        with services(tmp_path, port) as backend:
            backend.start(["toy"])
            pids.extend(backend.roots().values())
            raise KeyboardInterrupt

    pids: list[int] = []
    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert eventually(lambda: gone(pids[0]))


def test_it_is_awaited_until_its_path_answers_200(tmp_path: Path, port: int) -> None:
    with services(tmp_path, port, ready="/healthz") as backend:
        starting = threading.Thread(target=backend.start, args=(["toy"],))
        starting.start()
        assert eventually((tmp_path / "asked").exists)
        assert starting.is_alive()
        (tmp_path / "ready").touch()
        starting.join(60)
        assert not starting.is_alive()


def test_started_anew_it_is_another_process(tmp_path: Path, port: int) -> None:
    with services(tmp_path, port) as backend:
        backend.start(["toy"])
        before = backend.pid("toy")
        backend.restart("toy")
        assert backend.pid("toy") != before
        assert backend.alive("toy")


def test_what_comes_instead_of_ready_is_told(
    tmp_path: Path, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(own, "wait_until", partial(wait_until, timeout_s=5.0))
    with services(tmp_path, port, ready="/healthz") as backend:
        told = rf"toy gave no 200 from http://127\.0\.0\.1:{port}/healthz \(it answers 503\)"
        with pytest.raises(ProcessError, match=told):
            backend.start(["toy"])


def test_started_anew_it_may_be_busy_for_a_while(tmp_path: Path, port: int) -> None:
    """Without a path that tells when it is ready its answer does, as before its first trial."""
    with services(tmp_path, port, path="/items") as backend:
        backend.start(["toy"])
        again = threading.Thread(target=backend.restart, args=("toy",))
        again.start()
        assert eventually((tmp_path / "asked").exists)
        assert again.is_alive()
        (tmp_path / "ready").touch()
        again.join(60)
        assert ask(backend.own["toy"].target).status == 200


def test_it_gets_as_many_cores_as_a_level_says(tmp_path: Path, port: int) -> None:
    with services(tmp_path, port) as backend:
        backend.start(["toy"])
        backend.restart("toy", {CORES: "2"})
        [pid] = backend.roots().values()
        if wide := backend.cpus.widened(2).service:
            assert set(psutil.Process(pid).cpu_affinity()) == wide


def test_one_that_dies_is_told_with_its_last_words(tmp_path: Path, port: int) -> None:
    dying = (sys.executable, "-c", "raise SystemExit('no such module: app')")
    with services(tmp_path, port, *dying) as backend:
        with pytest.raises(ProcessError, match="toy ended with exit code 1") as died:
            backend.start(["toy"])
        assert "logs/toy.log" in str(died.value)
        assert "no such module: app" in str(died.value)


def test_a_command_that_does_not_exist_is_told(tmp_path: Path, port: int) -> None:
    with (
        services(tmp_path, port, "no-such-command-here") as backend,
        pytest.raises(ProcessError, match=r"exit code 127(.|\n)*no-such-command-here.*not found"),
    ):
        backend.start(["toy"])


def test_a_folder_that_does_not_exist_is_told(tmp_path: Path, port: int) -> None:
    with services(tmp_path, port) as backend:
        backend.own["toy"] = replace(backend.own["toy"], folder=tmp_path / "elsewhere")
        with pytest.raises(OwnServiceError, match=r"toy: .*/elsewhere: No such file"):
            backend.start(["toy"])


def test_what_runs_there_already_is_not_taken_for_it(tmp_path: Path) -> None:
    with (
        serving(answering(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")) as taken,
        services(tmp_path, taken) as backend,
        pytest.raises(OwnServiceError, match=r"something answers at .* already"),
    ):
        backend.start(["toy"])


def daemon(port: int, until: str) -> tuple[str, ...]:
    """A command that leaves the toy behind, and ends once the condition `until` holds."""
    ends = f"while ! test {until}; do sleep 0.02; done"
    return ("/bin/sh", "-c", f'setsid "$0" -c "$1" {port} & {ends}', sys.executable, TOY)


def pid_of(folder: Path) -> int:
    return int((folder / "pid").read_text())


def test_a_daemon_is_told_and_gone_at_the_end(tmp_path: Path, port: int) -> None:
    with services(tmp_path, port, *daemon(port, "-s pid"), ready="/healthz") as backend:
        with pytest.raises(ProcessError, match=r"^toy ended with exit code 0; start it in the for"):
            backend.start(["toy"])
        assert gone(pid_of(tmp_path))
    assert not reachable(f"http://127.0.0.1:{port}/")


def test_what_becomes_a_daemon_later_is_in_sight_and_gone_at_the_end(
    tmp_path: Path, port: int
) -> None:
    with services(tmp_path, port, *daemon(port, "-e end")) as backend:
        backend.start(["toy"])
        (tmp_path / "end").touch()
        assert eventually(lambda: not backend.alive("toy"))
        assert pid_of(tmp_path) in backend.roots().values()
        with pytest.raises(OwnServiceError, match=r"something still answers at .* in the foregr"):
            backend.restart("toy")
    assert gone(pid_of(tmp_path))


def test_a_daemon_that_cannot_be_stopped_is_named(
    tmp_path: Path, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where the lab can't adopt it."""
    monkeypatch.setattr(orphans, "adopt", lambda *, wanted=True: wanted)
    asked = daemon(port, "-e asked")
    try:
        with services(tmp_path, port, *asked, ready="/healthz") as backend:
            told = rf"something still answers at http://127\.0\.0\.1:{port}; stop it\. toy ended"
            with pytest.raises(ProcessError, match=told):
                backend.start(["toy"])
        assert not gone(pid_of(tmp_path))
    finally:
        psutil.Process(pid_of(tmp_path)).kill()


def test_somebody_elses_is_left_alone(tmp_path: Path) -> None:
    with serving(answering(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")) as taken:
        target = Target(f"http://127.0.0.1:{taken}/")
        with OwnServices(own_services({"theirs": target}, {}), tmp_path) as backend:
            assert backend.start(["theirs"]) == {}
            backend.restart("theirs")
            assert (backend.roots(), backend.pid("theirs")) == ({}, None)
    with (
        OwnServices(own_services({"theirs": target}, {}), tmp_path) as backend,
        pytest.raises(OwnServiceError, match="nothing listens at"),
    ):
        backend.restart("theirs")
