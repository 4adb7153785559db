"""`gunicorn django_services.wsgi`."""

from __future__ import annotations

import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application

from django_services.contract import operations
from django_services.environment import METRICS

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "django_services.settings")

application = METRICS.wsgi(get_wsgi_application(), kind="thread")
METRICS.declare(settings.LAB_ABOUT)
METRICS.watch_pool(operations.pool_size)
