"""LAB_AUTOSTART=1: `docker compose up` alone shows moving dashboards."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from loadtest.system import ports
from loadtest.system.paths import LOCUSTFILE, ROOT
from loadtest.system.processes import Processes
from tests.native.live.watch import Watch
from tests.waiting import eventually


def test_the_first_thing_to_try_starts_by_itself(watch: Watch, tmp_path: Path) -> None:
    (ui, metrics), lab = ports.free(2), watch.lab
    targets = " ".join(f"{name}={service.url()}" for name, service in lab.services.items())
    with Processes() as processes:
        processes.start(
            "locust",
            [
                *(sys.executable, "-m", "locust", "-f", str(LOCUSTFILE)),
                *("--class-picker", "--web-host", ports.LOOPBACK, "--web-port", str(ui)),
            ],
            log=tmp_path / "locust.log",
            cwd=ROOT,
            environment=dict(os.environ)
            | {"LAB_AUTOSTART": "1", "LAB_TARGET": targets, "LAB_LOAD_METRICS_PORT": str(metrics)},
        )
        first = Watch(ui=f"http://{ports.LOOPBACK}:{ui}", prometheus="", lab=lab)
        assert eventually(first.answers)
        for service in ("fastapi-async", "flask-sync"):
            assert eventually(lambda wanted=service: first.requests(wanted) > 0), service  # type: ignore[misc]
        assert first.names() == {"fastapi-async /wait", "flask-sync /wait", "Aggregated"}
        assert eventually(lambda: first.statistics()["user_count"] == 60)
        first.press_stop()
