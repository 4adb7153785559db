"""LAB_AUTOSTART=1: `docker compose up` alone shows moving dashboards."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from loadtest.backends.native import Lab
from loadtest.system import ports
from loadtest.system.paths import LOCUSTFILE, ROOT
from loadtest.system.processes import Processes
from tests.native.live.watch import Watch
from tests.waiting import eventually


def test_the_first_thing_to_try_starts_by_itself(lab: Lab, tmp_path: Path) -> None:
    ui, metrics = ports.free(2)
    targets = " ".join(f"{name}={lab.services[name].url()}" for name in lab.services)
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
        watch = Watch(ui=f"http://{ports.LOOPBACK}:{ui}", prometheus="", lab=lab)
        assert eventually(watch.answers)
        for service in ("fastapi-async", "flask-sync"):
            assert eventually(lambda wanted=service: watch.requests(wanted) > 0), service  # type: ignore[misc]
        assert watch.names() == {"fastapi-async /wait", "flask-sync /wait", "Aggregated"}
        assert eventually(lambda: watch.statistics()["user_count"] == 60)
        watch.press_stop()
