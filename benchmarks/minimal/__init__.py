"""The smallest server of each framework, and how it is started beside the lab's service."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from loadtest.inventory.manifest import Service

FOLDER = Path(__file__).parent
# By framework and model: what the service's own command serves instead.
APPLICATIONS: Mapping[str, str] = {
    "FastAPI": "fastapi_app:app",
    "Starlette": "starlette_app:app",
    "Flask": "flask_app:app",
    "Django": "django_app:app",
}


def beside(service: Service) -> Service | None:
    """The minimal server of the service's framework, in as many processes; None where none is."""
    name = f"minimal {service.framework}"
    if service.framework == "Fastify":
        command = ("node", str(FOLDER / "fastify.mjs"))
        return replace(service, name=name, command=command)
    if service.framework == "net/http":
        return replace(service, name=name, folder=FOLDER / "net_http")
    application = APPLICATIONS.get(service.framework)
    if application is None:
        return None
    if service.framework == "Django" and service.model == "async":
        application = "django_app:asgi"
    environment = {**service.environment, "APPLICATION": application}
    return replace(service, name=name, environment=environment, folder=FOLDER)
