"""Runs a plan from its first service to its last trial, whatever comes between."""

from __future__ import annotations

from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

from loadtest.backends.base import Backend
from loadtest.errors import DISK_FULL, LabError
from loadtest.inventory.building import Building
from loadtest.plan.plans import Plan
from loadtest.results import record
from loadtest.results.record import Ledger, Record
from loadtest.run.experiments import Experiments
from loadtest.run.forkserver import ForkServer
from loadtest.run.own.limit import EnoughAsked
from loadtest.run.rounds import MachineBusy, Watch
from loadtest.system.processes import pinned

# Exit codes; 75 is EX_TEMPFAIL: try again later.
INTERRUPTED, MACHINE_BUSY, TOO_MANY_REQUESTS = 130, 75, 2


class Runner:
    """One run: its plan, its folder, and its record, which is kept in run.json all along."""

    def __init__(self, plan: Plan, folder: Path, known: Record, watch: Watch) -> None:
        self.plan = plan
        self.exit_code = INTERRUPTED  # of a run that ended early
        self._ledger = Ledger(folder, known)
        self._watch = watch

    def execute(self, backend: AbstractContextManager[Backend]) -> Record:
        """Open the backend, run every trial that is not done yet, close the backend.

        Ctrl-C, a full disk, a machine that stays busy and a limit of requests end the run early;
        `reason` of the record says so, and what was finished stays. Every other error passes
        through, once run.json is up to date.
        """
        reason = "stopped by an error"
        try:
            self._execute(backend)
            reason = ""
        except KeyboardInterrupt:
            reason = "stopped by Ctrl-C"
        except MachineBusy as busy:
            reason, self.exit_code = str(busy), MACHINE_BUSY
        except EnoughAsked as enough:
            reason, self.exit_code = str(enough), TOO_MANY_REQUESTS
        except LabError as error:
            reason = f"stopped: {str(error).partition(chr(10))[0].rstrip(' :;.')}"
            raise
        except OSError as error:
            if error.errno not in DISK_FULL:
                raise
            disk = record.outside(self._ledger.folder)
            reason = f"no space left on the disk of {disk}; make room, then resume"
        finally:
            self._end(reason)
        return self._ledger.record

    def _execute(self, backend: AbstractContextManager[Backend]) -> None:
        with ExitStack() as stack:
            building = stack.enter_context(Building())
            if self.plan.options.backend == "native":
                building.ahead([each for each in self.plan.services.values() if each.build])
            forks = stack.enter_context(ForkServer())
            forks.begin()
            running = stack.enter_context(backend)
            stack.enter_context(pinned(running.cpus.load))
            Experiments(self.plan, self._ledger, self._watch, running, building, forks).run()

    def _end(self, reason: str) -> None:
        try:
            self._ledger.update(finished_at=record.now(), interrupted=bool(reason), reason=reason)
        except OSError as error:
            if error.errno not in DISK_FULL:
                raise
