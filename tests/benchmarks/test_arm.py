"""CPU time of a process, as the benchmark of services reads it."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from benchmarks.arm import cpu_s


def test_cpu_time_is_that_of_the_process_and_finer_than_a_tick() -> None:
    before = time.process_time()
    found = cpu_s(os.getpid())
    assert before <= found <= time.process_time()


def test_a_process_that_has_ended_is_told() -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    with pytest.raises(ProcessLookupError):
        cpu_s(process.pid)
