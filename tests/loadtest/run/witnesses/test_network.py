from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from loadtest.run.witnesses import network, procfs
from tests.loadtest.run.test_gates import GOOD
from tests.loadtest.run.witnesses.test_machine import QUIET


@pytest.mark.parametrize(
    ("resent", "passed"),
    # GOOD has 4,000 answers, and 8 requests in flight for 10 s.
    [(None, True), (0, True), (1, True), (4, True), (5, False), (100, False)],
)
def test_one_request_in_a_thousand_is_the_limit(resent: int | None, passed: bool) -> None:
    gate = network.arrived(replace(QUIET, resent=resent), GOOD)
    assert gate.passed is passed
    assert gate.disturbance or passed


def test_so_is_a_twentieth_of_the_time_in_flight() -> None:
    alone = replace(GOOD, mean_in_flight=1.0, answered=4000)
    assert network.arrived(replace(QUIET, resent=2), alone).passed
    assert not network.arrived(replace(QUIET, resent=3), alone).passed
    short = replace(alone, duration_s=1.5)
    assert not network.arrived(replace(QUIET, resent=1), short).passed
    assert network.arrived(None, GOOD).passed


def test_packets_that_open_a_connection_and_needless_probes_do_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(procfs, "_PROC", tmp_path)
    assert procfs.resent() is None
    (tmp_path / "net").mkdir()
    (tmp_path / "net" / "snmp").write_text(
        "Ip: Forwarding\nIp: 1\nTcp: RtoMin MaxConn RetransSegs\nTcp: 200 -1 50\n"
    )
    names = "X TCPSynRetrans TCPLossProbes TCPLossProbeRecovery"
    (tmp_path / "net" / "netstat").write_text(f"TcpExt: {names}\nTcpExt: 7 8 20 3\n")
    assert procfs.resent() == 50 - 8 - (20 - 3)


def test_this_kernel_tells() -> None:
    """A number that may be below 0: a probe for a loss may send what was not sent before."""
    assert procfs.resent() is not None
