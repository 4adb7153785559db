"""wsgi-raw: `/plaintext` and `/json` by hand on the WSGI interface, all else Flask's."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson
from flask import Flask

from flask_services import app
from lab.metrics.counting import StartResponse, WSGIApp

TEXT, JSON = "text/plain; charset=utf-8", "application/json"


def create_app(model: str) -> Flask:
    """The Flask application with its two floor routes taken from it."""
    return app.create_app(model, before=raw)


def raw(flask: WSGIApp) -> WSGIApp:
    """The floor under every WSGI framework: no routing, no request or response object."""

    def answer(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        path = environ["PATH_INFO"] if environ["REQUEST_METHOD"] == "GET" else ""
        if path == "/plaintext":
            body, media_type = b"Hello, World!", TEXT
        elif path == "/json":
            body, media_type = orjson.dumps({"message": "Hello, World!"}), JSON
        else:
            return flask(environ, start_response)
        start_response("200 OK", [("Content-Type", media_type), ("Content-Length", str(len(body)))])
        return [body]

    return answer
