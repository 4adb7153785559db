"""The experiments of a run, one after another, each as soon as its own services are ready."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from loadtest.backends.base import Backend
from loadtest.backends.own import OwnServices
from loadtest.inventory import budgets
from loadtest.inventory.building import Building
from loadtest.model.experiment import Experiment
from loadtest.plan import schedule
from loadtest.plan.plans import Plan, PlanError
from loadtest.plan.tables import CHECKS
from loadtest.results.record import Ledger
from loadtest.run.ceiling import calibrate
from loadtest.run.ceiling.peaks import PeakError
from loadtest.run.forkserver import ForkServer
from loadtest.run.measurement import Measurement
from loadtest.run.own.introduction import Introduction
from loadtest.run.own.own_measurement import OwnMeasurement
from loadtest.run.readiness import Arrival, Readiness
from loadtest.run.rounds import Rounds, Watch


class Experiments:
    """Carries out the experiments of `plan` on a backend that is open; `ledger` tells of them."""

    def __init__(
        self,
        plan: Plan,
        ledger: Ledger,
        watch: Watch,
        backend: Backend,
        building: Building,
        forks: ForkServer,
    ) -> None:
        self.plan = plan
        self._ledger = ledger
        self._watch = watch
        self._backend = backend
        self._building = building
        self._forks = forks
        self._readiness, self._measurement = self._taken_up()
        self._rounds = Rounds(self._measurement, ledger, watch)

    def _taken_up(self) -> tuple[Readiness | Introduction, Measurement]:
        """What makes services ready and what measures them, by whose they are."""
        record = self._ledger.record
        options: dict[str, Any] = {
            "run_id": record.run_id,
            "seed": self.plan.options.seed,
            "peaks": record.peaks,
            "forks": self._forks,
            "accept_busy": record.busy == "accept",
        }
        if isinstance(self._backend, OwnServices):
            [experiment] = self.plan.experiments
            introduction = Introduction(self._backend, experiment, self._watch.say)
            return introduction, OwnMeasurement(self._backend, introduction, **options)
        readiness = Readiness(
            self._backend,
            self._building,
            self._watch.say,
            required=self.plan.options.services,
            allowed=budgets.allowed(self.plan.options.budget),
            accept_busy=options["accept_busy"],
        )
        return readiness, Measurement(self._backend, **options)

    def run(self) -> None:
        """Every experiment that its services allow."""
        self._introduce()
        for name in [each.name for each in self.plan.experiments]:
            self._measurement.put_back()
            self._make_ready(name)
            experiment = self.plan.experiment(name)
            if experiment and experiment.check:
                self._check(experiment)
            elif experiment:
                self._measure(experiment)

    def _introduce(self) -> None:
        cpus = {"service": self._backend.cpus.service, "load": self._backend.cpus.load}
        self._ledger.update(
            cpus={name: sorted(cores) if cores else None for name, cores in cpus.items()},
            services={
                name: {**self._ledger.record.services.get(name, {}), **service.described}
                for name, service in self._backend.services.items()
            },
        )

    def _make_ready(self, name: str) -> None:
        """Build, start and check what the experiment needs; what fails that is never timed."""
        experiment = self.plan.experiment(name)
        if experiment and isinstance(self._readiness, Readiness):
            self._readiness.make_way(experiment)
        found = self._readiness.of(experiment.services) if experiment else {}
        self._note(found)
        wrong = {service: each for service, each in found.items() if each.wrong}
        for service, arrival in wrong.items():
            self._watch.say(f"{service} is not timed: {arrival.wrong}")
        if wrong and any(begun == name for begun, _ in self._rounds.before):
            raise PlanError(
                f"a resumed run needs the services it began with; failing: {', '.join(wrong)}"
            )
        if wrong:
            self._go_on_without(wrong)

    def _note(self, found: Mapping[str, Arrival]) -> None:
        known = self._ledger.record
        seen = {
            name: {**known.services[name], "burst": each.burst, "observed": each.observed}
            for name, each in found.items()
            if each.started
        }
        warnings = [warning for each in found.values() for warning in each.warnings]
        self._ledger.update(
            warnings=tuple(dict.fromkeys((*known.warnings, *warnings))),
            services={**known.services, **seen},
        )
        for name, each in found.items():
            if each.burst:  # its checks have asked it for waits
                self._measurement.practised(name, "wait")

    def _go_on_without(self, wrong: Mapping[str, Arrival]) -> None:
        smaller = self.plan.without(wrong)
        absent = {name: each.wrong for name, each in wrong.items() if not each.started}
        refused = {name: each.wrong for name, each in wrong.items() if each.started}
        self.plan = replace(smaller, left_out={**smaller.left_out, **absent})
        self._tell_plan(unverified={**self._ledger.record.unverified, **refused})

    def _leave_out(self, name: str, why: str) -> None:
        """An experiment that can't be carried out; the others go on."""
        self._watch.say(f"{name} is left out: {why}")
        rest = tuple(each for each in self.plan.experiments if each.name != name)
        left_out = {**self.plan.left_out, name: why}
        self.plan = replace(self.plan, experiments=rest, left_out=left_out)
        self._tell_plan()

    def _tell_plan(self, **beside: Any) -> None:
        """What is still planned, in the record."""
        self._ledger.update(
            left_out=dict(self.plan.left_out),
            plans=self.plan.planned,
            experiments=self.plan.documents,
            planned=len(schedule.wanted(self.plan.trials, self._ledger.record.looks)),
            **beside,
        )

    def _check(self, experiment: Experiment) -> None:
        """An experiment that takes no load."""
        check, services = CHECKS[experiment.check], self._backend.services
        for name in [each for each in experiment.services if not self._backend.alive(each)]:
            self._backend.restart(name)  # it had to make way
        found = {name: check(services[name], self._backend) for name in experiment.services}
        self._ledger.update(checks={**self._ledger.record.checks, experiment.name: found})
        self._ledger.measured()

    def _measure(self, experiment: Experiment) -> None:
        self._building.halt()  # nothing runs beside a trial
        services = self._ledger.record.services
        answers = [services[name].get("observed", {}) for name in experiment.services]
        if self._measurement.ceiling_rps is None and calibrate.needed(experiment, answers):
            self._calibrate()
        try:
            self._rounds.run(experiment, self.plan.trials)
        except PeakError as error:
            if any(begun == experiment.name for begun, _ in self._rounds.before):
                raise
            self._leave_out(experiment.name, str(error))

    def _calibrate(self) -> None:
        """What the load generator can do here and now, so that no trial measures it instead."""
        self._watch.say("calibrating the load generator")
        found = calibrate.calibrate(
            load_cpus=self._backend.cpus.load,
            service_cpus=self._backend.cpus.service,
            quick=True,
            forks=self._forks,
        )
        self._ledger.update(calibration=found)
        self._measurement.ceiling_rps = found["ceiling_rps"]
