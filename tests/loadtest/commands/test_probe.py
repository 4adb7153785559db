"""`probe` as a command: what it refuses, what it prints, the files that it leaves."""

from __future__ import annotations

import errno
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import typer

from loadtest.backends.own import reachable
from loadtest.commands import probe, report
from loadtest.commands.fail_if import ConditionError
from loadtest.commands.probe import Asked, Described
from loadtest.errors import LabError
from loadtest.probe import moments, probing
from loadtest.probe.parts import ramp
from loadtest.system import ports
from tests.driving import unstalled
from tests.loadtest.probe.sightings import full, seen
from tests.loadtest.probe.small_servers import serving, waiting


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(moments, "Engine", unstalled)  # whose clock no stall moves
    monkeypatch.setattr(ramp, "LONGEST_STEP_S", 0.3)
    monkeypatch.setattr(probing, "AGAIN_S", 0.2)
    monkeypatch.setenv("LAB_RESULTS", str(tmp_path))


def ask(url: str, **known: object) -> int:
    """The exit code."""
    return code_of(Asked(Described(url), **known))  # type: ignore[arg-type]


def test_a_probe_leaves_json_a_page_and_an_exit_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving(waiting(0.02), slots=2) as port:
        url = f"http://127.0.0.1:{port}/slow"
        conditions = ("slots < 1", "wait_s > 0")  # which any plateau decides, or none
        code = ask(url=url, seconds=5.0, connections=4, as_json=True, fail_if=conditions)
    said = capsys.readouterr()
    found = json.loads(said.out)
    assert code == 1
    assert set(found["slots"]) == {"value", "low", "high", "at_least"}
    assert found["url"] == url
    assert "at most 100,000 requests, 4 connections, 5 s" in said.err
    assert "passed: slots < 1" in said.err
    assert "failed: wait_s > 0" in said.err
    [folder] = tmp_path.iterdir()
    assert folder.name.endswith("-probe")
    assert json.loads((folder / "probe.json").read_text()) == found
    page = (folder / "report.html").read_text()
    for sentence in found["sentences"][:1]:
        assert sentence in page
    (folder / "report.html").unlink()
    report.show(folder)
    assert (folder / "report.html").read_text() == page


def fill_disk(monkeypatch: pytest.MonkeyPatch, ending: str) -> None:
    """No file or folder with this ending of its name can be written."""

    def full_for(write: Any) -> Any:
        def checked(path: Path, *given: Any, **options: Any) -> Any:
            if path.name.removesuffix(".part").endswith(ending):
                raise OSError(errno.ENOSPC, "No space left on device")
            return write(path, *given, **options)

        return checked

    for name in ("mkdir", "write_bytes"):
        monkeypatch.setattr(Path, name, full_for(getattr(Path, name)))


@pytest.mark.parametrize(
    ("ending", "told"),
    [
        ("-probe", "results can't be written to"),
        ("probe.json", "no space left for it; make room, then probe again"),
        ("report.html", "no space left for it; make room, then: python -m loadtest report"),
    ],
)
@pytest.mark.parametrize("as_json", [False, True])
def test_a_full_disk_loses_no_result(
    ending: str,
    told: str,
    as_json: bool,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(probing, "probe", lambda *_: seen(full(4)))
    fill_disk(monkeypatch, ending)
    url = "http://127.0.0.1:1/"
    assert ask(url, as_json=as_json) == 0
    said = capsys.readouterr()
    assert ("What binds: slots" in said.out) or json.loads(said.out)["binds"] == "slots"
    assert "report: " not in said.out
    [line] = [each for each in said.err.splitlines() if told in each]
    assert line.startswith("loadtest: ")
    assert ask(url, as_json=as_json, fail_if=["wait_s > 0"]) == 1


@pytest.mark.parametrize(
    ("known", "told"),
    [
        ({"url": "127.0.0.1:8000/slow"}, "http://127.0.0.1"),
        ({"url": "http://192.0.2.1/"}, "--i-may-load-this"),
        ({"url": "http://127.0.0.1:1/", "seconds": 1.0}, "--seconds"),
        ({"url": "http://127.0.0.1:1/", "connections": 0}, "--connections"),
        ({"url": "http://127.0.0.1:1/", "beside": "http://192.0.2.1/"}, "--i-may-load-this"),
        ({"url": "http://127.0.0.1:1/", "beside": "healthz"}, "beside 'healthz': write /healthz"),
        ({"url": "http://0.0.0.0:1/"}, "write http://127.0.0.1:1/"),
        ({"url": "http://127.0.0.1:1/", "fail_if": ["beside_s > 1"]}, "needs --beside /PATH"),
        (
            {"url": "http://127.0.0.1:1/", "beside": "/healthz", "connections": 1},
            "connection of its own",
        ),
        ({"url": "http://127.0.0.1:1/"}, "nothing listens"),
    ],
)
def test_what_cannot_be_probed_is_refused_in_one_line(
    known: dict[str, object], told: str, tmp_path: Path
) -> None:
    with pytest.raises(LabError, match=told) as refused:
        ask(**known)  # type: ignore[arg-type]
    assert "\n" not in str(refused.value)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("beside", "sent"),
    [
        ("/healthz", True),
        ("http://127.0.0.1:8000/healthz", True),
        ("http://127.0.0.1:9000/healthz", False),
        ("http://127.0.0.2:8000/healthz", False),
        ("https://127.0.0.1:8000/healthz", False),
    ],
)
def test_headers_go_to_the_origin_alone_that_they_are_for(beside: str, sent: bool) -> None:
    headers = ("Authorization: Bearer x", "Cookie: a=1", "Host: shop")
    asked = Asked(Described("http://127.0.0.1:8000/slow", headers=headers), beside=beside)
    target = asked.target()
    light = asked.light(target)
    assert light is not None
    assert light.headers == (target.headers if sent else {})


def kept_as(folder: Path, text: str) -> Asked:
    path = folder / "mine.toml"
    path.write_text(text)
    return Asked(Described(str(path)))


def code_of(asked: Asked) -> int:
    try:
        probe.carry_out(probe.with_file(asked))
    except typer.Exit as ended:
        return ended.exit_code
    return 0


def test_a_file_starts_its_service_and_fails_by_its_condition(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "index.html").write_text("a page")
    with ports.held(1) as [port]:
        asked = kept_as(
            tmp_path,
            f"""
            seconds = 5
            connections = 2
            fail_if = ["plateau_rps > 1"]
            [targets.files]
            url = "http://127.0.0.1:{port}/index.html"
            start = "{sys.executable} -m http.server {port} --bind 127.0.0.1"
            """,
        )
        assert code_of(asked) == 1
        assert not reachable(f"http://127.0.0.1:{port}/")
    assert "failed: plateau_rps > 1: plateau_rps is" in capsys.readouterr().err
    [folder] = tmp_path.glob("*-probe")
    assert (folder / "report.html").exists()
    assert (folder / "logs" / "files.log").exists()


@pytest.mark.parametrize(
    ("text", "given", "told"),
    [
        ("[targets.A]\nurl = 'http://127.0.0.1:1/'", {"method": "PUT"}, "--method: mine.toml says"),
        ("[targets.A]\nurl = 'http://127.0.0.1:1/'", {"headers": ("a: b",)}, "--header: mine"),
        (
            "fail_if = ['beside_s < 1']\n[targets.A]\nurl = 'http://127.0.0.1:1/'",
            {},
            'beside_s needs beside = "/PATH" in mine.toml',
        ),
        ("beside = 'healthz'\n[targets.A]\nurl = 'http://127.0.0.1:1/'", {}, "write /healthz for"),
        ("fail_if = ['speed < 1']\n[targets.A]\nurl = 'http://127.0.0.1:1/'", {}, "fail_if 'speed"),
        (
            "beside = '/healthz'\nconnections = 1\n[targets.A]\nurl = 'http://127.0.0.1:1/'\n"
            "start = 'no-such'",
            {},
            "connection of its own",
        ),
        ("[targets.A]\nurl = 'http://127.0.0.1:1/'", {}, "nothing listens"),
        ("[targets.A]\nurl = 'http://192.0.2.1/'", {}, "--i-may-load-this"),
        ("seconds = 1\n[targets.A]\nurl = 'http://127.0.0.1:1/'", {}, "--seconds 1: give"),
        ("no toml", {}, "not valid TOML"),
    ],
)
def test_a_file_that_cannot_be_probed_is_refused_in_one_line(
    text: str, given: dict[str, Any], told: str, tmp_path: Path
) -> None:
    asked = kept_as(tmp_path, text)
    with pytest.raises(LabError, match=told) as refused:
        code_of(replace(asked, request=replace(asked.request, **given)))
    assert "\n" not in str(refused.value)


def test_a_service_that_does_not_start_is_told_with_its_log(tmp_path: Path) -> None:
    with ports.held(1) as [port]:
        url = f"http://127.0.0.1:{port}/"
        asked = kept_as(tmp_path, f"[targets.A]\nurl = '{url}'\nstart = 'no-such'")
        with pytest.raises(LabError, match="A ended with exit code 127") as refused:
            code_of(asked)
    assert "no-such: not found" in str(refused.value)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(LabError, match=r"mine\.toml: no such file"):
        code_of(Asked(Described(str(tmp_path / "mine.toml"))))


def test_options_beside_a_file_bound_it(tmp_path: Path) -> None:
    asked = kept_as(tmp_path, "seconds = 20\n[targets.A]\nurl = 'http://127.0.0.1:1/'")
    found = probe.with_file(replace(asked, seconds=7.0, fail_if=("slots < 2",)))
    assert (found.seconds, found.connections, found.fail_if) == (7.0, 256, ("slots < 2",))


def test_a_condition_is_refused_before_anything_is_asked() -> None:
    with pytest.raises(ConditionError):
        ask(url="http://127.0.0.1:1/", fail_if=("speed < 4",))
