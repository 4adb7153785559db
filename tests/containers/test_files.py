"""What the compose file and the Dockerfiles promise, read without an engine."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from loadtest.inventory.manifest import COMPOSE_FILE, read_compose
from loadtest.system.paths import ROOT

BIN = Path(sys.executable).parent
DOCKERFILES = sorted([*ROOT.glob("*/Dockerfile"), *ROOT.glob("services/*/Dockerfile")])
STAND_INS = sorted(ROOT.glob(".ci/stand-ins/*.Dockerfile"))
SCRIPTS = [
    *(path for path in sorted(ROOT.glob("containers/*")) if path.suffix == ""),
    ROOT / ".ci/engine",
    ROOT / ".ci/needs",
    ROOT / ".ci/run",
    ROOT / ".ci/stand-ins/make",
    *sorted(ROOT.glob(".ci/stand-ins/*-entrypoint")),
    ROOT / "services/postgres/start",
    ROOT / "tests/containers/two-engines",
]
DOCUMENT = read_compose(COMPOSE_FILE, {})
SERVICES: dict[str, dict[str, Any]] = DOCUMENT["services"]
# cAdvisor looks at every container, which takes the rights that the others give up.
HARDENED = {name: service for name, service in SERVICES.items() if name != "cadvisor"}


def clean(tool: str, *arguments: object) -> None:
    done = subprocess.run(
        [BIN / tool, *map(str, arguments)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_compose_file_follows_the_specification() -> None:
    clean("check-jsonschema", "--builtin-schema", "vendor.compose-spec", COMPOSE_FILE)


@pytest.mark.parametrize(
    "dockerfile", [*DOCKERFILES, *STAND_INS], ids=lambda path: str(path.relative_to(ROOT))
)
def test_dockerfile_is_clean(dockerfile: Path) -> None:
    clean("hadolint", dockerfile)


def test_shell_scripts_are_clean() -> None:
    clean("shellcheck", *SCRIPTS)


@pytest.mark.parametrize("dockerfile", DOCKERFILES, ids=lambda path: path.parent.name)
def test_final_stage_has_a_user_of_its_own(dockerfile: Path) -> None:
    final = re.split(r"^FROM ", dockerfile.read_text(), flags=re.MULTILINE)[-1]
    assert re.search(r"^USER [1-9]\d*(:[1-9]\d*)?$", final, flags=re.MULTILINE)


@pytest.mark.parametrize("dockerfile", DOCKERFILES, ids=lambda path: path.parent.name)
def test_what_an_image_takes_from_the_clone_has_modes_of_its_own(dockerfile: Path) -> None:
    """Another user reads it there, and the modes of a clone are those of its owner's umask."""
    stages = re.split(r"^FROM ", dockerfile.read_text(), flags=re.MULTILINE)[1:]
    for stage in stages:
        if re.search(r"^USER ", stage, flags=re.MULTILINE):
            copies = re.findall(r"^COPY (.*)$", stage, flags=re.MULTILINE)
            assert [each for each in copies if not re.search(r"--chmod=|--from=", each)] == []


@pytest.mark.parametrize("name", SERVICES)
def test_nothing_of_the_clone_is_mounted(name: str) -> None:
    """Its modes, its SELinux labels, an engine on another machine: none of them can matter."""
    service = SERVICES[name]
    mounted = {str(each).partition(":")[0] for each in service.get("volumes", ())}
    folders = {each for each in mounted if each.startswith((".", "/"))}
    assert not service.get("configs")
    assert not service.get("secrets")
    if name == "experiments":  # which writes results beside the clone
        assert folders == {"./results", "./experiments", "./.lab/control"}
    elif name == "cadvisor":  # which looks at the whole machine
        assert not [each for each in folders if each.startswith(".")]
    else:
        assert folders == set()


@pytest.mark.parametrize("name", HARDENED)
def test_no_container_goes_through_a_proxy_of_dockers_client(name: str) -> None:
    environment = SERVICES[name]["environment"]
    for variable in ("HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "ALL_PROXY"):
        assert environment[variable] == environment[variable.lower()] == ""


@pytest.mark.parametrize("name", HARDENED)
def test_service_gives_up_what_it_does_not_need(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["restart"] == "unless-stopped"
    assert service["logging"]["options"].keys() == {"max-size", "max-file"}
    assert service["deploy"]["resources"]["limits"].keys() == {"cpus", "memory", "pids"}


@pytest.mark.parametrize("name", SERVICES)
def test_published_ports_are_on_loopback_only(name: str) -> None:
    for port in SERVICES[name].get("ports") or ():
        assert str(port).startswith("127.0.0.1:")


def test_only_clients_of_postgres_share_its_network() -> None:
    assert DOCUMENT["networks"]["database"] == {"internal": True}
    assert SERVICES["postgres"]["networks"] == ["database"]
    beside = {name for name, service in SERVICES.items() if "database" in service["networks"]}
    clients = {name for name, service in SERVICES.items() if "-password" in str(service["volumes"])}
    assert beside == clients


def test_every_image_has_a_tag_and_stands_in_the_table() -> None:
    named = {str(service["image"]) for service in SERVICES.values() if "build" not in service}
    for dockerfile in DOCKERFILES:
        named |= set(re.findall(r"^FROM (\S+:\S+)", dockerfile.read_text(), flags=re.MULTILINE))
    assert all(re.fullmatch(r"[\w./-]+:(?!latest$)[\w.-]+", image) for image in named)
    table = re.findall(
        r"^\| `([^`]+:[^`]+)` \|", (ROOT / "docs/containers.md").read_text(), re.MULTILINE
    )
    assert sorted(table) == sorted(named)


def test_a_service_that_is_built_names_its_image() -> None:
    for name, service in SERVICES.items():
        if "build" in service:
            build = service["build"]
            named = build.get("target") or build.get("args", {}).get("FOLDER")
            folder = named or Path(build["context"], build.get("dockerfile", "Dockerfile")).parent
            last = Path(folder).name or Path(build["dockerfile"]).parent.name
            assert service["image"] == f"concurrency-lab/{last}:0.1.0", name


def test_what_a_dockerfile_is_told_exists() -> None:
    for name, service in SERVICES.items():
        build = service.get("build", {})
        folder = ROOT / build.get("context", ".")
        assert (folder / build.get("dockerfile", "Dockerfile")).is_file() or not build, name
        if args := build.get("args"):
            assert (folder / args["FOLDER"]).is_dir(), name
            packages = folder / args.get("REQUIREMENTS", args["FOLDER"])
            assert (packages / "requirements.txt").is_file(), name
