"""What of pip's configuration counts when the lab fills its own environment."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from setup import install

Run = Callable[[list[str], Mapping[str, str]], subprocess.CompletedProcess[str]]
ELSEWHERE = {
    "PIP_USER": "1",
    "PIP_TARGET": "/elsewhere",
    "PIP_PREFIX": "/elsewhere",
    "PIP_ROOT": "/elsewhere",
    "PIP_PYTHON": "/elsewhere/python",
    "PIP_REQUIRE_VIRTUALENV": "1",
    "PIP_NO_DEPS": "1",
    "PIP_DRY_RUN": "1",
    "PIP_NO_BINARY": ":all:",
    "PIP_REQUIREMENT": "/elsewhere/requirements.txt",
    "PIP_CONSTRAINT": "/elsewhere/constraints.txt",
    "PIP_HELP": "1",
    "PIP_LOG": "/elsewhere/log",
}
WEAK = """\
[global]
cert = /etc/office.pem
index-url = https://weak.example/simple
find_links =
    /one
    /two
user = true
proxy =
[install]
index-url = https://install.example/simple
target = /elsewhere
[download]
trusted-host = download.example
"""
STRONG = """\
[global]
index-url = https://strong.example/simple
timeout = 60
no-deps = true
"""


@pytest.fixture
def configured(tmp_path: Path) -> dict[str, str]:
    """Settings of two files and of some variables."""
    (tmp_path / "weak").write_text(WEAK)
    (tmp_path / "strong").write_text(STRONG)
    variables = ELSEWHERE | {"PIP_TRUSTED_HOST": "a.example b.example", "PIP_TIMEOUT": "90"}
    return install.kept([str(tmp_path / "weak"), str(tmp_path / "strong")], variables)


def test_the_way_to_packages_counts_and_nothing_else(configured: dict[str, str]) -> None:
    assert configured == {
        "cert": "/etc/office.pem",
        "find-links": "/one /two",
        "index-url": "https://install.example/simple",
        "timeout": "90",
        "trusted-host": "a.example b.example",
    }


def test_the_files_of_pip_come_the_weakest_first() -> None:
    listed = """\
env_var:
  PIP_CONFIG_FILE='/named/pip.conf'
env:
  /named/pip.conf, exists: True
    global.user: true
global:
  /etc/xdg/pip/pip.conf, exists: False
  /etc/pip.conf, exists: True
site:
  /lab/.venv/pip.conf, exists: True
user:
  /home/me/pip.conf, exists: True
"""
    in_order = ["/etc/pip.conf", "/home/me/pip.conf", "/lab/.venv/pip.conf", "/named/pip.conf"]
    assert install.files(listed) == in_order
    assert install.files(listed.replace("/named/pip.conf", os.devnull)) == []


def test_pip_is_told_of_nothing_else() -> None:
    variables = ELSEWHERE | {"PATH": "/bin", "PIP_CONFIG_FILE": "/etc/pip.conf"}
    assert install.pip_environment(variables, {"index-url": "https://a.example"}) == {
        "PATH": "/bin",
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_INDEX_URL": "https://a.example",
    }


def test_uv_goes_where_pip_goes(configured: dict[str, str]) -> None:
    settings = configured | {"no-index": "true", "no-cache-dir": "0"}
    options = " ".join(install.uv_options(settings))
    assert "--default-index https://install.example/simple" in options
    assert "--find-links /one --find-links /two" in options
    assert "--allow-insecure-host a.example --allow-insecure-host b.example" in options
    assert "--no-index" in options
    assert "--no-cache" not in options
    variables = {"UV_SYSTEM_PYTHON": "1", "UV_CACHE_DIR": "/cache", "PATH": "/bin"}
    assert install.uv_environment(variables, settings) == {
        "PATH": "/bin",
        "UV_CACHE_DIR": "/cache",
        "SSL_CERT_FILE": "/etc/office.pem",
    }


def test_uv_is_pinned_with_its_hashes() -> None:
    pinned = install.pinned("uv", install.TOOLS.read_text())
    first, *hashes = pinned.splitlines()
    assert first.startswith("uv==")
    assert len(hashes) > 5
    assert all(line.startswith("    --hash=sha256:") for line in hashes)


@pytest.fixture(scope="module")
def asked_once() -> Run:
    """Runs what it is told to, but for what it has run already with the same variables."""
    known: dict[str, subprocess.CompletedProcess[str]] = {}
    run = install._run

    def once(command: list[str], variables: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
        told = {name: each for name, each in variables.items() if name != "PYTEST_CURRENT_TEST"}
        key = json.dumps([command, told], sort_keys=True)
        if key not in known:
            known[key] = run(command, told)
        return known[key]

    return once


@pytest.fixture(scope="module")
def pip_conf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("configured") / "pip.conf"
    file.write_text("[global]\nindex-url = https://a.example/simple\nuser = true\n")
    return file


@pytest.mark.parametrize("variable", sorted(ELSEWHERE))
def test_the_configuration_is_read_whatever_pip_is_told(
    monkeypatch: pytest.MonkeyPatch, asked_once: Run, pip_conf: Path, variable: str
) -> None:
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", str(pip_conf))
    monkeypatch.setenv(variable, ELSEWHERE[variable])
    monkeypatch.setattr(install, "_run", asked_once)
    settings = install._settings(os.environ)
    assert settings["index-url"] == "https://a.example/simple"
    assert "user" not in settings


def test_a_configuration_that_is_broken_is_one_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "pip.conf"
    file.write_text("index-url = https://a.example\n")
    monkeypatch.setenv("PIP_CONFIG_FILE", str(file))
    with pytest.raises(install.InstallError, match=r"can't be read: .*") as told:
        install._settings(os.environ)
    assert len(str(told.value).splitlines()) == 1


@pytest.mark.parametrize("failing", ["", "pip's own install of uv", "uv"])
def test_uv_comes_as_a_checked_wheel_and_pip_does_it_where_uv_cannot(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, failing: str
) -> None:
    """Commands that were run, in order; none reaches an index without `--require-hashes`."""
    ran: list[tuple[str, list[str]]] = []

    def run(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        who = "uv" if Path(command[0]).name == "uv" else "pip"
        what = "pip's own install of uv" if command[-1] == ":all:" else who
        if "config" not in command:
            ran.append((what, command))
        return subprocess.CompletedProcess(command, int(what == failing), "", "")

    monkeypatch.setattr(subprocess, "run", run)
    lock = tmp_path / "lock.txt"
    install.install(lock)
    expected = {
        "": ["pip's own install of uv", "uv"],
        "pip's own install of uv": ["pip's own install of uv", "pip"],
        "uv": ["pip's own install of uv", "uv", "pip"],
    }
    assert [what for what, _ in ran] == expected[failing]
    assert all("--require-hashes" in command for _, command in ran)
    assert ran[0][1][-2:] == ["--only-binary", ":all:"]
    assert all(str(lock) in command for _, command in ran[1:])
