"""The processes of a service of the user's own, as far as they are in sight."""

from __future__ import annotations

from loadtest.backends.own import OwnServices
from loadtest.inventory import addresses
from loadtest.run.witnesses import connections
from loadtest.system.sockets import resolve


def of(backend: OwnServices, name: str) -> tuple[int, ...]:
    """What was started here, else who takes the connections; nothing where that is out of sight.

    What hands on is not the service: a proxy, or what leads to a container or another machine.
    """
    if (started := backend.pid(name)) is not None:
        return (started,)
    address = resolve(*addresses.place(backend.own[name].target.url))
    found = connections.takers(address) if address else ()
    return tuple(pid for pid in found if not _hands_on(pid))


def _hands_on(pid: int) -> bool:
    return connections.forwards(pid) or connections.hands_requests_on(pid)
