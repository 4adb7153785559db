"""What Postgres' own user must find: a name, shared memory, and files that it may read."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from types import SimpleNamespace

import pytest

from loadtest.backends import account
from loadtest.backends.account import AccountError
from loadtest.system.processes import Account


def test_this_machine_has_what_it_takes() -> None:
    account.require()


def test_a_user_without_a_name_is_told_what_to_add(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 54321)
    with pytest.raises(AccountError, match=r"54321 has no entry.*'lab:x:54321:54321::/:/bin/sh"):
        account.require()


def test_too_little_shared_memory_is_told_with_what_it_takes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(os, "statvfs", lambda _: SimpleNamespace(f_bavail=512, f_frsize=4096))
    with pytest.raises(AccountError, match=rf"4 MB .*{tmp_path} has 2\.0 MB left.*--shm-size"):
        account.require(tmp_path)
    account.require(tmp_path / "without")


@pytest.fixture
def closed(tmp_path: Path) -> Path:
    """A program and data, as a clone under umask 077 has them."""
    for folder in ("clone/program/bin", "clone/data", "clone/private"):
        (tmp_path / folder).mkdir(parents=True)
    for file, mode in (("program/bin/run", 0o700), ("program/library", 0o600)):
        (tmp_path / "clone" / file).touch(mode)
    (tmp_path / "clone" / "private" / "secret").touch(0o600)
    for path in (tmp_path, *tmp_path.rglob("*")):
        path.chmod(path.stat().st_mode & ~0o077)
    return tmp_path / "clone"


def modes(folder: Path) -> dict[str, str]:
    """What others may do, by path."""
    paths = sorted(folder.rglob("*"))
    return {str(x.relative_to(folder)): stat.filemode(x.stat().st_mode)[7:] for x in paths}


def test_a_closed_clone_lets_it_read_its_program_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch, closed: Path
) -> None:
    me = Account(os.getuid(), os.getgid())
    monkeypatch.setattr(account, "account", lambda: me)
    account.let_in([closed / "program"], closed / "data")
    assert modes(closed) == {
        "data": "---",
        "private": "---",
        "private/secret": "---",
        "program": "r-x",
        "program/bin": "r-x",
        "program/bin/run": "r-x",
        "program/library": "r--",
    }
    for folder in (closed, closed.parent):
        assert stat.filemode(folder.stat().st_mode)[7:] == "--x"


def test_nothing_is_opened_where_postgres_runs_as_ourselves(
    monkeypatch: pytest.MonkeyPatch, closed: Path
) -> None:
    monkeypatch.setattr(account, "account", lambda: None)
    account.let_in([closed / "program"], closed / "data")
    assert set(modes(closed).values()) == {"---"}


def test_who_cannot_be_let_in_is_told(monkeypatch: pytest.MonkeyPatch, closed: Path) -> None:
    me = Account(os.getuid(), os.getgid())
    monkeypatch.setattr(account, "account", lambda: me)

    def refused(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted", str(closed))

    monkeypatch.setattr(Path, "chmod", refused)
    with pytest.raises(AccountError, match=r"can't be let in: .*clone.*move the lab"):
        account.let_in([closed / "program"], closed / "data")
