"""The measures that an experiment can be decided by."""

from __future__ import annotations

MEASURES = (
    "goodput_rps",
    "p50_ms",
    "p99_ms",
    "answered_share",
    "service_cpu_us",
    "share_of_prediction",
    "pss_kib_per_request",
    "threads_per_request",
)
SLOPES = ("pss_kib_per_request", "threads_per_request")  # over the loads, not at one of them
