"""How servers are asked to speak HTTP/2, as their own documentation has it."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from loadtest.inventory.manifest import Service
from loadtest.system import environment


@dataclass(frozen=True)
class _Server:
    """What stands before its certificate and before its key, and what switches HTTP/2 on."""

    certificate: str
    key: str
    switch: tuple[str, ...] = ()


# Over TLS gunicorn leaves what it is told of cleartext.
_BY_PROGRAM = {
    "uvicorn": _Server("--ssl-certfile", "--ssl-keyfile", ("--http", "zttp", "--http2")),
    "hypercorn": _Server("--certfile", "--keyfile"),
    "granian": _Server("--ssl-certificate", "--ssl-keyfile"),
    "gunicorn": _Server(
        "--certfile",
        "--keyfile",
        ("--http-protocols", "h2,h1", "--http2-cleartext", "prior-knowledge"),
    ),
}
_DAYS = 2


def switch(service: Service) -> tuple[str, ...]:
    """What its server needs behind its command to speak HTTP/2: nothing, or options."""
    server = _server(service)
    return server.switch if server else ()


def certified(service: Service, certificate: Path, key: Path) -> list[str] | None:
    """What gives it TLS behind its command; None where its server takes no certificate there."""
    server = _server(service)
    if server is None:
        return None
    return [server.certificate, str(certificate), server.key, str(key)]


def _server(service: Service) -> _Server | None:
    return next((_BY_PROGRAM[word] for word in service.command if word in _BY_PROGRAM), None)


def certify(folder: Path) -> tuple[Path, Path] | None:
    """A certificate of two days for the loopback and its key; None without OpenSSL's program."""
    program = shutil.which("openssl")
    if program is None:
        return None
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    made = [program, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
    made += ["-nodes", "-keyout", str(key), "-out", str(certificate), "-days", str(_DAYS)]
    made += ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run(made, check=True, capture_output=True, env=environment.plain())
    return certificate, key
