"""Services are read from the compose file, as Docker Compose would read it."""

from __future__ import annotations

from pathlib import Path

import pytest

from loadtest.inventory import manifest
from loadtest.inventory.manifest import ManifestError

TOY = """
services:
  postgres: {image: postgres, command: postgres -c max_connections=50}
  toy:
    build: {context: services, dockerfile: toy/Dockerfile}
    command: python -m lab.serve uvicorn toy:app --port $$PORT --workers ${TOY_WORKERS:-2}
    environment: {SERVICE_NAME: toy, WORKERS: "${TOY_WORKERS:-2}"}
    ports: ["127.0.0.1:${TOY_PORT:-8100}:8000", "127.0.0.1:${TOY_METRICS_PORT:-9100}:9000"]
    profiles: [all]
    labels:
      {lab.role: service, lab.framework: Toy, lab.model: async, lab.needs: go, lab.build: go build}
"""


@pytest.fixture
def compose(tmp_path: Path) -> Path:
    path = tmp_path / "docker-compose.yml"
    path.write_text(TOY)
    return path


def test_a_service_is_what_the_file_says(compose: Path) -> None:
    services = manifest.load(compose, {})
    toy = services["toy"]
    assert list(services) == ["toy"]
    assert toy.command[-3:] == ("$PORT", "--workers", "2")
    assert toy.environment["WORKERS"] == "2"
    assert toy.folder == compose.parent / "services" / "toy"
    assert (toy.port, toy.metrics_port) == (8100, 9100)
    assert (toy.needs, toy.build, toy.central) == ("go", "go build", False)
    assert toy.url() == "http://127.0.0.1:8100"
    assert toy.metrics_url("compose") == "http://toy:9000/metrics"


def test_a_shared_dockerfile_is_told_the_folder(compose: Path) -> None:
    build = "{context: services, args: {FOLDER: toys, REQUIREMENTS: flask}}"
    compose.write_text(TOY.replace("{context: services, dockerfile: toy/Dockerfile}", build))
    assert manifest.load(compose, {})["toy"].folder == compose.parent / "services" / "toys"


def test_variables_change_ports_and_are_known_by_name(compose: Path) -> None:
    toy = manifest.load(compose, {"TOY_PORT": "8200", "TOY_WORKERS": ""})["toy"]
    assert toy.port == 8200
    assert toy.environment["WORKERS"] == "2", "`:-` also replaces an empty value"
    assert (toy.port_variable, toy.metrics_port_variable) == ("TOY_PORT", "TOY_METRICS_PORT")


@pytest.mark.parametrize("port", ["0", "65536", "eighty", "-1", "٨٠٠٠"])
def test_what_is_no_port_is_told(compose: Path, port: str) -> None:
    with pytest.raises(ManifestError, match=rf"service toy: '{port}' is no port"):
        manifest.load(compose, {"TOY_PORT": port})


def test_labels_and_environment_may_be_lists(compose: Path) -> None:
    text = TOY.replace("{SERVICE_NAME: toy, WORKERS: ", "[SERVICE_NAME=toy, ").replace(
        '"${TOY_WORKERS:-2}"}', "WORKERS=3]"
    )
    compose.write_text(text)
    assert manifest.load(compose, {})["toy"].environment == {"SERVICE_NAME": "toy", "WORKERS": "3"}


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("lab.framework: Toy, ", "", "service toy: label lab.framework is missing"),
        (
            "lab.needs: go",
            "lab.leaves-out: speed",
            "lab.leaves-out: 'speed' is none of: validation, close-codes, refusals, upgrades",
        ),
        (":8000", ":8001", "service toy: publish port 8000"),
        ("services:", "things:", "has no services"),
        ("services:", "services: [", "not valid YAML"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(compose: Path, old: str, new: str, told: str) -> None:
    compose.write_text(TOY.replace(old, new, 1))
    with pytest.raises(ManifestError, match=told) as error:
        manifest.load(compose, {})
    assert str(compose) in str(error.value)
    assert "\n" not in str(error.value)


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="no such file"):
        manifest.load(tmp_path / "docker-compose.yml")


def test_an_unknown_service_is_told_with_the_known(compose: Path) -> None:
    services = manifest.load(compose, {})
    assert list(manifest.choose(services, ["toy"])) == ["toy"]
    with pytest.raises(ManifestError, match=r"unknown service 'boy'; .*: toy"):
        manifest.choose(services, ["boy"])


def test_the_labs_own_services_have_ports_that_differ() -> None:
    services = manifest.load(variables={}).values()
    taken = [port for service in services for port in (service.port, service.metrics_port)]
    assert len(set(taken)) == len(taken)
    assert all(service.port_variable.endswith("_PORT") for service in services)
