"""The commands of the lab: `python -m loadtest --help`."""

from __future__ import annotations

import errno
import random
import re
import shlex
import signal
import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.table import Table

from loadtest.backends import live as live_lab
from loadtest.backends import postgres
from loadtest.backends.live import LabStopped, Live
from loadtest.backends.native import Lab, ready, state_directory
from loadtest.contract import scenarios
from loadtest.contract.verification import verify as verify_service
from loadtest.errors import LabError
from loadtest.inventory import budgets as budget_files
from loadtest.inventory import builds, manifest
from loadtest.inventory.manifest import Service
from loadtest.plan import reader as experiment_files
from loadtest.plan.plans import Options
from loadtest.report import console as figures
from loadtest.report import diff, files, history, report
from loadtest.results import record
from loadtest.run import calibrate, comparison
from loadtest.run.comparison import Comparison
from loadtest.run.progress import Bar, minutes
from loadtest.run.runner import Runner
from loadtest.system.cpus import Cpus

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Compare web services under many requests at once: FastAPI, Flask and their neighbours.",
)
# A pipe has no width of its own, and tables folded at 80 columns are hard to read.
console = Console(highlight=False, width=None if sys.stdout.isatty() else 140)

Names = Annotated[str, typer.Option(help="Names with blanks or commas between; all if left out.")]
Budget = Annotated[str, typer.Option(help="Which of budgets/ the services run under.")]
PlanOption = Annotated[str, typer.Option(help="quick: the headline experiments; full: all.")]
Rounds = Annotated[int | None, typer.Option(help="Rounds of each experiment.")]
Seed = Annotated[int | None, typer.Option(help="Seed of the order; drawn and shown if left out.")]
Backend = Annotated[str, typer.Option(help="native (processes) or compose (containers).")]
Resume = Annotated[Path | None, typer.Option(help="Go on with the run in this folder.")]
Folder = Annotated[Path, typer.Argument(help="Folder of a run.")]


@app.command("list")
def list_() -> None:
    """Show services, experiments, scenarios and budgets."""
    table = Table("service", "framework", "model", "port", "leaves out", "can run here", box=None)
    for service in manifest.load().values():
        runs_here = builds.missing(service) or "yes"
        left_out = ", ".join(service.leaves_out)
        table.add_row(
            service.name, service.framework, service.model, str(service.port), left_out, runs_here
        )
    console.print(table)
    for title, names in (
        ("experiments", experiment_files.load_all()),
        ("scenarios", scenarios.SCENARIOS),
        ("budgets", budget_files.names()),
    ):
        console.print(f"{title}: {' '.join(names)}", soft_wrap=True)


@app.command()
def run(
    plan: PlanOption = "quick",
    experiments: Names = "",
    services: Names = "",
    budget: Budget = "as-shipped",
    rounds: Rounds = None,
    seed: Seed = None,
    backend: Backend = "native",
    resume: Resume = None,
) -> None:
    """Compare the services, trial by trial, and write a report."""
    if resume:
        _carry_out(comparison.resume(resume))
        return
    options = Options(
        seed=random.SystemRandom().randrange(1, 1_000_000) if seed is None else seed,
        plan=plan,
        experiments=_names(experiments),
        services=_names(services),
        budget=budget,
        rounds=rounds,
        backend=backend,
    )
    _carry_out(comparison.begin(options, record.results_directory()))


@app.command()
def up(services: Names = "", budget: Budget = "as-shipped") -> None:
    """Run services with Locust's UI, without Docker, until Ctrl-C."""
    known = manifest.load(variables=budget_files.variables(budget))
    names = list(_names(services)) or [name for name, service in known.items() if service.central]
    usable, reasons = builds.available(manifest.choose(known, names))
    reasons |= builds.failures(usable)
    usable = {name: service for name, service in usable.items() if name not in reasons}
    for name, reason in reasons.items():
        console.print(f"{name} is left out: {reason}", markup=False)
    if not usable:
        raise LabStopped("none of these services can run here")
    budget_files.check(usable.values(), budget_files.max_connections())
    console.print(f"starting {', '.join(usable)} …")
    try:
        with Lab(usable) as lab, live_lab.up(lab) as running:
            _show_live(lab, running)
            running.locust.popen.wait()
            raise LabStopped(f"Locust ended by itself; its log is {running.locust.log}")
    except KeyboardInterrupt:
        console.print("stopped; nothing is left running")


@app.command()
def verify(services: Names = "") -> None:
    """Check answers, slots and keep-alive of the services that are up now."""
    known = manifest.load()
    asked = manifest.choose(known, list(_names(services)) or list(known))
    up_now = [service for service in asked.values() if ready(service)]
    if not up_now or (services and len(up_now) < len(asked)):
        silent = ", ".join(name for name, service in asked.items() if service not in up_now)
        raise LabStopped(
            f"nothing answers for {silent}; start services by `make live` or `make up`"
        )
    database_url = postgres.running(state_directory())
    kept = [_verified(service, database_url) for service in up_now]
    raise typer.Exit(0 if all(kept) else 1)


def _verified(service: Service, database_url: str | None) -> bool:
    found = verify_service(service, database_url=database_url)
    left_out = ", ".join(service.leaves_out)
    kept = f"keeps the contract{f', but for {left_out}' if left_out else ''}"
    console.print(f"{service.name}: {'FAILS' if found.failures else kept}")
    if shares := found.seen.get("worker_requests"):
        console.print(f"  requests by worker: {', '.join(map(str, shares))}")
    for line in (*found.failures, *found.warnings):
        console.print(f"  {line}", markup=False, soft_wrap=True)
    return not found.failures


@app.command("calibrate")
def calibrate_(
    quick: Annotated[bool, typer.Option("--quick", help="Two points instead of all.")] = False,
) -> None:
    """Measure what the load generator itself can make on this machine."""
    cpus = Cpus.split()

    def show(point: calibrate.Point) -> None:
        console.print(
            f"{point.scenario:<10} {point.connections:>5} connections "
            f"{point.answer_bytes:>8,.0f} bytes {point.rps:>9,.0f} requests/s "
            f"{point.cpu_us_per_request:>6.1f} µs CPU a request"
        )

    found = calibrate.calibrate(
        load_cpus=cpus.load, service_cpus=cpus.service, quick=quick, progress=show
    )
    console.print(f"ceiling: {found['ceiling_rps']:,.0f} requests/s against {found['server']}")


def _carry_out(asked: Comparison) -> None:
    plan = asked.plan
    for name, reason in plan.left_out.items():
        console.print(f"{name} is left out: {reason}", markup=False, soft_wrap=True)
    console.print(
        f"{len(plan.trials)} trials of {len(plan.services)} services, about "
        f"{minutes(plan.seconds)}; budget {plan.options.budget}, seed {plan.options.seed}",
        soft_wrap=True,
    )
    with Bar(console) as bar:
        bar.begin(plan.trials)
        try:
            finished = Runner(plan, asked.folder, asked.record, bar).execute(asked.backend())
        except LabError:
            files.build(asked.folder)
            raise
    if finished.reason:
        console.print(finished.reason, soft_wrap=True)
        console.print(f"go on with: {_going_on(asked)}", markup=False, soft_wrap=True)
    _report(asked.folder)
    if finished.interrupted:
        raise typer.Exit(130)


@app.command("report")
def report_(folder: Folder) -> None:
    """Build the report of a run anew from its files; runs nothing."""
    _report(folder)


def _report(folder: Path) -> None:
    made = report.load(folder)
    path = files.write(made)
    console.print(figures.shown(made))
    console.print(f"report: {record.outside(path)}", markup=False, soft_wrap=True)


def _going_on(asked: Comparison) -> str:
    backend = "BACKEND=compose " if asked.plan.options.backend == "compose" else ""
    return f"make compare {backend}RESUME={shlex.quote(str(record.outside(asked.folder)))}"


@app.command("diff")
def diff_(
    before: Annotated[Path, typer.Argument(help="Folder of the earlier run.")],
    after: Annotated[Path, typer.Argument(help="Folder of the later run.")],
) -> None:
    """Set two runs side by side."""
    console.print(diff.compare(before, after))


@app.command("history")
def history_() -> None:
    """Show the runs that exist and their headline figures."""
    console.print(history.table(record.results_directory()))


def _show_live(lab: Lab, running: Live) -> None:
    for service in lab.services.values():
        console.print(
            f"  {service.name:<22} {service.url()}  metrics {service.metrics_url()}", soft_wrap=True
        )
    console.print(f"  {'Prometheus':<22} {running.prometheus or 'not running'}")
    for line in running.missing:
        console.print(f"  {line}", markup=False, soft_wrap=True)
    console.print(f"Locust's UI: {running.ui} – Ctrl-C ends everything")


def _names(text: str) -> tuple[str, ...]:
    return tuple(re.split(r"[,\s]+", text.strip())) if text.strip() else ()


def _refuse_old_words(arguments: list[str]) -> None:
    if any(word.partition("=")[0] == "--rows" for word in arguments):
        raise LabStopped("--rows is called --services now")


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt


def interruptible() -> None:
    """Let every request to end be like Ctrl-C: what was started is stopped and removed.

    Ctrl-C also counts where a shell started us in the background, which ignores it there.
    """
    signal.signal(signal.SIGINT, _interrupt)
    signal.signal(signal.SIGTERM, _interrupt)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # as under nohup
        signal.signal(signal.SIGHUP, _interrupt)


def main() -> None:
    """Run the command line; every foreseeable trouble is one line and exit code 2."""
    interruptible()
    try:
        _refuse_old_words(sys.argv[1:])
        app()
    except LabError as error:
        _refuse(str(error))
    except OSError as error:
        if not error.filename or error.errno not in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise
        _refuse(f"{error.filename}: {error.strerror}; make it writable for you")


def _refuse(why: str) -> NoReturn:
    print(f"loadtest: {why}", file=sys.stderr)
    sys.exit(2)
