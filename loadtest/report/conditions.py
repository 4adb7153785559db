"""Under which conditions a run was made, as tables of its page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from loadtest.report.charts.style import Listing
from loadtest.results.runs import Run

_CONDITION_NAMES = {
    "cpu": "Processor",
    "quota_cores": "CPU quota around the whole lab, in cores",
    "load_average": "Load average before the run",
    "python_loop_us": "Python's time for 10,000 squares, µs",
}


def facts(run: Run) -> Listing:
    """Machine, versions, settings."""
    info = run.info
    machine = dict(info.get("machine") or {})
    memory = machine.pop("memory_bytes", None)
    facts: dict[str, Any] = {
        "Run": run.id,
        "Began": info.get("started_at"),
        "Ended": info.get("finished_at"),
        "Plan": info.get("plan"),
        "Budget": run.budget,
        "Seed": info.get("seed"),
        "Services run as": {"native": "processes", "compose": "containers"}.get(
            str(info.get("backend")), info.get("backend")
        ),
        "Commit": _commit(info),
        "Cores of the services, of the load": _cores(info.get("cpus")),
        "Memory": f"{memory / 2**30:.1f} GiB" if memory else None,
        "Load generator's ceiling": _ceiling(info.get("calibration")),
    }
    facts |= {
        _CONDITION_NAMES.get(key, str(key).replace("_", " ").capitalize()): value
        for key, value in machine.items()
    }
    facts |= {f"Version of {key}": value for key, value in dict(info.get("versions") or {}).items()}
    found = [(key, str(value)) for key, value in facts.items() if value not in (None, "")]
    return Listing(("What", "Here"), tuple(found))


def _commit(info: Mapping[str, Any]) -> str:
    commit = str(info.get("git_commit") or "")
    return commit[:12] + (" with changes" if commit and info.get("git_dirty") else "")


def _cores(cpus: object) -> str | None:
    if not isinstance(cpus, Mapping):
        return None
    parts = [cpus.get("service"), cpus.get("load")]
    return "; ".join(", ".join(map(str, part)) if part else "any" for part in parts)


def _ceiling(calibration: object) -> str | None:
    if not isinstance(calibration, Mapping):
        return None
    rps = calibration.get("ceiling_rps")
    return f"{rps:,.0f} requests/s" if isinstance(rps, int | float) else None


def services(run: Run) -> Listing:
    """The services, as docker-compose.yml declares them and as they answered."""
    found = []
    for name, service in dict(run.info.get("services") or {}).items():
        seen = service.get("observed") or {}
        slots = seen.get("slots")
        bound = f"{slots} ({seen.get('slots_bound_by')})" if slots else "–"
        numbers = (str(seen.get(key, "–")) for key in ("workers", "threads", "pool_size"))
        server = str(seen.get("server", "–"))
        found.append(
            (
                name,
                str(service.get("framework")),
                server,
                str(service.get("model")),
                *numbers,
                bound,
                *_burst(service.get("burst") or {}),
                ", ".join(service.get("leaves_out") or ()) or "–",
            )
        )
    headers = ("Service", "Framework", "Server", "Model", "Workers", "Threads", "Pool", "Slots")
    burst = ("Slots taken in a burst", "Requests by worker in it")
    return Listing((*headers, *burst, "Leaves out of the contract"), tuple(found))


def _burst(seen: Mapping[str, Any]) -> tuple[str, str]:
    """What was seen of the service before the first trial."""
    shares = ", ".join(map(str, seen.get("worker_requests") or ()))
    return str(seen.get("slots", "–")), shares or "–"
