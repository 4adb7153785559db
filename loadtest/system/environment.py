"""The environment of the lab itself and of everything that it starts: what is named here, no more.

Libraries read variables by themselves (PGOPTIONS, LOCUST_TAGS, GUNICORN_CMD_ARGS, NODE_OPTIONS).
Whatever a user has set for other programs would change figures, or stop a run. So each program gets
the variables that docs/configuration.md lists, and none of its neighbours'. Loopback is never
reached through a proxy, as only builds and installers are given one.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Collection, Mapping
from difflib import get_close_matches
from pathlib import Path

from loadtest.system.paths import ROOT

Variables = Mapping[str, str]

# A socket's path has 108 bytes (104 on macOS); this many leave room for the longest name of ours,
# and for those of Python's multiprocessing.
LONGEST_TMPDIR = 64

EVERYWHERE = ("PATH", "HOME", "TMPDIR", "LD_LIBRARY_PATH")
TERMINAL = ("TERM", "COLORTERM", "COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR")
CONTAINER = ("DATABASE_URL", "DATABASE_PASSWORD_FILE")
CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR")  # of authorities that the user trusts
SERVICE = ("LAB_METRICS", "LAB_SESSION_SECRET")
# How npm and Go reach packages, and where they keep them. What changes the build is left out.
BUILDS = (
    *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"),
    *("http_proxy", "https_proxy", "all_proxy", "no_proxy"),
    *(*CERTIFICATES, "NODE_EXTRA_CA_CERTS", "NETRC"),
    *("XDG_CACHE_HOME", "XDG_CONFIG_HOME"),
    *("GOPROXY", "GOPRIVATE", "GONOPROXY", "GONOSUMDB", "GOSUMDB", "GOINSECURE", "GOAUTH"),
    *("GOPATH", "GOCACHE", "GOMODCACHE", "GOENV", "GOROOT", "GOTOOLCHAIN"),
)
# In either case, with `_` or `-` between words: npm_config_https_proxy.
NPM = (
    *("registry", "cache", "ca", "cafile", "proxy", "https-proxy", "noproxy", "strict-ssl"),
    *("userconfig", "globalconfig", "offline", "prefer-offline", "maxsockets"),
    *("fetch-retries", "fetch-timeout"),
)
_NPM_PREFIX = "npm_config_"

# The same text everywhere; a Python that is not the lab's own does without its user's packages.
_TEXT = {"LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", "PYTHONUTF8": "1", "PYTHONNOUSERSITE": "1"}
# The lab's Postgres is on loopback and knows neither TLS nor Kerberos: so that nobody looks for
# certificates and tickets at home.
_POSTGRES = {"PGSSLMODE": "disable", "PGGSSENCMODE": "disable"}
_COMPOSE_FILE = "docker-compose.yml"
_INTERPOLATED = re.compile(r"(?<!\$)\$\{?([A-Za-z_][A-Za-z0-9_]*)")
_STARTED = "LAB_STARTED"
_PREFIX = "LAB_"
# What the lab, its services and tests read under that prefix; docs/configuration.md explains it.
_NAMES = (
    *("AUTOSTART", "BACKEND", "CEILING_RPS", "CONTROL", "ENGINE_LOG", "ENGINE_RUN", "ENGINE_STATE"),
    *("EXPERIMENTS", "GIT_COMMIT", "IMAGES", "LOAD_METRICS_PORT", "METRICS", "METRICS_DIRECTORY"),
    *("METRICS_FILE", "POSTGRES_PORT", "PROMETHEUS", "REQUEST", "RESULTS", "RESULTS_OUTSIDE"),
    *("ROOM_MB", "ROOT", "RUN_ID", "SCENARIO", "SCREENSHOT", "SERVER_PROCESS", "SESSION_SECRET"),
    *("STANDINS", "STARTED", "STATE", "TARGET", "TEST_SERVICES", "USER", "VERSION"),
)
_RENAMED = re.compile(r"ROWS?(?=_|$)")
_SERVICES = re.compile(r"(\w+_\w+_)METRICS_PORT")  # GO_ and NODE_ are others' prefixes, too
_SIMILAR, _ALIKE = 0.6, 0.9  # difflib's ratio; the second is a letter more or less in seven


def own(variables: Variables, compose: Collection[str]) -> dict[str, str]:
    """For the lab's own process: also what it hands on to builds and, by `compose`, to services.

    `compose` names the variables of docker-compose.yml.
    """
    return build(variables) | load(variables, compose) | _kept(variables, (*TERMINAL, *CONTAINER))


def load(variables: Variables, compose: Collection[str]) -> dict[str, str]:
    """For what runs the lab's own modules: Locust, the fork server, the null server."""
    lab = [name for name in variables if name.startswith("LAB_") and name != _STARTED]
    python = {"PYTHONPATH": str(ROOT), "PYTHONSAFEPATH": "1"}
    kept = _kept(variables, (*compose, *lab, *CERTIFICATES))
    return kept | plain(variables) | _POSTGRES | python


def locust(home: Path, variables: Variables | None = None) -> dict[str, str]:
    """For Locust, whose ~/.locust.conf would count as well: `home` is a folder without one."""
    return load(*_now(variables)) | {"HOME": str(home)}


def service(path: Collection[Path], variables: Variables | None = None) -> dict[str, str]:
    """For a service under test, beside what is declared; its Python finds modules on `path`.

    Programs of this Python's environment come first.
    """
    given = os.environ if variables is None else variables
    found = _kept(given, SERVICE) | plain(given) | _POSTGRES
    found["PATH"] = os.pathsep.join([str(Path(sys.prefix) / "bin"), found.get("PATH", "")])
    return found | {"PYTHONPATH": os.pathsep.join(map(str, path))}


def build(variables: Variables | None = None) -> dict[str, str]:
    """For the builds of services: proxies, certificates, registries and caches are the user's."""
    given = os.environ if variables is None else variables
    npm = [name for name in given if _reaches_packages(name)]
    # Also where the user's file of Go's settings has flags.
    return _kept(given, (*BUILDS, *npm)) | plain(given) | {"GOFLAGS": "-mod=readonly"}


def postgres(variables: Variables | None = None) -> dict[str, str]:
    """For Postgres and its tools, which talk plain English and count in UTC."""
    given = os.environ if variables is None else variables
    return _kept(given, ("PATH",)) | _POSTGRES | {"LC_ALL": "C", "TZ": "UTC"}


def plain(variables: Variables | None = None) -> dict[str, str]:
    """For any other program, such as git and Prometheus."""
    given = os.environ if variables is None else variables
    found = _kept(given, EVERYWHERE)
    if not is_short(found.get("TMPDIR", "")):
        del found["TMPDIR"]
    return found | _TEXT


def guest(variables: Variables | None = None) -> dict[str, str]:
    """For a service of the user's own, whose Python may have the user's packages."""
    found = plain(variables)
    del found["PYTHONNOUSERSITE"]
    return found


def compose_variables(text: str) -> frozenset[str]:
    """The variables that a compose file takes from the environment."""
    return frozenset(_INTERPOLATED.findall(text))


def mistaken(names: Collection[str]) -> str:
    """Why one of these variables means nothing, though it was meant for the lab; else empty."""
    known = _now({})[1] | {_PREFIX + name for name in _NAMES}
    services = {found[1] for each in known if (found := _SERVICES.fullmatch(each))}
    for name in sorted(set(names) - known):
        prefix = next((each for each in (_PREFIX, *services) if name.startswith(each)), "")
        rest = _RENAMED.sub("SERVICES", name.removeprefix(prefix))
        theirs = [each.removeprefix(prefix) for each in sorted(known) if each.startswith(prefix)]
        meant = get_close_matches(rest, theirs, 1, _SIMILAR if prefix else _ALIKE)
        if meant:
            return f"{name} means nothing to the lab; did you mean {prefix}{meant[0]}?"
        if prefix:
            return f"{name} means nothing to the lab; docs/configuration.md has its variables"
    return ""


def clean(module: str) -> None:
    """Begin this process anew, as `python -m MODULE`, in an environment of its own.

    Python has already read its variables, and imports modules from where they say. Only a new start
    undoes that. This returns in the new process.
    """
    if os.environ.pop(_STARTED, "") == str(os.getpid()):
        return
    if why := mistaken(os.environ):
        sys.exit(_refused(why))
    found = own(*_now(None)) | {_STARTED: str(os.getpid())}
    os.execve(sys.executable, [sys.executable, "-m", module, *sys.argv[1:]], found)


def _refused(why: str) -> int:
    print(f"loadtest: {why}", file=sys.stderr)
    return 2


def _now(variables: Variables | None) -> tuple[Variables, frozenset[str]]:
    given = os.environ if variables is None else variables
    try:
        text = (ROOT / _COMPOSE_FILE).read_text(encoding="utf-8")
    except OSError:
        text = ""  # who reads the file for its services will say so
    return given, compose_variables(text)


def _kept(variables: Variables, names: Collection[str]) -> dict[str, str]:
    return {name: variables[name] for name in names if name in variables}


def is_short(folder: str) -> bool:
    """Whether paths of sockets fit into the folder."""
    return len(os.fsencode(folder)) <= LONGEST_TMPDIR


def _reaches_packages(name: str) -> bool:
    if name[: len(_NPM_PREFIX)].lower() != _NPM_PREFIX:
        return False
    setting = name[len(_NPM_PREFIX) :]
    return setting.lower().replace("_", "-") in NPM or setting.startswith(("//", "@"))
