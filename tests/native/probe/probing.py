"""Probes services of known truth, as a person does: by the command line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.native.probe.judging import Seen
from tests.native.probe.serving import serving
from tests.native.probe.truths import Truth


def probed(truth: Truth, seconds: float) -> Seen:
    """What one probe of `seconds` finds of the service, which runs for this alone."""
    with tempfile.TemporaryDirectory(prefix="lab-probe-") as name:
        folder = Path(name)
        with serving(truth, folder / "logs") as url:
            return _probe(url, truth, seconds, folder)


def _probe(url: str, truth: Truth, seconds: float, folder: Path) -> Seen:
    done = subprocess.run(
        [
            *(sys.executable, "-m", "loadtest", "probe", url),
            *("--json", "--seconds", str(seconds), *truth.options),
        ],
        env=os.environ | {"LAB_RESULTS": str(folder / "results")},
        capture_output=True,
        text=True,
        timeout=60 + 3 * seconds,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{truth.name}: exit code {done.returncode}: {done.stdout}{done.stderr}")
    return Seen.of(json.loads(done.stdout))


def each(truths: Sequence[Truth], seconds: float, beside: int) -> Iterator[tuple[Truth, Seen]]:
    """Each once: those that only wait `beside` each other, then those that compute, alone."""
    waiting = [truth for truth in truths if not truth.computes]
    with ThreadPoolExecutor(beside) as pool:
        yield from zip(waiting, pool.map(lambda one: probed(one, seconds), waiting), strict=True)
    for truth in truths:
        if truth.computes:
            yield truth, probed(truth, seconds)
