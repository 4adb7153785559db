"""`gunicorn django_rows.wsgi`."""

from __future__ import annotations

import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application

from django_rows import operations
from django_rows.environment import METRICS

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "django_rows.settings")

application = METRICS.wsgi(get_wsgi_application(), kind="thread")
METRICS.declare(settings.LAB_ABOUT)
METRICS.watch_pool(operations.pool_size)
