"""Private parts of libraries that the services use.

Each module that uses some calls `check(__name__)` at its import, which warns where a release has
lost one. docs/upgrading.md says what each is for and what to look at. The lab loads this file too,
for parts of its own: so it imports nothing of ours.
"""

from __future__ import annotations

import pkgutil
import warnings
from collections.abc import Iterator, Mapping
from inspect import unwrap
from types import CodeType
from typing import NamedTuple


class Part(NamedTuple):
    """`path` is "module:name.of.it"; `word` stands in that function's code, if it is given.

    An attribute that an object gets when it is made is found so, as a word of `__init__`.
    """

    path: str
    word: str = ""

    def __str__(self) -> str:
        return f"{self.path} ({self.word})" if self.word else self.path

    def is_there(self) -> bool:
        """Whether the installed release has it."""
        try:
            found = pkgutil.resolve_name(self.path)
        except (ImportError, AttributeError):
            return False
        return not self.word or self.word in _words(getattr(unwrap(found), "__code__", None))


_POOL = "psycopg_pool.pool:ConnectionPool.__init__"
_DJANGO = "django.db.backends.postgresql.base:DatabaseWrapper"

Parts = Mapping[str, tuple[Part, ...]]

PARTS: Parts = {
    "lab.contract.bodies": (
        Part("gunicorn.http.wsgi:default_environ", "gunicorn.socket"),
        Part("gunicorn.http.body:Body.__init__", "reader"),
        Part("gunicorn.http.body:ChunkedReader.__init__", "req"),
        Part("gunicorn.http.body:LengthReader.__init__", "unreader"),
        Part("gunicorn.http.message:Message.__init__", "unreader"),
        Part("gunicorn.http.unreader:SocketUnreader.chunk", "sock"),
    ),
    "lab.postgres.pool": (
        Part(_POOL, "_lock"),
        Part(_POOL, "_waiting"),
        Part("psycopg_pool.pool:ConnectionPool._maybe_grow_pool", "_nconns"),
        Part("psycopg_pool.pool:WaitingClient.fail"),
    ),
    "flask_services.adapting": (
        Part("a2wsgi.wsgi:Body.__init__", "receive"),
        Part("a2wsgi.wsgi:Body._receive_more_data", "receive"),
        Part("a2wsgi.wsgi:build_environ", "asgi.scope"),
    ),
    "flask_services.gevent_worker": (
        Part("gunicorn.workers.ggevent:GeventWorker.timeout_ctx"),
        Part("gunicorn.workers.base_async:AsyncWorker.handle", "timeout_ctx"),
        Part("gunicorn.workers.ggevent:GeventWorker.handle_exit"),
        Part("gunicorn.workers.ggevent:GeventWorker.init_process"),
    ),
    "django_services.asgi": (
        Part("django.core.handlers.asgi:ASGIHandler.__call__", "handle"),
        Part("django.core.handlers.asgi:ASGIHandler.handle", "read_body"),
    ),
    "django_services.contract.requests": (Part("django.views:View._allowed_methods"),),
    "django_services.postgresql.base": (
        Part(f"{_DJANGO}.get_new_connection", "pool"),
        Part(f"{_DJANGO}._close", "pool"),
        Part(f"{_DJANGO}.pool"),
    ),
    "fastapi_services.contract.bodies": (
        Part("fastapi.routing:APIRoute.get_route_handler"),
        Part("fastapi.routing:APIRoute.get_route_handler", "body_field"),
    ),
    "fastapi_services.application": (
        Part("fastapi.routing:APIRouter.add_api_route", "route_class"),
    ),
    "quart_services.sockets": (
        Part("quart.asgi:ASGIWebsocketConnection.handle_messages", "websocket.receive"),
    ),
    "starlette_services.app": (Part("starlette.routing:Router.app", "redirect_slashes"),),
}


def missing(module: str, parts: Parts = PARTS) -> list[Part]:
    """What `module` uses and the installed libraries do not have."""
    return [part for part in parts[module] if not part.is_there()]


def check(module: str, parts: Parts = PARTS) -> None:
    """Warn of each part that is missing."""
    for part in missing(module, parts):
        warnings.warn(
            f"{part} is gone: {module} uses it; see docs/upgrading.md, or install the locked "
            "requirements",
            RuntimeWarning,
            stacklevel=2,
        )


def _words(code: CodeType | None) -> Iterator[object]:
    """Every name and text in a function, those of functions inside it too."""
    if code is None:
        return
    yield from (*code.co_names, *code.co_varnames, *code.co_freevars)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _words(constant)
        elif isinstance(constant, tuple):
            yield from constant
        else:
            yield constant
