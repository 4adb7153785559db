"""Services as processes: started by their compose command, ready, restartable, and gone
at the end.
"""

from __future__ import annotations

import json
import socket
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from loadtest.backends.native import Lab
from loadtest.backends.readiness import ready
from loadtest.inventory import manifest
from loadtest.inventory.manifest import Service
from loadtest.system.cpus import Cpus
from loadtest.system.ports import PortError
from loadtest.system.processes import ProcessError
from tests.running import Running
from tests.waiting import gone

SERVICES = manifest.load()

# Answers /readyz, and /environment with what it was given.
TOY = """
import http.server, json, os
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path in ("/readyz", "/environment") else 404)
        self.end_headers()
        self.wfile.write(json.dumps(dict(os.environ)).encode())
http.server.HTTPServer((os.environ["HOST"], int(os.environ["PORT"])), Handler).serve_forever()
"""


def toy(*command: str) -> Service:
    return replace(
        SERVICES["flask-sync"], name="toy", command=command or (sys.executable, "-c", TOY)
    )


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    state = tmp_path_factory.mktemp("native")
    with Lab({"toy": toy()}, host_ports="free", state=state) as lab:
        yield lab


def given(lab: Lab) -> dict[str, Any]:
    with urllib.request.urlopen(lab.services["toy"].url() + "/environment") as response:
        found: dict[str, Any] = json.load(response)
        return found


def test_a_service_gets_what_it_has_in_a_container_with_the_ports_of_the_host(running: Lab) -> None:
    environment = given(running)
    service = running.services["toy"]
    assert environment["PORT"] == str(service.port)
    assert environment["METRICS_PORT"] == str(service.metrics_port)
    assert environment["HOST"] == "127.0.0.1"
    assert environment["SERVICE_NAME"] == "flask-sync"
    assert environment["WORKERS"] == SERVICES["flask-sync"].environment["WORKERS"]
    assert environment["DATABASE_URL"] == running.database.url
    assert Path(environment["DATABASE_PASSWORD_FILE"]).read_text().strip()


def test_nothing_else_of_the_shell_reaches_a_service(
    running: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORKERS", "99")
    monkeypatch.setenv("GUNICORN_CMD_ARGS", "--workers 99")
    running.restart("toy")
    assert given(running)["WORKERS"] != "99"
    assert "GUNICORN_CMD_ARGS" not in given(running)


def test_a_restart_may_override_the_settings_of_that_time(running: Lab) -> None:
    before = running.pid("toy")
    running.restart("toy", {"POOL_SIZE": "7"})
    assert gone(before)
    assert given(running)["POOL_SIZE"] == "7"
    running.restart("toy")
    assert given(running)["POOL_SIZE"] == SERVICES["flask-sync"].environment["POOL_SIZE"]


def test_a_service_that_was_stopped_is_neither_alive_nor_ready(running: Lab) -> None:
    assert running.alive("toy")
    running.stop("toy")
    assert not running.alive("toy")
    assert not ready(running.services["toy"])
    running.restart("toy")
    assert running.alive("toy")


def test_service_and_load_have_cores_of_their_own(running: Lab) -> None:
    every = set(psutil.Process().cpu_affinity())
    cpus = Cpus.split()
    assert not (cpus.service or set()) & (cpus.load or set())
    service, database = running.pid("toy"), running.database.process.pid
    assert set(psutil.Process(service).cpu_affinity()) == (cpus.service or every)
    assert set(psutil.Process(database).cpu_affinity()) == (cpus.load or every)


def test_a_service_that_dies_is_told_with_its_log_and_nothing_stays(tmp_path: Path) -> None:
    dying = toy("sh", "-c", "echo no module named toy; exit 3")
    lab = Lab({"toy": dying}, host_ports="free", state=tmp_path)
    with pytest.raises(ProcessError, match=r"(?s)toy ended with exit code 3.*no module named toy"):
        lab.__enter__()
    assert gone(lab.database.process.pid)


def test_the_others_run_where_one_may_fail(tmp_path: Path) -> None:
    failures: dict[str, str] = {}
    services = {
        "toy": toy(),
        "dying": replace(toy("sh", "-c", "echo no module; echo named toy; exit 3"), name="dying"),
        "unbuilt": replace(toy(), name="unbuilt", build="echo cannot; false"),
        "later": replace(toy(), name="later"),
    }
    begin = [name for name in services if name != "later"]
    with Lab(services, host_ports="free", state=tmp_path, failures=failures, begin=begin) as lab:
        assert ready(lab.services["toy"])
        assert list(lab.services) == ["toy", "later"]
        lab.services = known = Running(lab, failures, ["later"])
        assert list(known) == ["toy"]
        assert ready(known["later"])
        known.rest()
        assert not lab.alive("later")
        assert ready(known["later"])
    assert known["toy"].name == "toy"
    told = r"^dying ended with exit code 3; the end of [^\n]*: named toy$"
    with pytest.raises(pytest.fail.Exception, match=told):
        known["dying"]
    with pytest.raises(pytest.fail.Exception, match=r"^[^\n]*`echo cannot; false` failed[^\n]*$"):
        known["unbuilt"]
    with pytest.raises(KeyError):
        known["unheard of"]


def test_a_taken_port_is_told_before_anything_starts(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        with socket.create_server(("127.0.0.1", 0)) as unused:
            free = unused.getsockname()[1]
        service = replace(toy(), port=free, metrics_port=holder.getsockname()[1])
        with pytest.raises(PortError, match=r"service toy \(metrics\).*FLASK_SYNC_METRICS_PORT"):
            Lab({"toy": service}, state=tmp_path).__enter__()
    assert not (tmp_path / "postgres").exists()
