"""How servers are asked to speak HTTP/2 over TLS, as their own documentation has it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from loadtest.inventory.manifest import Service
from loadtest.system import environment

# By the program: what stands before the certificate, before its key, and what switches HTTP/2 on.
_OPTIONS = {
    "uvicorn": ("--ssl-certfile", "--ssl-keyfile", ()),
    "hypercorn": ("--certfile", "--keyfile", ()),
    "granian": ("--ssl-certificate", "--ssl-keyfile", ()),
    "gunicorn": ("--certfile", "--keyfile", ("--http-protocols", "h2,h1")),
}
_DAYS = 2


def options(service: Service, certificate: Path, key: Path) -> list[str] | None:
    """Behind the service's command: TLS, with HTTP/2 where the server has a switch for it.

    None for a service whose server takes no certificate on its command line.
    """
    known = next((_OPTIONS[word] for word in service.command if word in _OPTIONS), None)
    if known is None:
        return None
    before_certificate, before_key, switch = known
    return [before_certificate, str(certificate), before_key, str(key), *switch]


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
