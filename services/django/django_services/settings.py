"""Django's settings for the WSGI service; `asgi_settings` changes what is different there."""

from __future__ import annotations

import secrets

from psycopg.conninfo import conninfo_to_dict

from django_services.environment import SETTINGS
from lab import about
from lab.postgres import pool

SECRET_KEY = SETTINGS.session_secret or secrets.token_hex(32)
ALLOWED_HOSTS = ["*"]
APPEND_SLASH = False
ROOT_URLCONF = "django_services.urls"
INSTALLED_APPS: list[str] = []
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django_services.contract.errors.FaultMiddleware",
]

SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
SESSION_COOKIE_NAME = "session"

# A page may be asked for with any number of parameters; the contract ignores those it doesn't name.
DATA_UPLOAD_MAX_NUMBER_FIELDS = None
USE_TZ = True
TIME_ZONE = "UTC"

_connection = conninfo_to_dict(SETTINGS.database_url)
DATABASES = {
    "default": {
        "ENGINE": "django_services.postgresql",
        "NAME": _connection.pop("dbname"),
        "PASSWORD": SETTINGS.database_password or _connection.pop("password", ""),
        "OPTIONS": {
            **_connection,
            "application_name": SETTINGS.service_name,
            "connect_timeout": pool.CONNECT_TIMEOUT_S,
            "pool": pool.options(SETTINGS.pool_size),
        },
    }
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    # A client's mistake is an answer, not an event.
    "loggers": {"django": {"handlers": ["console"], "level": "ERROR", "propagate": False}},
}

LAB_ABOUT = about.describe(
    SETTINGS,
    framework="Django",
    server="gunicorn gthread",
    model="threads",
    packages=("django", "gunicorn", "psycopg"),
    holders=("threads", SETTINGS.threads),
)
