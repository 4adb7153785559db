"""What the lab adds to Locust's web interface: checks, a way to Grafana, something to try first.

The form is Locust's own. Absurd values are refused before they reach the load, with a message that
the form shows.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Mapping
from typing import Any, cast

import gevent
import gevent.pool
from flask import Response, jsonify, request
from gevent import socket
from locust import User
from locust.argument_parser import LocustArgumentParser, ui_extra_args_dict
from locust.env import Environment
from locust.web import WebUI

from loadtest.generator.page import form
from loadtest.generator.page.guide import guide
from loadtest.system import internals, urls

internals.check(__name__)

AUTOSTART_VARIABLE = "LAB_AUTOSTART"
FIRST_TRY = {"num_users": 60, "spawn_rate": 60.0, "scenario": "wait"}
AUTOSTART = {"autostart": True, "user_classes": ["fastapi-async", "flask-sync"]}
PROBE_S = 0.5
LOOK_UPS = 4  # of one service's name at once: as many pages as that may be opened while they hang
DEFAULT_SHAPE = "Default"  # as Locust calls that there is none


def attach(environment: Environment, web_ui: WebUI | None) -> None:
    """Make the interface the lab's; without one (headless, a worker) only switch shapes off.

    Locust takes the first shape it finds, headless too: here a shape is used only where it was
    chosen in the interface.
    """
    environment.shape_class = None
    if web_ui is None or web_ui.app is None:
        return
    known: Any = dict(environment.available_user_classes or {})
    # Names are looked up in threads: those of services that are away must not keep the others
    # waiting.
    gevent.get_hub().threadpool.maxsize += LOOK_UPS * len(known)
    web_ui.app.before_request(lambda: _only_running(environment, known))
    web_ui.app.before_request(lambda: _refusal(environment, known))
    web_ui.app.after_request(_guided)


def _only_running(environment: Environment, known: Mapping[str, type[User]]) -> None:
    """Offer the services that run: one ticked by default and not started would only fail."""
    if request.method != "GET" or request.path != "/":
        return
    found = gevent.pool.Pool(len(known) or 1).map(
        lambda each: _loaded(environment, each) or _answers(each),
        known.values(),
    )
    running = {name: each for (name, each), up in zip(known.items(), found, strict=True) if up}
    environment.available_user_classes = cast(Any, running or dict(known))


def _loaded(environment: Environment, service: type[User]) -> bool:
    """A service under load may be too busy to be probed."""
    runner = environment.runner
    return runner is not None and runner.user_count > 0 and service in environment.user_classes


def _answers(service: type[User]) -> bool:
    """Whether somebody listens there; without a network an unknown name alone takes seconds."""
    with gevent.Timeout(PROBE_S, False), contextlib.suppress(OSError):
        socket.create_connection(urls.endpoint(service.host or "")).close()
        return True
    return False


def _refusal(environment: Environment, known: Mapping[str, type[User]]) -> Response | None:
    if request.method != "POST" or not request.path.endswith("/swarm"):
        return None
    options = vars(environment.parsed_options)
    fields = {name: str(options.get(name, "")) for name in form.LOAD} | request.form.to_dict()
    services = request.form.getlist("user_classes")
    hidden = options.keys() - ui_extra_args_dict().keys()
    message = (
        form.hidden(request.form, hidden)
        or _unlisted(environment, services, known)
        or form.problem(fields)
    )
    if services:
        # Locust drops without a word what it does not offer: a service that has come up since.
        environment.available_user_classes = cast(Any, dict(known))
    return jsonify({"success": False, "message": message}) if message else None


def _unlisted(environment: Environment, services: Iterable[str], known: Iterable[str]) -> str:
    """Locust fails on a shape that it does not know, and starts nothing for an unknown service."""
    shapes = [DEFAULT_SHAPE, *(environment.available_shape_classes or {})]
    return form.unlisted("service", services, known) or form.unlisted(
        "shape", [request.form.get("shape_class") or DEFAULT_SHAPE], shapes
    )


def _guided(response: Response) -> Response:
    if response.mimetype == "text/html":
        html = response.get_data(as_text=True)
        response.set_data(html.replace("</body>", guide(os.environ) + "</body>", 1))
    return response


def apply_defaults(parser: LocustArgumentParser, variables: Mapping[str, str]) -> None:
    """The form is filled in with the first thing to try; LAB_AUTOSTART=1 starts it at once."""
    parser.set_defaults(**FIRST_TRY)
    if variables.get(AUTOSTART_VARIABLE, "").lower() in ("1", "true", "yes", "on"):
        parser.set_defaults(**AUTOSTART)
