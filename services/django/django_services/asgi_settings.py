"""Django's settings for the ASGI service.

The ORM and its connections are synchronous in Django 5.2. An async view reaches them, as the
documentation teaches, by `sync_to_async`. Django runs it in a thread of each request's own
(`ThreadSensitiveContext` in `ASGIHandler`). So a waiting request costs a thread. Their number is
limited by the pool alone. A native `psycopg_pool.AsyncConnectionPool` would be faster. But it would
bypass the connection handling, transactions and settings of a Django project.

Within one request the calls share that one thread: `asyncio.gather` over queries runs them in turn.
"""

from __future__ import annotations

from django_services.environment import SETTINGS
from django_services.settings import *  # noqa: F403
from lab import about

ROOT_URLCONF = "django_services.async_urls"

LAB_ABOUT = about.describe(
    SETTINGS,
    framework="Django",
    server="uvicorn",
    model="async",
    packages=("django", "uvicorn", "asgiref", "psycopg"),
)
