"""Probes services of known truth, as a person does: by the command line."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

from tests.native.probe.judging import Seen
from tests.native.probe.serving import serving
from tests.native.probe.truths import Truth

STARTING = 2  # at a time: to start takes CPU, to wait takes none


def each(truths: Sequence[Truth], seconds: float, beside: int) -> Iterator[tuple[Truth, Seen]]:
    """Each once: those that only wait `beside` each other, then the others, alone.

    Neighbours in the list cost about as much CPU, so that each group takes every other of them.
    What is probed again takes longer than a group.
    """
    waiting = [truth for truth in truths if not (truth.computes or truth.again)]
    groups = math.ceil(len(waiting) / beside)
    for number in range(groups):
        yield from _together(waiting[number::groups], seconds)
    for truth in truths:
        if truth.computes or truth.again:
            yield from _together([truth], seconds)


def _together(truths: Sequence[Truth], seconds: float) -> Iterator[tuple[Truth, Seen]]:
    """Start all of them, then probe all of them, so that no start disturbs a probe."""
    with ExitStack() as stack, ThreadPoolExecutor(max(STARTING, len(truths))) as pool:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="lab-probe-")))
        with ThreadPoolExecutor(STARTING) as starting:
            urls = list(starting.map(lambda one: stack.enter_context(serving(one, folder)), truths))
        found = pool.map(lambda one, url: _probe(one, url, seconds, folder), truths, urls)
        yield from zip(truths, found, strict=True)


def _probe(truth: Truth, url: str, seconds: float, folder: Path) -> Seen:
    if truth.again:
        _once(truth, url, seconds, folder)
    return Seen.of(json.loads(_once(truth, url, seconds, folder)))


def _once(truth: Truth, url: str, seconds: float, folder: Path) -> str:
    """What the command prints."""
    done = subprocess.run(
        [
            *(sys.executable, "-m", "loadtest", "probe", url),
            *("--json", "--seconds", str(seconds), *truth.options),
        ],
        env=os.environ | {"LAB_RESULTS": str(folder / "results")},
        capture_output=True,
        text=True,
        timeout=60 + 5 * seconds,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{truth.name}: exit code {done.returncode}: {done.stdout}{done.stderr}")
    return done.stdout
