"""Enough file descriptors for the connections that a load needs."""

from __future__ import annotations

import resource

from loadtest.errors import LabError

SPARE = 64  # for everything that is not a connection


class DescriptorError(LabError):
    """The system allows too few open files; the message says how many are needed and what to do."""


def require(connections: int) -> None:
    """Make sure that so many connections can be open at once; raises the soft limit if it may."""
    needed = connections + SPARE
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return
    if hard != resource.RLIM_INFINITY and hard < needed:
        raise DescriptorError(
            f"{connections:,} connections need {needed:,} open files, the limit is {hard:,}: "
            f"raise it (ulimit -n {needed}, as root or in limits.conf) or use fewer connections"
        )
    resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))
