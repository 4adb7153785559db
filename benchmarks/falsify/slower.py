"""A service that gets slower: something in it computes, 1 % of a core more each second."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.falsify.scene import Scene

# Python imports a module of this name when it starts: here the service's first process does.
MODULE = "sitecustomize.py"
CODE = """
import os, threading, time
os.environ["PYTHONPATH"] = os.environ["PYTHONPATH"].rpartition(os.pathsep)[0]
def compute(began):
    while True:
        now = time.perf_counter()
        share = min(0.9, 0.01 * (now - began))
        while time.perf_counter() < now + 0.01 * share: pass
        time.sleep(0.01 * (1 - share))
threading.Thread(target=compute, args=(time.perf_counter(),), daemon=True).start()
"""


@contextmanager
def slower(scene: Scene) -> Iterator[None]:
    """The service starts anew and slows down, until it starts anew once more."""
    with tempfile.TemporaryDirectory(prefix="lab-slower-") as folder:
        Path(folder, MODULE).write_text(CODE)
        service = scene.lab.services[scene.service]
        path = scene.lab.environment(service)["PYTHONPATH"]
        scene.lab.restart(scene.service, {"PYTHONPATH": os.pathsep.join([path, folder])})
        try:
            yield
        finally:
            scene.lab.restart(scene.service)
