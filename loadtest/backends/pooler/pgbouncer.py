"""PgBouncer without Docker: the one that is installed, with the configuration of the container."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import psycopg

from loadtest.backends import account
from loadtest.backends.postgres import Database
from loadtest.errors import LabError
from loadtest.inventory import pooling
from loadtest.model.experiment import Experiment
from loadtest.system import environment, ports
from loadtest.system.paths import ROOT
from loadtest.system.processes import Process, Processes, wait_until

START = ROOT / "services" / "pgbouncer" / "start"
OLDEST = (1, 21)  # the first that knows prepared statements where each transaction has a pool's
_BESIDE_PATH = ("/usr/sbin", "/usr/local/sbin")  # of daemons; not every user has them on the PATH


class PoolerError(LabError):
    """There is no PgBouncer that would do; the message says what to install."""


@dataclass(frozen=True)
class PgBouncer:
    """A running PgBouncer."""

    port: int
    process: Process

    def url(self, database: str) -> str:
        """Where a service reaches Postgres through the pool called `database`; no password."""
        return f"postgresql://lab@{ports.LOOPBACK}:{self.port}/{database}"


def require() -> str:
    """The version of the PgBouncer that is installed; raises PoolerError where none will do."""
    found = _program()
    if found is None:
        raise PoolerError("PgBouncer is not installed; install it (Debian: apt install pgbouncer)")
    said = subprocess.run(
        [found, "--version"],
        capture_output=True,
        text=True,
        env=environment.plain(),
        check=False,
    ).stdout
    version = re.search(r"(\d+)\.(\d+)\S*", said)
    if version is None or (int(version[1]), int(version[2])) < OLDEST:
        raise PoolerError(
            f"{found} is {' '.join(said.split()[:2]) or 'no PgBouncer'}, and prepared statements "
            f"need {OLDEST[0]}.{OLDEST[1]}; install a later one (Debian 13 has it)"
        )
    return version[0]


def split(
    experiments: Iterable[Experiment], backend: str
) -> tuple[list[Experiment], dict[str, str]]:
    """The experiments that can run here, and why the others can't: they need a pooler at a level.

    Where every service is to have one, the run as a whole is refused. Images have one.
    """
    fitting, lacking = [], {}
    for each in experiments:
        try:
            if backend == "native" and not pooling.usual() and pooling.needed([each]):
                require()
            fitting.append(each)
        except PoolerError as error:
            lacking[each.name] = str(error)
    return fitting, lacking


def start(
    processes: Processes,
    database: Database,
    *,
    port: int,
    log: Path,
    cpus: frozenset[int] | None = None,
) -> PgBouncer:
    """Start PgBouncer on `port` before `database`; raises PoolerError or ProcessError."""
    require()
    folder = processes.folder("lab-pgbouncer-")
    password = folder / "password"
    shutil.copyfile(database.password_file, password)
    password.chmod(0o600)
    _give(folder, password)
    process = processes.start(
        "pgbouncer",
        ["/bin/sh", str(START)],
        log=log,
        cwd=Path("/"),
        environment=_environment(folder, password, database, port),
        cpus=cpus,
        account=account.account(),
        stop_signal=signal.SIGINT,  # lets queries end
    )
    found = PgBouncer(port, process)
    secret = database.password_file.read_text().strip()
    wait_until(process, lambda: _accepts(found, secret), waiting_for="connection")
    return found


def _environment(folder: Path, password: Path, database: Database, port: int) -> dict[str, str]:
    found = environment.plain()
    found["PATH"] = os.pathsep.join([found.get("PATH", ""), *_BESIDE_PATH])
    return found | {
        "TMPDIR": str(folder),
        "HOST": ports.LOOPBACK,
        "PORT": str(port),
        "DATABASE_HOST": ports.LOOPBACK,
        "DATABASE_PORT": str(database.port),
        "DATABASE_PASSWORD_FILE": str(password),
        "POOLER_SIZE": os.environ.get("POOLER_SIZE", ""),
    }


def _give(folder: Path, password: Path) -> None:
    """PgBouncer refuses to run as root, as Postgres does; the same account reads its files."""
    account.let_in([START], folder)
    if (other := account.account()) is not None:
        os.chown(password, other.user, other.group)


def _accepts(pooler: PgBouncer, password: str) -> bool:
    try:
        psycopg.connect(pooler.url("lab"), password=password, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def _program() -> str | None:
    path = os.pathsep.join([os.environ.get("PATH", ""), *_BESIDE_PATH])
    return shutil.which("pgbouncer", path=path)
