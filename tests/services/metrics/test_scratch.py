"""The directory of a service's counters: there as long as the service, and no longer."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from lab.metrics import scratch


def test_services_that_start_together_leave_each_other_their_directory() -> None:
    def kept(_: int) -> bool:
        with scratch.directory() as path:
            return path.exists()

    with ThreadPoolExecutor(12) as services:
        assert all(services.map(kept, range(2000)))


def test_the_directory_of_a_killed_service_goes_when_another_starts() -> None:
    script = (
        "import os, signal; from lab.metrics import scratch\n"
        "with scratch.directory() as path:\n"
        "    print(path, flush=True)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)"
    )
    common = str(Path(scratch.__file__).parents[2])
    killed = subprocess.run(
        [sys.executable, "-c", script], env={"PYTHONPATH": common}, capture_output=True, text=True
    )
    left = Path(killed.stdout.strip())
    assert left.exists()
    with scratch.directory() as path:
        assert path != left
        assert not left.exists()
