"""What this worker process was told at start, and where it counts."""

from __future__ import annotations

from lab import settings
from lab.metrics import meters

SETTINGS = settings.load()
METRICS = meters.create(SETTINGS)
