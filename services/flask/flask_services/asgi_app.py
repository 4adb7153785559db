"""flask-asgi: flask-gthread's application behind an ASGI adapter, a2wsgi, on uvicorn.

An event loop takes requests and gives each to one of a2wsgi's threads, which waits as gunicorn's
does. A worker has as many requests in hand as threads.
"""

from __future__ import annotations

from dataclasses import replace

from a2wsgi import WSGIMiddleware

from flask_services import adapting, app
from flask_services.models import MODELS
from lab import settings
from lab.metrics.counting import ASGIApp

ADAPTED = replace(MODELS["threads"], server="uvicorn", packages=("a2wsgi", "uvicorn", "psycopg"))


def create_app() -> ASGIApp:
    """The Flask application as ASGI, its threads those of the settings."""
    flask = app.create_app("threads", concurrency=ADAPTED)
    adapted = WSGIMiddleware(adapting.within(flask), workers=settings.load().threads)  # type: ignore[arg-type]
    return adapting.around(adapted)  # type: ignore[arg-type]
