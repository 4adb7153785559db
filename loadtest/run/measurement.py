"""One trial: the service as the level wants it, the load, and the service's side of it."""

from __future__ import annotations

import random
import zlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from loadtest.analysis.prediction import predict
from loadtest.backends.base import POOLER, POSTGRES, Backend
from loadtest.backends.readiness import about
from loadtest.contract import scenarios
from loadtest.engine.kinds import Closed
from loadtest.inventory import free_threaded, pooling
from loadtest.model.experiment import Background, Experiment, Level
from loadtest.model.load import Load, LoadResult
from loadtest.model.trial import Gate, Prediction, Trial
from loadtest.plan.schedule import PlannedTrial
from loadtest.plan.windows import lasting, mean_wait_s
from loadtest.run import gates, load, settling
from loadtest.run.forkserver import ForkServer
from loadtest.run.presence import Look
from loadtest.run.sampler import Sampler, ServiceSide
from loadtest.run.witnesses import checks, steadiness
from loadtest.run.witnesses.observer import Observer, Seen
from loadtest.system.paths import LOCUSTFILE

LONGEST_PHASE_S = 0.2
_OF_ERRORS = (
    *("right status", "all answered", "error rate", "connection pauses", "requests held"),
    steadiness.STEADY_FIGURE,
)
PRACTICE_CONNECTIONS, PRACTICE_S = 16, 2.0


class Measurement:
    """Takes trials in a backend.

    `peaks`, by experiment and service in requests/s, are there before a load is a share of them.
    `ceiling_rps` may be set once a level needs it. `accept_busy`: what a busy machine disturbs
    counts.
    """

    locustfile = LOCUSTFILE

    def __init__(
        self,
        backend: Backend,
        *,
        run_id: str,
        seed: int,
        ceiling_rps: float | None = None,
        peaks: Mapping[str, Mapping[str, float]] | None = None,
        forks: ForkServer | None = None,
        accept_busy: bool = False,
    ) -> None:
        self.peaks = {name: dict(found) for name, found in (peaks or {}).items()}
        self._backend = backend
        self._run_id = run_id
        self._seed = seed
        self.ceiling_rps = ceiling_rps
        self._forks = forks
        self._accept_busy = accept_busy
        self._overrides: dict[str, Mapping[str, str]] = {}
        self._practised: set[tuple[str, str]] = set()
        self._unharmed: set[tuple[str, int]] = set()  # places that only the machine has spoilt
        self._about: dict[str, Mapping[str, Any]] = {}

    def practised(self, service: str, scenario: str) -> None:
        """The service was asked for a while already, as by its checks."""
        self._practised.add((service, scenario))

    def put_back(self) -> None:
        """Start as declared what runs under a level's settings: others need its connections."""
        for service in [name for name, settings in self._overrides.items() if settings]:
            self._prepare(service, {}, fresh=False)

    def take(self, planned: PlannedTrial, attempt: int) -> Trial:
        """Run the trial once, gates checked."""
        experiment, level, service = planned.experiment, planned.level, planned.service
        asked = self._load(experiment, level)
        fresh = self._needs_start(planned, attempt)
        self._prepare(service, level.settings_of(service), fresh=fresh)
        if not experiment.restarts:
            self._practise(service, level)
        # The arms of a block get the same requests at the same moments.
        seed = seed_of(self._seed, experiment.name, planned.round, level.label)
        told = predict(self._about[service], asked, level.scenario, level.parameters)
        lasts = self._lasting(planned, asked, told, seed)
        observer = self._observer(service, level, lasts[1])

        def entered(phase: str) -> None:
            observer.enter(phase)
            sampler.look(phase)

        with observer, self._sampler(service) as sampler:
            second = experiment.background
            result = self._run(service, asked, level, *lasts, seed, entered, second)
        trial = Trial(
            **planned.recorded | {"run_id": self._run_id, "attempt": attempt},
            load=asked,
            result=result,
            samples=sampler.samples(result.started_at),
            gates=(),
            prediction=told,
            machine=observer.seen.machine,
            pauses=observer.seen.pauses,
            counted=None if self._over_sockets(level) else sampler.counted(),
            by_worker=sampler.by_worker(),
        )
        return self._judged(trial, experiment, sampler.looks(result.started_at))

    def _needs_start(self, planned: PlannedTrial, attempt: int) -> bool:
        """Whether the service has to be started anew for what is in the plan or went before."""
        place = (planned.experiment.name, planned.index)
        unharmed = place in self._unharmed
        self._unharmed.discard(place)
        return planned.experiment.fresh or (attempt > 1 and not unharmed)

    def _judged(self, trial: Trial, experiment: Experiment, looks: Sequence[Look]) -> Trial:
        """The trial with its gates."""
        loads = [trial.result, *([trial.result.beside] if trial.result.beside else [])]
        seen = Seen(trial.machine, trial.pauses)
        found = _gates(
            experiment,
            (
                *gates.check(
                    trial.load,
                    trial.result,
                    ceiling_rps=self.ceiling_rps,
                    looks=looks,
                    samples=trial.samples,
                ),
                *checks.check(seen, loads, trial.counted, looks),
            ),
        )
        if any(not gate.passed for gate in found) and all(_from_outside(gate) for gate in found):
            self._unharmed.add((trial.experiment, trial.index))
        return replace(trial, gates=checks.accepted(found) if self._accept_busy else found)

    def _observer(self, service: str, level: Level, window_s: float) -> Observer:
        cpus = self._backend.cpus.widened(level.cores)
        return Observer(self._backend.roots(), self._watched(service), cpus, window_s)

    def _watched(self, service: str) -> Mapping[str, Collection[int]]:
        """The processes, by name, that may not be stopped while the service is measured."""
        roots = self._backend.roots()
        return {name: (roots[name],) for name in (service, POSTGRES, POOLER) if name in roots}

    def _load(self, experiment: Experiment, level: Level) -> Load:
        if level.share_of_peak is None:
            return level.load
        return level.at_peak(min(self.peaks[experiment.name].values()))

    def _prepare(self, service: str, environment: Mapping[str, str], *, fresh: bool) -> None:
        """Bring the service into the state that the level asks for, free of what came before."""
        changed = environment != self._overrides.get(service, {})
        if fresh or changed or not self._backend.alive(service) or not self._settled(service):
            self._backend.restart(service, environment)
            self._practised -= {each for each in self._practised if each[0] == service}
            self._overrides[service] = environment
            self._about.pop(service, None)
        if service not in self._about:
            self._about[service] = self._learn(service)
            free_threaded.check(service, self._about[service], environment)

    def _learn(self, service: str) -> Mapping[str, Any]:
        said = about(self._backend.services[service], self._backend.name)
        return {**said, **pooling.limit(self._overrides.get(service, {}))}

    def _settled(self, service: str) -> bool:
        return settling.settled(self._backend.services[service], self._backend.name)

    def _practise(self, service: str, level: Level) -> None:
        """Ask a service that has just started for a while, uncounted: V8 compiles what it sees
        often.

        Each service once for each kind of request, so that none enters its first trial cold.
        """
        kind = self._asks(service, level)
        if (service, kind) not in self._practised:
            asked, lasts_s = self._practice(level)
            self._run(service, asked, level, 0.0, lasts_s, seed=0)
            self._practised.add((service, kind))
            self._settled(service)

    def _asks(self, service: str, level: Level) -> str:  # noqa: ARG002
        """What kind of request the service has at the level."""
        return level.scenario

    def _practice(self, level: Level) -> tuple[Load, float]:  # noqa: ARG002
        return Load(Closed.name, PRACTICE_CONNECTIONS), PRACTICE_S

    def _particulars(self, service: str, level: Level) -> Mapping[str, Any]:  # noqa: ARG002
        """What `load.run` is told beside what every load has."""
        return {}

    def _sampler(self, service: str) -> ServiceSide:
        backend = self._backend
        return Sampler(
            service,
            backend.services[service].metrics_url(backend.name),
            backend.database_url,
            services=tuple(backend.services),
        )

    def _target(self, service: str) -> str:
        return self._backend.services[service].url(self._backend.name)

    def _run(
        self,
        service: str,
        asked: Load,
        level: Level,
        warmup_s: float,
        duration_s: float,
        seed: int,
        entered: Callable[[str], None] = lambda _: None,
        background: Background | None = None,
    ) -> LoadResult:
        return load.run(
            asked,
            target=self._target(service),
            service=service,
            scenario=level.scenario,
            parameters=level.parameters,
            warmup_s=warmup_s,
            duration_s=duration_s,
            seed=seed,
            cpus=self._backend.cpus.widened(level.cores).load,
            ceiling_rps=self.ceiling_rps,
            backend=self._backend.name,
            run_id=self._run_id,
            locustfile=self.locustfile,
            forks=self._forks,
            entered=entered,
            background=background,
            **self._particulars(service, level),
        )

    def _lasting(
        self, planned: PlannedTrial, asked: Load, told: Prediction | None, seed: int
    ) -> tuple[float, float]:
        """Warm-up and window in seconds."""
        waits_s = mean_wait_s(asked, told.rps) if told else None
        warmup_s, duration_s = lasting(planned.experiment, planned.level, waits_s)
        return warmup_s + self._phase_s(planned.level, seed), duration_s

    def _phase_s(self, level: Level, seed: int) -> float:
        return phase_s(level, seed)

    def _over_sockets(self, level: Level) -> bool:
        return _over_sockets(level)


def phase_s(level: Level, seed: int) -> float:
    """Where in a wait the window begins, drawn from the seed that a block's arms share, in seconds.

    Requests that all wait alike are answered in waves. A window that always began at the same point
    of a wave would lose, or win, part of one in every round.
    """
    scenario = scenarios.choose(level.scenario)
    latency_s = scenario.latency_s(scenario.filled(level.parameters)) or 0.0
    return random.Random(seed).random() * min(latency_s, LONGEST_PHASE_S)


def _from_outside(gate: Gate) -> bool:
    """Whether it says nothing against the service: it passed, or something disturbed the trial."""
    return gate.passed or gate.disturbance


def _gates(experiment: Experiment, found: tuple[Gate, ...]) -> tuple[Gate, ...]:
    """The gates that the experiment has: where failed requests are a result they fail none."""
    if not experiment.errors_allowed:
        return found
    return tuple(each for each in found if each.name not in _OF_ERRORS)


def _over_sockets(level: Level) -> bool:
    """Whether it asks over WebSockets: each is one request, however many messages it carries."""
    scenario = scenarios.choose(level.scenario)
    traffic = scenario.traffic("", scenario.filled(level.parameters), 0)
    return next(iter(traffic())).method == "WS"


def seed_of(*parts: object) -> int:
    """A seed that depends on all of `parts` and on nothing else."""
    return zlib.crc32(":".join(map(str, parts)).encode())
