"""The account that the native Postgres runs as, and what it needs on this machine."""

from __future__ import annotations

import os
import pwd
import stat
from collections.abc import Iterable
from pathlib import Path

from loadtest.errors import LabError
from loadtest.system.processes import Account

SHARED_MEMORY = Path("/dev/shm")
# 1.2 MB at the start (measured, 600 connections allowed); statistics and parallel queries add more.
SHARED_BYTES = 4 * 2**20
_NOBODY = 65534


class AccountError(LabError):
    """Postgres can't run here as it must; the message says why and what to do."""


def account() -> Account | None:
    """Postgres refuses to run as root; it gets the account that may do least."""
    if os.geteuid():
        return None
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError:
        return Account(_NOBODY, _NOBODY)
    return Account(nobody.pw_uid, nobody.pw_gid)


def require(shared_memory: Path = SHARED_MEMORY) -> None:
    """Raise AccountError where Postgres would not start: its user has no name, or no memory."""
    other = account()
    _require_name(other.user if other else os.geteuid())
    # Where it may not write there, Postgres takes another kind of shared memory.
    if shared_memory.is_dir() and (other is not None or os.access(shared_memory, os.W_OK)):
        _require_room(shared_memory)


def _require_name(user: int) -> None:
    try:
        pwd.getpwuid(user)
    except KeyError:
        raise AccountError(
            f"Postgres needs a user with a name, and user id {user} has no entry in /etc/passwd; "
            f"add one as root (echo 'lab:x:{user}:{user}::/:/bin/sh' >>/etc/passwd), "
            "or run the lab as another user"
        ) from None


def _require_room(folder: Path) -> None:
    found = os.statvfs(folder)
    left = found.f_bavail * found.f_frsize
    if left < SHARED_BYTES:
        raise AccountError(
            f"Postgres needs {SHARED_BYTES / 2**20:.0f} MB of shared memory, and {folder} has "
            f"{left / 2**20:.1f} MB left; remove what fills it, or make it larger "
            f"(mount -o remount,size=64m {folder}; for a container: --shm-size=64m)"
        )


def let_in(program: Iterable[Path], data: Path) -> None:
    """Give `data` to Postgres' account, and let it read `program` and pass the folders above.

    A clone made under umask 077 is closed to it otherwise. Passing is not listing: what else is in
    those folders stays as hidden as it was. Raises AccountError.
    """
    other = account()
    if other is None:
        return
    try:
        os.chown(data, other.user, other.group)
        for tree in program:
            for path in (tree, *tree.rglob("*")):
                _allow(path, _reading(path))
        for path in {each for tree in (data, *program) for each in tree.parents}:
            _allow(path, stat.S_IXOTH)
    except OSError as error:
        raise AccountError(
            f"Postgres does not run as root, and its user can't be let in: {error}; "
            "move the lab to a folder that others may enter, or run it as another user"
        ) from None


def _reading(path: Path) -> int:
    executable = path.is_dir() or path.stat().st_mode & stat.S_IXUSR
    return stat.S_IROTH | (stat.S_IXOTH if executable else 0)


def _allow(path: Path, bits: int) -> None:
    mode = path.stat().st_mode
    if mode & bits != bits:
        path.chmod(stat.S_IMODE(mode) | bits)
