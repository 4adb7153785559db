"""What of a user's variables reaches the lab and what it starts: what the page names, and no more.

The families below are those that our libraries, servers, drivers and tools read by themselves; they
were found in their sources and manuals.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.inventory.manifest import COMPOSE_FILE
from loadtest.system import environment
from loadtest.system.paths import ROOT

Given = dict[str, str]
COMPOSE = environment.compose_variables(COMPOSE_FILE.read_text(encoding="utf-8"))
# Names that a library reads, or families of them.
LIBRARIES = (
    *("GUNICORN_CMD_ARGS", "GUNICORN_FD", "GUNICORN_PID", "SENDFILE", "WEB_CONCURRENCY"),
    *("LISTEN_FDS", "LISTEN_PID", "NOTIFY_SOCKET", "FORWARDED_ALLOW_IPS", "UVICORN_WORKERS"),
    *("DJANGO_SETTINGS_MODULE", "DJANGO_ALLOW_ASYNC_UNSAFE", "FLASK_DEBUG", "FLASK_APP"),
    *("WERKZEUG_SERVER_FD", "PROMETHEUS_MULTIPROC_DIR", "PROMETHEUS_DISABLE_CREATED_SERIES"),
    *("GEVENT_LOOP", "GEVENT_RESOLVER", "GEVENT_FILE", "PURE_PYTHON", "PYZMQ_BACKEND"),
    *("PSYCOPG_IMPL", "PSYCOPG_WAIT_FUNC", "KRB5CCNAME", "OPENSSL_CONF", "SSLKEYLOGFILE"),
    *("PYDANTIC_DISABLE_PLUGINS", "OTEL_SDK_DISABLED", "OTEL_EXPORTER_OTLP_ENDPOINT"),
    *("NODE_OPTIONS", "NODE_PATH", "NODE_ENV", "NODE_DEBUG", "UV_THREADPOOL_SIZE"),
    *("GOMAXPROCS", "GOGC", "GOMEMLIMIT", "GODEBUG", "GOTRACEBACK", "CGO_ENABLED", "GOOS"),
    *("LD_PRELOAD", "MALLOC_ARENA_MAX", "MALLOC_CONF", "GLIBC_TUNABLES", "TZ", "LANGUAGE"),
    *("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "NPY_PROMOTION_STATE"),
    *("RES_OPTIONS", "LOCALDOMAIN", "HOSTALIASES", "NGINX", "GIT_DIR", "GIT_INDEX_FILE"),
    *("BASH_ENV", "ENV", "CDPATH", "TYPER_USE_RICH", "_TYPER_STANDARD_TRACEBACK"),
    *("npm_config_omit", "NPM_CONFIG_PLATFORM", "npm_config_ignore_scripts", "CFLAGS", "CC"),
)
FAMILIES = (
    "PYTHON",
    "PG",
    "LOCUST_",
    "UVICORN_",
    "GUNICORN_",
    "FLASK_",
    "GEVENT_",
    "GIT_",
    "OTEL_",
)
PROXIES = ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
TEXTS = st.text(
    st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=20
)
MEMBERS = st.builds(
    "{}{}".format, st.sampled_from(FAMILIES), st.from_regex(r"[A-Z_]{1,12}", fullmatch=True)
)
FOREIGN = st.dictionaries(st.sampled_from(LIBRARIES) | MEMBERS, TEXTS, max_size=20)
KEPT = st.fixed_dictionaries(
    {"PATH": TEXTS, "HOME": TEXTS},
    optional=dict.fromkeys(("TERM", "LAB_STATE", "GOPROXY", "npm_config_registry"), TEXTS),
)
PROXIED = st.dictionaries(st.sampled_from([*PROXIES, "no_proxy", "NO_PROXY"]), TEXTS)
PROGRAMS: dict[str, Callable[[Given], Given]] = {
    "the lab": lambda given: environment.own(given, COMPOSE),
    "the load": lambda given: environment.load(given, COMPOSE),
    "Locust": lambda given: environment.locust(Path("/home/empty"), given),
    "a service": lambda given: environment.service([Path("/services")], given),
    "a build": environment.build,
    "Postgres": environment.postgres,
    "a service of the user's": environment.guest,
    "any other": environment.plain,
}


@given(kept=KEPT, foreign=FOREIGN)
def test_what_libraries_read_counts_for_nothing(kept: Given, foreign: Given) -> None:
    foreign = {name: each for name, each in foreign.items() if name not in COMPOSE}
    for name, program in PROGRAMS.items():
        assert program(kept | foreign) == program(kept), name


def test_a_service_of_the_users_has_the_users_packages() -> None:
    given = {"PATH": "/bin", "HOME": "/home/me"}
    kept = environment.plain(given)
    assert kept.pop("PYTHONNOUSERSITE")
    assert environment.guest(given) == kept


@given(kept=KEPT, foreign=FOREIGN, proxied=PROXIED)
def test_an_environment_of_ours_has_nothing_to_add(
    kept: Given, foreign: Given, proxied: Given
) -> None:
    found = environment.own(kept | foreign | proxied, COMPOSE)
    for name, program in PROGRAMS.items():
        assert program(found) == program(kept | foreign | proxied), name


@given(kept=KEPT, proxied=PROXIED)
def test_only_builds_know_a_proxy(kept: Given, proxied: Given) -> None:
    for name in PROGRAMS.keys() - {"the lab", "a build"}:
        assert not PROGRAMS[name](kept | proxied).keys() & proxied.keys(), name
    assert PROGRAMS["a build"](kept | proxied).items() >= proxied.items()


@given(length=st.integers(1, 300))
def test_sockets_have_short_paths(length: int) -> None:
    ours, of_multiprocessing = "lab-fork-0123456789abcdef/socket", "pymp-01234567/listener-01234567"
    for name, program in PROGRAMS.items():
        folder = program({"TMPDIR": "/" + "x" * (length - 1)}).get("TMPDIR", "/tmp")
        assert max(len(f"{folder}/{each}") for each in (ours, of_multiprocessing)) < 104, name
        assert folder == "/tmp" or length <= environment.LONGEST_TMPDIR, name


def test_locust_finds_no_configuration_at_home() -> None:
    assert environment.locust(Path("/empty"), {"HOME": "/home/user"})["HOME"] == "/empty"


OWN = sorted({environment._PREFIX + name for name in environment._NAMES} | COMPOSE)


def test_the_lab_knows_its_own_variables() -> None:
    assert environment.mistaken(OWN) == ""
    page = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"^\| `(LAB_\w+)` ", page, re.MULTILINE))
    assert listed == {name for name in OWN if name.startswith("LAB_")}


@given(name=st.sampled_from([name for name in OWN if len(name) > 6]), data=st.data())
def test_a_letter_too_many_or_too_few_is_noticed(name: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(name.index("_") + 1, len(name) - 1))
    longer = name[:at] + data.draw(st.sampled_from("ESX")) + name[at:]
    shorter = name[:at] + name[at + 1 :]
    for mistyped in {longer, shorter, name + "S"} - set(OWN):
        assert mistyped in environment.mistaken([mistyped, "PATH"])


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("LAB_TEST_ROWS", "LAB_TEST_SERVICES"),
        ("LAB_TEST_ROW", "LAB_TEST_SERVICES"),
        ("LAB_RESULT", "LAB_RESULTS"),
        ("FLASK_SYNC_WORKER", "FLASK_SYNC_WORKERS"),
        ("FLASK_SYNC_POOL", "FLASK_SYNC_POOL_SIZE"),
        ("SERVICE_CPU", "SERVICE_CPUS"),
        ("LAB_FOO", "docs/configuration.md"),
        ("FLASK_PYDANTIC_WORKERS", "docs/configuration.md"),
    ],
)
def test_a_mistake_is_told_with_what_was_meant(name: str, meant: str) -> None:
    said = environment.mistaken([name, "HOME"])
    assert said.startswith(f"{name} means nothing to the lab; ")
    assert meant in said


def test_what_others_read_is_no_mistake() -> None:
    others = ("NODE_ENV", "NODE_VERSION", "GO_VERSION", "ROWS", "SERVICE", "POSTGRES_USER")
    assert environment.mistaken([*LIBRARIES, *others]) == ""


@pytest.mark.parametrize("module", ["loadtest", "benchmarks.load", "pytest"])
def test_every_command_refuses_a_mistaken_variable_in_one_line(module: str) -> None:
    arguments = {"pytest": "tests/loadtest/system", "loadtest": "list"}.get(module, "--help")
    done = subprocess.run(
        [sys.executable, "-m", module, arguments],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "LAB_TEST_ROWS": "go"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in (2, pytest.ExitCode.USAGE_ERROR)
    told = [line for line in done.stderr.splitlines() if line.strip()]
    assert len(told) == 1
    assert "LAB_TEST_ROWS means nothing to the lab; did you mean LAB_TEST_SERVICES?" in told[0]


def test_a_process_that_has_begun_anew_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(environment._STARTED, str(os.getpid()))
    environment.clean("loadtest")
    assert environment._STARTED not in os.environ, "its children are to be cleaned as well"


def test_modules_of_the_user_are_not_imported(tmp_path: Path) -> None:
    for name in ("statistics", "random", "typer", "loadtest"):
        (tmp_path / f"{name}.py").write_text("print('of the user')", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "loadtest", "list"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(tmp_path), "PYTHONOPTIMIZE": "2"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "of the user" not in done.stdout
    assert "fastapi-async" in done.stdout
