"""Ports that are free and stay their owner's, and a clear word about those that are not."""

from __future__ import annotations

import contextlib
import multiprocessing
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from loadtest.system import ports

CHOICES = 10_000
APART = 11_000  # where no other test chooses ports


def choose(few: int, times: int, met: Connection) -> None:
    """Choose two of `few` ports and listen there, so many times; says how often one was taken.

    Another that goes from port to port meanwhile may hold each of so few as it is looked at.
    That is told as too few free ports, which is no meeting, and the choice is made again.
    """
    ports._LOWEST, ports._first_of_connections = APART, lambda: APART + few
    taken = chosen = 0
    while chosen < times:
        with contextlib.suppress(ports.PortError), ports.held(2) as found:
            chosen += 1
            try:
                for port in found:
                    socket.create_server((ports.LOOPBACK, port)).close()
            except OSError:
                taken += 1
    met.send(taken)


def test_two_processes_that_choose_at_the_same_time_never_meet() -> None:
    start = multiprocessing.get_context("spawn")
    readers = []
    for _ in range(2):
        reader, writer = start.Pipe(duplex=False)
        start.Process(target=choose, args=(6, CHOICES // 2, writer), daemon=True).start()
        readers.append(reader)
    assert [reader.recv() for reader in readers] == [0, 0]


@contextmanager
def elsewhere(code: str, *arguments: object) -> Iterator[str]:
    """Another process that has run `code`, until the block ends; what it said."""
    script = f"import sys\nfrom loadtest.system import ports\n{code}\ninput()"
    command = [sys.executable, "-c", script, *map(str, arguments)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.kill()


def only(monkeypatch: pytest.MonkeyPatch, port: int) -> None:
    """Leave `port` as the one that can be chosen."""
    monkeypatch.setattr(ports, "_LOWEST", port)
    monkeypatch.setattr(ports, "_first_of_connections", lambda: port + 1)


def test_a_chosen_port_is_its_process_own_until_that_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    with elsewhere("print(*ports.free(1), flush=True)") as said:
        only(monkeypatch, int(said))
        with pytest.raises(ports.PortError, match="fewer than 1 are free"):
            ports.free(1)
    with ports.held(1) as again:
        assert again == [int(said)]


def test_its_owner_may_stop_and_start_again_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    with ports.held(1) as (port,):
        for _ in range(2):
            with elsewhere(
                "with ports.claim(int(sys.argv[1]), 'toy', 'PORT'): print('claimed', flush=True)",
                port,
            ) as said:
                assert said == "claimed"
        only(monkeypatch, port)
        with pytest.raises(ports.PortError):
            ports.free(1)


def test_a_named_port_is_one_labs_own_before_it_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    with ports.held(1) as (port,):
        pass
    claims = "claim = ports.claim(int(sys.argv[1]), 'service go', 'GO_PORT'); claim.__enter__()"
    with elsewhere(f"{claims}; print('claimed', flush=True)", port):
        with pytest.raises(
            ports.PortError, match=rf"port {port}, which service go needs.*GO_PORT="
        ):
            ports.claim(port, "service go", "GO_PORT").__enter__()
        only(monkeypatch, port)
        with pytest.raises(ports.PortError):
            ports.free(1)


def test_free_ports_differ_and_can_be_bound() -> None:
    with ports.held(20) as found:
        assert len(set(found)) == 20
        for port in found:
            ports.require(port, "test", "PORT")


def test_no_outgoing_connection_is_given_a_free_port(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "range").write_text("15000\t60999\n")
    monkeypatch.setattr(ports, "_CONNECTIONS", tmp_path / "range")
    with ports.held(50) as found:
        assert max(found) < 15000


def test_more_ports_than_there_are_is_told() -> None:
    with pytest.raises(ports.PortError, match="fewer than 100000 are free"):
        ports.free(100_000)


def test_a_port_in_use_names_port_owner_and_variable() -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        with pytest.raises(
            ports.PortError, match=rf"port {port}, which service go needs.*GO_PORT="
        ):
            ports.require(port, "service go", "GO_PORT")


@pytest.mark.parametrize("text", ["0", "65536", "http", "-1"])
def test_a_variable_that_is_no_port_is_told(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("SOME_PORT", text)
    with pytest.raises(ports.PortError, match=f"SOME_PORT='{text}' is no port"):
        ports.from_environment("SOME_PORT", 80)


def test_an_empty_variable_gives_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_PORT", "")
    assert ports.from_environment("SOME_PORT", 80) == 80
