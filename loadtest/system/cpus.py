"""Which cores serve and which ones load."""

from __future__ import annotations

import os
from dataclasses import dataclass

from loadtest.system import cgroups


@dataclass(frozen=True)
class Cpus:
    """Which cores serve and which ones load; None where there is nothing to keep apart."""

    service: frozenset[int] | None
    load: frozenset[int] | None

    @staticmethod
    def split() -> Cpus:
        """One core for the service under test; load generator and Postgres share the others.

        A quota of CPU around the lab leaves it as many cores as it pays for.
        """
        if not hasattr(os, "sched_getaffinity"):
            return Cpus(None, None)
        allowed = sorted(os.sched_getaffinity(0))
        quota = cgroups.quota_cores()
        # On more cores than the quota is for, the kernel would stop the lab again and again.
        first, *others = allowed[: max(1, int(quota))] if quota else allowed
        if not others:
            return Cpus(None, None) if len(allowed) == 1 else Cpus(*[frozenset({first})] * 2)
        return Cpus(frozenset({first}), frozenset(others))
