"""Installs a lock into the environment that runs this: `.venv/bin/python -I setup/install.py LOCK`.

uv does it in seconds; pip, which first installs uv itself, does it where uv can't. Both check every
hash. Of what pip is told elsewhere (PIP_…, pip.conf), only the way to the packages counts: index,
certificates, proxy, cache. Where and what to install is our own business: `user = true` and its
like would put packages elsewhere, or none. Standard library only.
"""

from __future__ import annotations

import configparser
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

TOOLS = Path(__file__).parent.parent / "requirements" / "dev.txt"  # where uv is pinned
# Settings of pip that say how packages are reached; the rest of them is left out.
KEPT = frozenset(
    {
        *("index-url", "extra-index-url", "no-index", "find-links", "keyring-provider"),
        *("cert", "client-cert", "trusted-host", "proxy"),
        *("cache-dir", "no-cache-dir", "timeout", "default-timeout", "retries"),
    }
)
# Kinds of pip's configuration files, the weakest first; `env` is what PIP_CONFIG_FILE names.
_KINDS = ("global", "user", "site", "env")
_PIP = (sys.executable, "-I", "-m", "pip", "--disable-pip-version-check")
_CHECKED = ("install", "--quiet", "--require-hashes", "--requirement")
_YES = ("1", "true", "yes", "on")


class InstallError(Exception):
    """Nothing could be installed; the message is one line."""


def kept(files: Iterable[str], variables: Mapping[str, str]) -> dict[str, str]:
    """The settings that count, of configuration `files` (the weakest first) and `variables`.

    As in pip, the section `install` wins over `global`, whichever file it is in.
    """
    sections: dict[str, dict[str, str]] = {"global": {}, "install": {}}
    for file in files:
        for section, values in _read(file).items():
            sections.setdefault(section, {}).update(values)
    sections[""] = {_setting(name): value for name, value in variables.items() if _kept(name)}
    found: dict[str, str] = {}
    for section in ("global", "install", ""):
        for name, value in sections[section].items():
            if _name(name) in KEPT and value.strip():
                found[_name(name)] = " ".join(value.split())
    return found


def files(listed: str) -> list[str]:
    """The files that `pip config debug` lists as there, the weakest first."""
    found: dict[str, list[str]] = {kind: [] for kind in _KINDS}
    kind = ""
    for line in listed.splitlines():
        if heading := re.fullmatch(r"(\w+):", line):
            kind = heading[1]
        elif kind in found and (there := re.fullmatch(r"\s+(.+), exists: True", line)):
            found[kind].append(there[1])
    return [] if os.devnull in found["env"] else [file for kind in _KINDS for file in found[kind]]


def _read(file: str) -> dict[str, dict[str, str]]:
    parser = configparser.RawConfigParser()
    try:
        parser.read(file, encoding="utf-8")
    except (configparser.Error, UnicodeDecodeError) as error:
        raise InstallError(f"{file} can't be read: {' '.join(str(error).split())}") from None
    return {name: dict(parser.items(name)) for name in parser.sections()}


def _name(setting: str) -> str:
    return setting.lower().replace("_", "-").removeprefix("--")


def _setting(variable: str) -> str:
    return _name(variable.removeprefix("PIP_"))


def _kept(variable: str) -> bool:
    return variable.startswith("PIP_") and _setting(variable) in KEPT


def pip_environment(variables: Mapping[str, str], settings: Mapping[str, str]) -> dict[str, str]:
    """`variables` for a pip that knows `settings` and no other."""
    own = {f"PIP_{name.upper().replace('-', '_')}": value for name, value in settings.items()}
    return _without("PIP_", variables) | {"PIP_CONFIG_FILE": os.devnull} | own


def uv_environment(variables: Mapping[str, str], settings: Mapping[str, str]) -> dict[str, str]:
    """`variables` for a uv that reaches what pip reaches with `settings`."""
    found = _without("UV_", variables)
    bundle = variables.get("REQUESTS_CA_BUNDLE") or variables.get("CURL_CA_BUNDLE")
    if certificates := settings.get("cert") or bundle:
        found["SSL_CERT_FILE"] = certificates
    if "client-cert" in settings:
        found["SSL_CLIENT_CERT"] = settings["client-cert"]
    if "proxy" in settings:
        found |= {"HTTP_PROXY": settings["proxy"], "HTTPS_PROXY": settings["proxy"]}
    if cache := variables.get("UV_CACHE_DIR"):
        found["UV_CACHE_DIR"] = cache
    return found


def uv_options(settings: Mapping[str, str]) -> list[str]:
    """Options of `uv pip install` for the index that `settings` name.

    Every file is checked by its hash, so it doesn't matter which index has it.
    """
    options = ["--no-config", "--index-strategy", "unsafe-best-match"]
    for setting, option in (
        ("index-url", "--default-index"),
        ("extra-index-url", "--index"),
        ("find-links", "--find-links"),
        ("trusted-host", "--allow-insecure-host"),
        ("keyring-provider", "--keyring-provider"),
    ):
        for value in settings.get(setting, "").split():
            options += [option, value]
    for switch in ("no-index", "no-cache-dir"):
        if settings.get(switch, "").lower() in _YES:
            options.append(f"--{switch.removesuffix('-dir')}")
    return options


def pinned(name: str, lock: str) -> str:
    """The requirement `name` of `lock`, with its hashes."""
    found = re.search(rf"^{name}==.*(?:\n    --hash.*)+", lock, re.MULTILINE)
    return f"{found[0]}\n" if found else ""


def install(lock: Path) -> None:
    """Install everything in `lock`; raises InstallError."""
    variables = dict(os.environ)
    settings = _settings(variables)
    if not _by_uv(lock, variables, settings):
        _by_pip(lock, variables, settings)


def _settings(variables: Mapping[str, str]) -> dict[str, str]:
    asking = _without("PIP_", variables)
    if "PIP_CONFIG_FILE" in variables:
        asking["PIP_CONFIG_FILE"] = variables["PIP_CONFIG_FILE"]
    # Not `list`, to which `user = true` means that it shall list the user's file alone.
    done = _run([*_PIP, "config", "debug"], asking)
    if done.returncode:
        raise InstallError(f"pip's configuration can't be read: {_last(done.stderr)}")
    return kept(files(done.stdout), variables)


def _by_uv(lock: Path, variables: Mapping[str, str], settings: Mapping[str, str]) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        wanted = Path(folder) / "uv.txt"
        wanted.write_text(pinned("uv", TOOLS.read_text(encoding="utf-8")), encoding="utf-8")
        ours = pip_environment(variables, settings)
        if _run([*_PIP, *_CHECKED, str(wanted), "--only-binary", ":all:"], ours).returncode:
            return False
    command = [str(Path(sys.executable).with_name("uv")), "pip", *_CHECKED, str(lock)]
    options = ["--python", sys.executable, *uv_options(settings)]
    return not _run([*command, *options], uv_environment(variables, settings)).returncode


def _by_pip(lock: Path, variables: Mapping[str, str], settings: Mapping[str, str]) -> None:
    done = subprocess.run(
        [*_PIP, *_CHECKED, str(lock)], env=pip_environment(variables, settings), check=False
    )
    if done.returncode:
        raise InstallError(f"pip can't install {lock}; what it said stands above")


def _run(command: list[str], variables: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(command, env=variables, capture_output=True, text=True, check=False)
    except OSError as error:
        return subprocess.CompletedProcess(command, 1, "", str(error))


def _without(prefix: str, variables: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in variables.items() if not name.startswith(prefix)}


def _last(text: str) -> str:
    return (text.strip().splitlines() or ["no message"])[-1]


if __name__ == "__main__":
    try:
        install(Path(sys.argv[1]))
    except InstallError as error:
        sys.exit(f"make: {error}")
