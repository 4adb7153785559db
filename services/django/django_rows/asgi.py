"""`uvicorn django_rows.asgi:application`."""

from __future__ import annotations

import os

from django.conf import settings
from django.core.asgi import get_asgi_application

from django_rows import operations
from django_rows.environment import METRICS

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "django_rows.asgi_settings")

application = METRICS.asgi(get_asgi_application())
METRICS.declare(settings.LAB_ABOUT)
METRICS.watch_pool(operations.pool_size)
