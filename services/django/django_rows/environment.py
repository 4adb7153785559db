"""What this worker process was told at start, and where it counts."""

from __future__ import annotations

from lab import metrics, settings

SETTINGS = settings.load()
METRICS = metrics.create(SETTINGS)
