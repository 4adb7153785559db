"""The live lab without Docker."""

from __future__ import annotations

import os
import signal
import urllib.request
from pathlib import Path

from tests.native.commands.conftest import Shell
from tests.waiting import eventually


def test_up_shows_the_ui_until_ctrl_c_and_verify_looks_at_its_services(shell: Shell) -> None:
    running = shell.start("live", "--services", "fastapi-async")
    assert eventually(lambda: "Ctrl-C ends everything" in shell.output.read_text())
    ui = f"http://127.0.0.1:{shell.environment['LOCUST_PORT']}"
    with urllib.request.urlopen(ui) as response:
        assert "fastapi-async" in response.read().decode()

    verified = shell.run("verify", "--services", "fastapi-async")
    assert verified.stdout.startswith("fastapi-async: keeps the contract"), verified.stdout
    assert verified.returncode == 0
    silent = shell.run("verify", "--services", "flask-sync")
    assert silent.returncode == 2
    assert "nothing answers for flask-sync" in silent.stderr

    running.send_signal(signal.SIGINT)
    assert running.wait(150) == 0
    assert shell.output.read_text().endswith("stopped; nothing is left running\n")
    assert not shell.processes()


def test_what_is_missing_is_told(shell: Shell, tmp_path: Path) -> None:
    shell.environment = {**shell.environment, "PATH": path_without_prometheus(tmp_path / "bin")}
    running = shell.start("live", "--services", "fastapi-async")
    assert eventually(lambda: "Ctrl-C ends everything" in shell.output.read_text())
    told = shell.output.read_text()
    assert "Grafana: comes with Docker only (make up)" in told
    assert "Prometheus: not installed (Debian: apt install prometheus)" in told
    with urllib.request.urlopen(f"http://127.0.0.1:{shell.environment['LOCUST_PORT']}") as response:
        assert "Prometheus is not running" in response.read().decode()
    running.terminate()
    assert running.wait(150) == 0


def path_without_prometheus(folder: Path) -> str:
    """A PATH on which everything of this one is found, but nothing of Prometheus."""
    folder.mkdir()
    for name in os.environ["PATH"].split(os.pathsep):
        for program in Path(name).glob("*"):
            link = folder / program.name
            if "prom" not in program.name and not link.is_symlink():
                link.symlink_to(program)
    return str(folder)
