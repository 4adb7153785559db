"""Django's settings for the ASGI service.

The ORM and its connections are synchronous in Django 5.2: the documentation's way from an async
view is `sync_to_async`, and Django gives each request a thread of its own to run it in
(`ThreadSensitiveContext` in `ASGIHandler`). So a waiting request costs a thread after all, but
no number of threads limits them: the pool does. A native `psycopg_pool.AsyncConnectionPool`
beside Django would be faster, and would give up the connection handling, the transactions and
the settings that a Django project is built on, so this service does as Django teaches.

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
