"""Under which conditions a run was made: in words, and as tables of its page."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from loadtest.analysis.amounts import amount, times
from loadtest.analysis.findings import Finding, effect
from loadtest.model.counts import number_of
from loadtest.model.experiment import Experiment
from loadtest.plan import sequential
from loadtest.report.charts.style import Listing
from loadtest.results.runs import Run
from loadtest.stats.inference import INTERVAL_ROUNDS, MARGIN

_CONDITION_NAMES = {
    "cpu": "Processor",
    "quota_cores": "CPU quota around the whole lab, in cores",
    "load_average": "Load average before the run",
    "python_loop_us": "Python's time for 10,000 squares, µs",
    "other_pythons": "Other Pythons on the PATH",
}
_RUN_AS = {"native": "processes", "compose": "containers"}
_AT_REST = 0.25  # load a core
_AS_FAST = 1.1  # of Python's loop


def words(run: Run, twins: Sequence[Finding]) -> list[str]:
    """What a reader has to know before any figure, each as a sentence.

    `twins`: the reference against itself.
    """
    machine = dict(run.info.get("machine") or {})
    return [*_load(machine), *_python(machine), *_scatter(run, twins)]


def noticed(run: Run) -> list[str]:
    """What was noticed before trials, once each.

    A resumed run looks again: of what differs in its figures alone, the last counts.
    """
    found: Sequence[str] = run.info.get("warnings") or ()
    return list({_place(each): each for each in found}.values())


def _place(line: str) -> str:
    """What is the same in lines of one sort; each trial that was taken again has its own line."""
    return line if "taken again" in line else re.sub(r"\d+", "", line)


def _load(machine: Mapping[str, Any]) -> Iterator[str]:
    load, cores = machine.get("load_average"), machine.get("cores")
    if load is None or not cores:
        return
    told = f"load {amount(load)} on {number_of(cores, 'core')}"
    if _busy(machine):
        yield f"The machine was busy before the start ({told}): other programs ran on it."
    else:
        yield f"The machine was at rest before the start ({told})."


def _busy(machine: Mapping[str, Any]) -> bool:
    load, cores = machine.get("load_average"), machine.get("cores")
    return bool(load and cores and load > _AT_REST * cores)


def _python(machine: Mapping[str, Any]) -> Iterator[str]:
    """That another Python of this machine is faster; other programs slow either on a busy one."""
    if _busy(machine):
        return
    own, others = machine.get("python_loop_us"), machine.get("other_pythons") or {}
    name, fastest = min(
        others.items(), key=lambda each: each[1]["loop_us"], default=("", {"loop_us": 0})
    )
    if own and fastest["loop_us"] and own > _AS_FAST * fastest["loop_us"]:
        yield (
            f"Python {machine.get('python')}, which runs the services, takes "
            f"{times(own / fastest['loop_us'])} × as long for a loop as {name} on the PATH "
            f"({fastest['python']}); `make compare PYTHON={name}` takes that one."
        )


def _scatter(run: Run, twins: Sequence[Finding]) -> Iterator[str]:
    """How small a difference can be seen, by how far the reference differs from itself.

    Only where a verdict comes from: other loads and measures decide nothing. Nor does it tell of
    most rounds of a load where it had but the first few.
    """
    worst: dict[str, float] = {}
    for twin in twins:
        experiment = run.experiments[twin.experiment]
        enough = max(INTERVAL_ROUNDS, _rounds_at(run, twin) / 2)
        if twin.ratio and twin.ratio.rounds >= enough and _decides(experiment, twin):
            claim = experiment.claim or twin.experiment
            worst[claim] = max(worst.get(claim, 0.0), twin.ratio.detectable)
    coarse = {claim: share for claim, share in worst.items() if share > MARGIN}
    if coarse:
        told = ", ".join(f"{effect(share)} in {claim}" for claim, share in coarse.items())
        yield (
            "By the reference against itself, one run in five misses a difference of "
            f"{told}. Smaller ones are missed more often."
        )
    elif worst:
        yield "The reference agrees with itself: 5 % of difference can be seen where it runs twice."


def _rounds_at(run: Run, twin: Finding) -> int:
    """The last round of any service at the load where the reference was compared with itself."""
    trials = run.valid.get(twin.experiment, [])
    return max((trial.round for trial in trials if trial.level == twin.level), default=0)


def _decides(experiment: Experiment, twin: Finding) -> bool:
    criteria = experiment.of_claims
    measures = {each.measure for each in criteria} or {twin.measure}
    return twin.level in sequential.deciding(experiment) and twin.measure in measures


def facts(run: Run) -> Listing:
    """Machine, versions, settings."""
    info = run.info
    machine = dict(info.get("machine") or {})
    memory = machine.pop("memory_bytes", None)
    if others := machine.pop("other_pythons", None):
        machine["other_pythons"] = ", ".join(
            f"{name} ({each['python']}): {each['loop_us']} µs" for name, each in others.items()
        )
    facts: dict[str, Any] = {
        "Run": run.id,
        "Began": info.get("started_at"),
        "Ended": info.get("finished_at"),
        "Plan": info.get("plan"),
        "Budget": run.budget,
        "Seed": info.get("seed"),
        "Services run as": _RUN_AS.get(str(info.get("backend")), info.get("backend")),
        "Before Postgres": _pooler(info.get("pooler")),
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


def _pooler(pooler: object) -> str | None:
    """The connection pooler of the run, and what a service can have through it."""
    if not isinstance(pooler, Mapping) or not pooler:
        return None
    where = "at some levels"
    if pooler["size"]:
        where = f"{number_of(int(pooler['size']), 'connection')} for each service"
    version = f" {pooler['version']}" if pooler["version"] else ""
    return f"{pooler['name']}{version}, {where}, a connection for each transaction"


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
        if "url" in service:  # one of the user's own declares nothing
            continue
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
