"""What the kernel knows of a server here: who listens, and what it has not read."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from loadtest.probe import processes
from loadtest.system import ports
from loadtest.system.sockets import Address
from tests.waiting import eventually


def address(port: int, host: str = "127.0.0.1") -> Address:
    return int(socket.AF_INET6 if ":" in host else socket.AF_INET), (host, port)


def at(port: int, host: str = "127.0.0.1") -> processes.Serving:
    found = processes.serving(address(port, host))
    assert found is not None
    return found


def test_who_listens_is_found_with_its_threads_and_its_cpu() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        found = at(listener.getsockname()[1])
    assert found.pids == (os.getpid(),)
    facts = found.facts()
    assert facts is not None
    assert facts.threads == found.threads() >= 1
    assert found.cpu_s()[0] > 0


def test_who_computes_is_ready_and_who_sleeps_is_not() -> None:
    """This process computes while it looks."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        found = at(listener.getsockname()[1])
    assert found.ready() == 1
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as asleep:
        assert eventually(lambda: processes.Serving(address(9), [asleep.pid]).ready() == 0)
        asleep.kill()


def test_ipv6_is_in_sight_too() -> None:
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as listener:
        assert at(listener.getsockname()[1], "::1").pids == (os.getpid(),)


def test_nobody_and_other_machines_are_out_of_sight() -> None:
    with ports.held(1) as [nobody]:
        assert processes.serving(address(nobody)) is None
    assert processes.serving(address(80, "192.0.2.1")) is None


def test_requests_wait_unread_until_the_server_reads_them() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        assert processes.unread(address(port)) is None
        with socket.create_connection(("127.0.0.1", port)) as client:
            assert eventually(lambda: processes.unread(address(port)) == 1)  # not accepted
            served, _ = listener.accept()
            with served:
                assert eventually(lambda: processes.unread(address(port)) == 0)
                client.sendall(b"GET / HTTP/1.1\r\n\r\n")
                assert eventually(lambda: processes.unread(address(port)) == 1)
                served.recv(65536)
                assert processes.unread(address(port)) == 0


LISTENING = """
import socket, sys
with socket.create_server((sys.argv[1], int(sys.argv[2]))):
    print(flush=True)
    input()
"""


def listening(*program: str, host: str, port: int) -> subprocess.Popen[str]:
    """A Python that listens; it is killed after use."""
    started = subprocess.Popen(
        [sys.executable, *program, host, str(port)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert started.stdout
    started.stdout.readline()
    return started


def test_another_server_at_the_same_port_is_not_counted() -> None:
    with (
        ports.held(1) as (port,),
        socket.create_server(("127.0.0.1", port)),
        listening("-c", LISTENING, host="127.0.0.2", port=port) as other,
    ):
        assert at(port).pids == (os.getpid(),)
        assert at(port, "127.0.0.2").pids == (other.pid,)
        other.kill()


def test_a_folder_with_the_name_of_a_proxy_makes_none_of_a_server(tmp_path: Path) -> None:
    script = tmp_path / "nginx-demo" / "uvicorn"
    script.parent.mkdir()
    script.write_text(LISTENING)
    with ports.held(1) as (port,), listening(str(script), host="127.0.0.1", port=port) as server:
        facts = at(port).facts()
        server.kill()
    assert facts
    assert (facts.program, facts.passes_on) == ("uvicorn", False)


@pytest.mark.parametrize(
    ("line", "program"),
    [
        ("/home/nginx/bin/python /home/nginx/bin/uvicorn app:app", "uvicorn"),
        ("python3.11 -W ignore -X dev -m gunicorn app:app", "gunicorn"),
        ("python3.13t -m http.server 8000", "http.server"),
        ("gunicorn: worker [nginx]", "gunicorn"),
        ("/usr/bin/waitress-serve app:app", "waitress"),
        ("nginx: worker process", "nginx"),
        ("/usr/sbin/haproxy -f /etc/haproxy/haproxy.cfg", "haproxy"),
        ("python /srv/caddy/serve.py --behind traefik", ""),
        ("/opt/envoy/bin/serve nginx", ""),
        ("", ""),
    ],
)
def test_a_server_is_known_by_its_program_and_not_by_its_folder(line: str, program: str) -> None:
    assert processes.known_server(line.split()) == program
