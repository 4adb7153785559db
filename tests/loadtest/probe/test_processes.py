"""What the kernel knows of a server here: who listens, and what it has not read."""

from __future__ import annotations

import os
import socket
import subprocess
import sys

from loadtest.probe import processes
from loadtest.system.ports import held
from tests.waiting import eventually


def at(port: int, family: int = socket.AF_INET, host: str = "127.0.0.1") -> processes.Serving:
    found = processes.serving((int(family), (host, port)))
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
        assert eventually(lambda: processes.Serving(1, [asleep.pid]).ready() == 0)
        asleep.kill()


def test_ipv6_is_in_sight_too() -> None:
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as listener:
        assert at(listener.getsockname()[1], socket.AF_INET6, "::1").pids == (os.getpid(),)


def test_nobody_and_other_machines_are_out_of_sight() -> None:
    with held(1) as [nobody]:
        assert processes.serving((int(socket.AF_INET), ("127.0.0.1", nobody))) is None
    assert processes.serving((int(socket.AF_INET), ("192.0.2.1", 80))) is None


def test_requests_wait_unread_until_the_server_reads_them() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        assert processes.unread(port) is None
        with socket.create_connection(("127.0.0.1", port)) as client:
            assert eventually(lambda: processes.unread(port) == 1)  # not accepted
            served, _ = listener.accept()
            with served:
                assert eventually(lambda: processes.unread(port) == 0)
                client.sendall(b"GET / HTTP/1.1\r\n\r\n")
                assert eventually(lambda: processes.unread(port) == 1)
                served.recv(65536)
                assert processes.unread(port) == 0
