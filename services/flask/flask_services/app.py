"""The application factory: `gunicorn "flask_services.app:create_app('threads')"`."""

from __future__ import annotations

import secrets
from collections.abc import Callable

from flask import Flask

from flask_services import errors
from flask_services.blueprints import basics, items, orders, sessions, status, waits
from flask_services.models import MODELS, Model
from lab import about, settings
from lab.metrics import meters
from lab.metrics.counting import WSGIApp
from lab.metrics.meters import Metrics
from lab.postgres import threaded


def create_app(
    model: str,
    before: Callable[[WSGIApp], WSGIApp] = lambda app: app,
    database: Callable[[settings.Settings, Metrics], object] = threaded.Threaded,
    concurrency: Model | None = None,
) -> Flask:
    """Build the application for a key of `models.MODELS`, as gunicorn's worker has it.

    `before` may put something between the counters and Flask. Other views may need another
    `database`. They make other `concurrency` of the same worker, and so does another server.
    gunicorn calls this in each worker after the fork, so that connections are the worker's own.
    """
    environment = settings.load()
    concurrency = concurrency or MODELS[model]
    app = _configured(environment)
    counters = meters.create(environment)
    declared = about.describe(
        environment,
        framework="Flask",
        server=concurrency.server,
        model=model,
        packages=("flask", *concurrency.packages),
        holders=(concurrency.bound_by, concurrency.per_worker(environment)),
        threads=concurrency.per_worker(environment),
        fanout=concurrency.fanout,
    )
    counters.declare(declared)
    app.extensions["database"] = database(environment, counters)
    app.extensions["about"] = declared
    app.extensions["run_all"] = concurrency.run_all
    errors.register(app)
    for module in (basics, items, orders, waits, sessions, status):
        app.register_blueprint(module.blueprint)
    inner = before(app.wsgi_app)
    app.wsgi_app = counters.wsgi(inner, kind=concurrency.kind)  # type: ignore[assignment,method-assign]
    return app


def _configured(environment: settings.Settings) -> Flask:
    app = Flask(__name__, static_folder=None)
    app.config.from_mapping(
        SECRET_KEY=environment.session_secret or secrets.token_hex(32),
        SESSION_COOKIE_SAMESITE="Lax",
        PROVIDE_AUTOMATIC_OPTIONS=False,
    )
    app.session_interface = sessions.Interface()
    app.url_map.merge_slashes = False
    return app
