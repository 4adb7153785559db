"""services/README.md, followed to the letter by somebody who adds a service."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from loadtest.system import ports
from loadtest.system.paths import ROOT
from tests import cloned
from tests.native.commands.conftest import EXPERIMENT, OPTIONS, free_ports

PAGE = ROOT / "services" / "README.md"
BLOCK = re.compile(r"`([^`\n]+)`[^`\n]*:\n\n```\w+\n(.*?)```", re.DOTALL)
LIAR, SOUND, LIE = "liar", '{"ms": ms}', '{"milliseconds": ms}'


@dataclass(frozen=True)
class Copy:
    """A clone of the lab to which a service has been added; commands run in it."""

    root: Path
    variables: Mapping[str, str]

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        return subprocess.run(
            [sys.executable, "-m", "loadtest", *arguments],
            cwd=self.root,
            env={**environment, **self.variables},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=250,
            check=False,
        )

    def result(self, name: str) -> Path:
        return self.root / "results" / "latest" / name


def blocks() -> dict[str, str]:
    """The files of the page by name; `\\`docker-compose.yml\\`, under …` is the compose entry."""
    return dict(BLOCK.findall(PAGE.read_text().replace("`, under `services:`:", "`:")))


def lying(files: Mapping[str, str]) -> dict[str, str]:
    """The files of a service with another name that answers /wait wrongly."""
    renamed = {name.replace("plain", LIAR): text for name, text in files.items()}
    entry = renamed.pop("docker-compose.yml")
    renamed = {name: text.replace(SOUND, LIE) for name, text in renamed.items()}
    entry = entry.replace("plain", LIAR).replace("PLAIN", LIAR.upper())
    return renamed | {"docker-compose.yml": entry}


def add(root: Path, files: dict[str, str]) -> None:
    """Add a service to the clone at `root`."""
    entry = files.pop("docker-compose.yml")
    for name, text in files.items():
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text(text)
    compose = root / "docker-compose.yml"
    compose.write_text(compose.read_text().replace("\nservices:\n", f"\nservices:\n{entry}\n", 1))


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Copy]:
    """With the page's service, and another that is the same but for a lie."""
    root = cloned.clone(tmp_path_factory.mktemp("clone") / "lab")
    add(root, blocks())
    add(root, lying(blocks()))
    names = [f"{name}{of}PORT" for name in ("PLAIN", LIAR.upper()) for of in ("_", "_METRICS_")]
    with free_ports() as variables, ports.held(len(names)) as found:
        own = {name: str(port) for name, port in zip(names, found, strict=True)}
        yield Copy(root, variables | own)


@pytest.fixture(scope="module")
def compared(clone: Copy) -> Copy:
    (clone.root / "tiny.toml").write_text(EXPERIMENT)
    done = clone.run(
        "run", "--experiments", "tiny.toml", "--services", f"plain {LIAR} fastapi-async", *OPTIONS
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return clone


def trials(clone: Copy) -> list[dict[str, Any]]:
    path = clone.result("trials.jsonl")
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def test_the_page_has_the_two_files_of_a_service() -> None:
    assert blocks().keys() == {
        "services/plain/plain.py",
        "docker-compose.yml",
    }


def test_the_service_is_listed(clone: Copy) -> None:
    done = clone.run("list")
    assert re.search(r"^ *plain +none +threads", done.stdout, re.MULTILINE), (
        done.stdout + done.stderr
    )


def test_the_service_is_verified_and_loaded(compared: Copy) -> None:
    own = [each for each in trials(compared) if each["service"] == "plain"]
    assert own
    assert all(each["result"]["answered"] > 0 for each in own)
    assert {each["prediction"]["slots"] for each in own} == {4}  # the four connections bind


def test_the_service_is_in_the_report(compared: Copy) -> None:
    assert "plain" in json.loads(compared.result("run.json").read_text())["services"]
    assert re.search(r"\bplain\b", compared.result("report.html").read_text())


def test_a_service_that_lies_is_not_timed(compared: Copy) -> None:
    unverified = json.loads(compared.result("run.json").read_text())["unverified"]
    assert unverified.keys() == {LIAR}
    assert "/wait" in unverified[LIAR]
    assert LIAR not in {each["service"] for each in trials(compared)}
