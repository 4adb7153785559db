"""Runs a plan, one trial after another; each finished trial is on disk before the next."""

from __future__ import annotations

import errno
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import Any, Protocol

from loadtest.analysis import decisions
from loadtest.backends.base import Backend
from loadtest.contract.verification import verify
from loadtest.errors import LabError
from loadtest.inventory.manifest import Service
from loadtest.model.experiment import Experiment, Looked
from loadtest.model.trial import Trial
from loadtest.plan import schedule
from loadtest.plan.plans import Plan, PlanError
from loadtest.plan.schedule import PlannedTrial
from loadtest.plan.tables import CHECKS
from loadtest.results import record, runs, trials
from loadtest.results.record import Record
from loadtest.run import calibrate
from loadtest.run.forkserver import ForkServer
from loadtest.run.load import LoadError
from loadtest.run.measurement import Measurement
from loadtest.system.processes import pinned

MAX_ATTEMPTS = 3
BUSY_AFTER = 8  # disturbed attempts in a row
INTERRUPTED, MACHINE_BUSY = 130, 75  # exit codes; 75 is EX_TEMPFAIL: try again later
_FULL = (errno.ENOSPC, errno.EDQUOT)
_DECLARED = ("APPLICATION", "OPTIONS", "WORKERS", "THREADS", "POOL_SIZE")


class MachineBusy(LabError):
    """Attempt after attempt was disturbed from outside."""


class Watch(Protocol):
    """What a person sees of a run."""

    def say(self, text: str) -> None:
        """One line about what goes on, or went wrong."""

    def trial(self, planned: PlannedTrial, attempt: int) -> None:
        """A trial starts."""

    def done(self, planned: PlannedTrial, trial: Trial) -> None:
        """A trial has ended for good."""

    def looked(
        self, experiment: Experiment, look: Looked, expected: Sequence[PlannedTrial]
    ) -> None:
        """The figures were looked at; `expected` are the trials that the run will have, by now."""


class Runner:
    """One run: its plan, its folder, and its record, which is kept in run.json all along."""

    def __init__(self, plan: Plan, folder: Path, known: Record, watch: Watch) -> None:
        self.plan = plan
        self.record = known
        self._folder = folder
        self._watch = watch
        self.exit_code = INTERRUPTED  # of a run that ended early
        self._disturbed = 0  # attempts in a row, up to now

    def execute(self, backend: AbstractContextManager[Backend]) -> Record:
        """Open the backend, run every trial that is not done yet, close the backend.

        Ctrl-C, a full disk and a machine that stays busy end the run early; `record.reason` says
        so, and what was finished stays. Every other error passes through, once run.json is up to
        date.
        """
        reason = "stopped by an error"
        try:
            with backend as running, pinned(running.cpus.load), ForkServer() as forks:
                self._introduce(running)
                self._verify(running)
                self._check(running)
                self._calibrate(running, forks)
                self._run(running, forks)
            reason = ""
        except KeyboardInterrupt:
            reason = "stopped by Ctrl-C"
        except MachineBusy as busy:
            reason, self.exit_code = str(busy), MACHINE_BUSY
        except OSError as error:
            if error.errno not in _FULL:
                raise
            disk = record.outside(self._folder)
            reason = f"no space left on the disk of {disk}; make room, then resume"
        finally:
            self._end(reason)
        return self.record

    def _update(self, **changes: Any) -> None:
        self.record = replace(self.record, **changes)
        record.write(self._folder, self.record)

    def _end(self, reason: str) -> None:
        try:
            self._update(finished_at=record.now(), interrupted=bool(reason), reason=reason)
        except OSError as error:
            if error.errno not in _FULL:
                raise

    def _introduce(self, backend: Backend) -> None:
        cpus = {"service": backend.cpus.service, "load": backend.cpus.load}
        self._update(
            cpus={name: sorted(cores) if cores else None for name, cores in cpus.items()},
            services={name: declared(service) for name, service in backend.services.items()},
        )

    def _verify(self, backend: Backend) -> None:
        """Check each service's answers and slots; a service that fails is never timed."""
        wrong: dict[str, str] = {}
        for name, service in backend.services.items():
            self._watch.say(f"checking the answers of {name}")
            found = verify(service, backend.name, backend.database_url)
            self._update(
                warnings=tuple(dict.fromkeys((*self.record.warnings, *found.warnings))),
                services={
                    **self.record.services,
                    name: {**self.record.services[name], "burst": found.seen},
                },
            )
            if found.failures:
                wrong[name] = shortened(found.failures)
                self._watch.say(f"{name} is not timed: {wrong[name]}")
        if wrong and self.record.resumed:
            raise PlanError(
                f"a resumed run needs the services it began with; failing: {', '.join(wrong)}"
            )
        self.plan = self.plan.without(wrong) if wrong else self.plan
        self._update(
            unverified=wrong,
            left_out=dict(self.plan.left_out),
            plans=self.plan.planned,
            experiments=self.plan.documents,
            planned=len(schedule.wanted(self.plan.trials, self.record.looks)),
        )

    def _check(self, backend: Backend) -> None:
        """The experiments that take no load."""
        self._update(
            checks={
                each.name: {
                    service: CHECKS[each.check](backend.services[service].url(backend.name))
                    for service in each.services
                }
                for each in self.plan.experiments
                if each.check
            }
        )

    def _calibrate(self, backend: Backend, forks: ForkServer) -> None:
        """What the load generator can do here and now, so that no trial measures it instead."""
        self._watch.say("calibrating the load generator")
        found = calibrate.calibrate(
            load_cpus=backend.cpus.load,
            service_cpus=backend.cpus.service,
            quick=True,
            forks=forks,
        )
        self._update(calibration=found)

    def _run(self, backend: Backend, forks: ForkServer) -> None:
        measurement = Measurement(
            backend,
            run_id=self.record.run_id,
            seed=self.plan.options.seed,
            peaks=self.record.peaks,
            ceiling_rps=(self.record.calibration or {}).get("ceiling_rps"),
            forks=forks,
            accept_busy=self.record.busy == "accept",
        )
        services = {
            name: {**service, "observed": measurement.about[name]}
            for name, service in self.record.services.items()
        }
        self._update(services=services)
        latest = {(each.experiment, each.index): each for each in self._before()}
        for _, block in groupby(self.plan.trials, lambda each: (each.experiment.name, each.round)):
            if wanted := schedule.wanted(block, self.record.looks):
                self._block(measurement, wanted, latest)
                self._look(wanted[0].experiment, wanted[0].round)

    def _look(self, experiment: Experiment, rounds: int) -> None:
        """Look at the experiment's figures, where its design says so.

        A look that an earlier part of the run has taken stands, whatever was run again since.
        """
        known = self.record.looks.get(experiment.name, ())
        if rounds not in experiment.looks or any(each.rounds == rounds for each in known):
            return
        seen = [each for each in runs.counted(self._before()) if each.experiment == experiment.name]
        look = decisions.look(experiment, seen, rounds)
        looks = {**self.record.looks, experiment.name: (*known, look)}
        places = self.plan.trials
        self._update(looks=looks, planned=len(schedule.wanted(places, looks)))
        self._watch.looked(experiment, look, schedule.expected(places, looks))

    def _block(
        self,
        measurement: Measurement,
        block: Sequence[PlannedTrial],
        latest: Mapping[tuple[str, int], Trial],
    ) -> None:
        """Take each trial of a round; those that are not valid again at its end."""
        before = [latest.get((each.experiment.name, each.index)) for each in block]
        # What a busy machine has spoilt in an earlier part of the run has all its attempts again.
        spoilt = [trial.attempt if trial and trial.disturbed_by else 0 for trial in before]
        waiting = list(zip(block, before, spoilt, strict=True))
        while waiting:
            taken = []
            for planned, known, free in waiting:
                trial = known
                if trial is None or not over(trial, free):
                    trial = self._take(measurement, planned, trial.attempt + 1 if trial else 1)
                if over(trial, free):
                    self._watch.done(planned, trial)
                else:
                    taken.append((planned, trial, free))
            waiting = list(taken)

    def _before(self) -> list[Trial]:
        """Trials of an earlier part of this run."""
        path = self._folder / "trials.jsonl"
        return trials.recover(path) if path.exists() else []

    def _take(self, measurement: Measurement, planned: PlannedTrial, attempt: int) -> Trial:
        self._watch.trial(planned, attempt)
        try:
            trial = measurement.take(planned, attempt)
        except LoadError as error:
            trial = self._again(measurement, planned, attempt, error)
        trials.append(self._folder / "trials.jsonl", trial)
        if measurement.peaks != self.record.peaks:
            self._update(peaks={name: dict(each) for name, each in measurement.peaks.items()})
        self._require_rest(trial)
        return trial

    def _require_rest(self, trial: Trial) -> None:
        """Raise MachineBusy where this was one disturbed attempt too many."""
        self._disturbed = self._disturbed + 1 if trial.disturbed_by else 0
        if self._disturbed >= BUSY_AFTER:
            last = next(gate for gate in trial.gates if gate.name in trial.disturbed_by)
            raise MachineBusy(
                f"the machine stays busy: {self._disturbed} trials in a row were disturbed, the "
                f"last by {last.name} ({last.detail}); let nothing else run, then resume"
            )

    def _again(
        self, measurement: Measurement, planned: PlannedTrial, attempt: int, error: LoadError
    ) -> Trial:
        """Take a trial whose load could not be made once more, and say so in the record."""
        place = f"{planned.experiment.name}, round {planned.round}, {planned.arm}"
        warning = f"{place}: taken again, because {error}"
        self._watch.say(warning)
        self._update(warnings=(*self.record.warnings, warning))
        return measurement.take(planned, attempt)


def over(trial: Trial, free: int = 0) -> bool:
    """Whether a place of the schedule has its last trial; `free` attempts don't count."""
    return trial.valid or trial.attempt - free >= MAX_ATTEMPTS


def shortened(failures: Sequence[str], most: int = 3) -> str:
    """The first failures, and how many more there are."""
    more = f"; and {len(failures) - most} more" if len(failures) > most else ""
    return "; ".join(failures[:most]) + more


def declared(service: Service) -> dict[str, Any]:
    """What docker-compose.yml says of the service, under the budget of the run."""
    return {
        "framework": service.framework,
        "model": service.model,
        "command": list(service.command),
        "leaves_out": list(service.leaves_out),
        "environment": {name: service.environment.get(name, "") for name in _DECLARED},
    }
