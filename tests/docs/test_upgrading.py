"""Each part of a library that its documentation does not promise is there, and is on the page."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from lab import internals as of_services
from loadtest.system import internals as of_lab
from loadtest.system.paths import ROOT
from loadtest.system.processes import Processes, wait_until

PAGE = (ROOT / of_lab.PAGE).read_text(encoding="utf-8")
PARTS: Mapping[str, Sequence[Any]] = {**of_services.PARTS, **of_lab.PARTS}
FOLDERS = tuple(f"services/{name}" for name in ("common", "fastapi", "flask", "quart", "starlette"))


@pytest.mark.parametrize(
    ("importing", "modules"),
    [("lab", of_services.PARTS), ("loadtest.system", of_lab.PARTS)],
    ids=["services", "lab"],
)
def test_each_is_still_there(importing: str, modules: Mapping[str, Sequence[Any]]) -> None:
    """In a process of its own, as importing Locust patches the one that it is in."""
    code = (
        f"from {importing} import internals\n"
        "for module in internals.PARTS:\n"
        "    print(module, *internals.missing(module), sep=' | ')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={"PYTHONPATH": f"{ROOT}/services/common"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.stdout.splitlines() == list(modules), done.stderr


@pytest.mark.parametrize("module", PARTS)
def test_the_page_names_it_beside_its_module(module: str) -> None:
    (line,) = (line for line in PAGE.splitlines() if line.startswith(f"| `{module}` |"))
    assert [part.path for part in PARTS[module] if f"`{part.path}`" not in line] == []
    assert len(set(re.findall(r"`([\w.]+:[\w.]+)`", line)) - {p.path for p in PARTS[module]}) == 0


@pytest.mark.parametrize("module", PARTS)
def test_the_module_has_it_checked_when_it_starts(module: str) -> None:
    folders = (*FOLDERS, "services/django", ".")
    (path,) = filter(
        Path.exists, (ROOT / folder / f"{module.replace('.', '/')}.py" for folder in folders)
    )
    calls = re.findall(r"internals\.check\((.+)\)", path.read_text(encoding="utf-8"))
    assert calls in (["__name__"], [f'"{module}"'])


@pytest.mark.parametrize(
    ("path", "word"),
    [
        ("no_such_library:Thing", ""),
        ("json:JSONDecoder.no_such_method", ""),
        ("json:JSONDecoder.decode", "no_such_word"),
    ],
)
def test_a_missing_one_warns(path: str, word: str) -> None:
    parts = of_services.Part(path, word), of_services.Part("json:JSONDecoder.decode", "raw_decode")
    with pytest.warns(RuntimeWarning, match=re.escape(path)) as warned:
        of_services.check("a module", {"a module": parts})
    assert len(warned) == 1
    assert warned[0].filename == __file__
    assert of_lab.warned(f"x.py:1: RuntimeWarning: {warned[0].message}\n") == [
        str(warned[0].message)
    ]


def test_what_a_process_warns_of_is_said_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = (
        f"import sys, time; print('Warning: gone; see {of_lab.PAGE}', flush=True); time.sleep(60)"
    )
    with Processes() as processes:
        process = processes.start(
            "toy",
            [sys.executable, "-c", code],
            log=tmp_path / "toy.log",
            cwd=tmp_path,
            environment={},
        )
        said: Callable[[], bool] = lambda: of_lab.PAGE in process.tail()  # noqa: E731
        for _ in range(2):
            wait_until(process, said, timeout_s=30, waiting_for="word")
    assert capsys.readouterr().err == f"toy: gone; see {of_lab.PAGE}\n"
