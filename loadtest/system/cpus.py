"""Which cores serve and which ones load."""

from __future__ import annotations

import os
from dataclasses import dataclass


@dataclass(frozen=True)
class Cpus:
    """Which cores serve and which ones load; None where there is nothing to keep apart."""

    service: frozenset[int] | None
    load: frozenset[int] | None

    @staticmethod
    def split() -> Cpus:
        """One core for the service under test; load generator and Postgres share the others."""
        if not hasattr(os, "sched_getaffinity"):
            return Cpus(None, None)
        first, *others = sorted(os.sched_getaffinity(0))
        if not others:
            return Cpus(None, None)
        return Cpus(frozenset({first}), frozenset(others))
