"""The commands of the lab: `python -m loadtest --help`.

Here are their options and help texts. Each command imports its work only when it runs, so help
texts and refusals of options come at once.
"""

from __future__ import annotations

import errno
import random
import re
import signal
import sys
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from loadtest.commands import size
from loadtest.commands.own import versus
from loadtest.errors import DISK_FULL, LabError

if TYPE_CHECKING:
    from loadtest.plan.plans import Options

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Compare web services under many requests at once: FastAPI, Flask and their neighbours.",
)

Names = Annotated[str, typer.Option(help="Names with blanks or commas between; all if left out.")]
Budget = Annotated[str, typer.Option(help="Which of budgets/ the services run under.")]
PlanOption = Annotated[
    str,
    typer.Option(
        help="quick: the headline experiments; lesson: those of the lessons; full: every claim "
        "that is taught; field: the rest of the field; published: other people's comparisons."
    ),
]
Rounds = Annotated[int | None, typer.Option(help="Exactly so many rounds, whatever is decided.")]
Seed = Annotated[int | None, typer.Option(help="Seed of the order; drawn and shown if left out.")]
Backend = Annotated[str, typer.Option(help="native (processes) or compose (containers).")]
Busy = Annotated[
    str, typer.Option(help="rerun what a busy machine disturbs, or accept it; the report says so.")
]
Resume = Annotated[Path | None, typer.Option(help="Go on with the run in this folder.")]
_WITH_RESUME = ("resume", "busy", "backend")  # what may be said of a run that goes on
Headers = Annotated[list[str] | None, typer.Option(help="'Name: value'; more than one may be.")]
Method = Annotated[str, typer.Option(help="How it is asked: POST only where you say so.")]
Body = Annotated[str, typer.Option(help="What is sent: text, or @FILE.")]
Expect = Annotated[int | None, typer.Option(help="The right status; else 200 to 299.")]
Light = Annotated[str, typer.Option(help="A light endpoint: how long it waits meanwhile.")]
Insecure = Annotated[bool, typer.Option("--insecure", help="Any certificate will do.")]
MayLoad = Annotated[bool, typer.Option("--i-may-load-this", help="Also a public address.")]
Conditions = Annotated[
    list[str] | None, typer.Option(help="Exit code 1 if it holds: 'slots < 8'; may be repeated.")
]
FailIf = Annotated[
    list[str] | None,
    typer.Option(help="Exit code 1 where this is so: 'B < 0.95 A'; for your own services."),
]
Folder = Annotated[Path, typer.Argument(help="Folder of a run.")]


@app.command("list")
def list_() -> None:
    """Show claims with their last verdicts, services, scenarios and budgets."""
    from loadtest.commands import listing

    listing.show()


@app.command("run")
def run_(
    given: typer.Context,
    plan: PlanOption = "quick",
    experiments: Names = "",
    services: Names = "",
    budget: Budget = "typical",
    rounds: Rounds = None,
    seed: Seed = None,
    backend: Backend = "native",
    busy: Busy = "rerun",
    resume: Resume = None,
    fail_if: FailIf = None,
) -> None:
    """Compare the services, trial by trial, and write a report."""
    from loadtest.plan.plans import Options

    options = Options(
        seed=random.SystemRandom().randrange(1, 1_000_000) if seed is None else seed,
        plan=plan,
        experiments=_names(experiments),
        services=_names(services),
        budget=budget,
        rounds=rounds,
        backend=backend,
        busy=busy,
        fail_if=tuple(fail_if or ()),
    )
    _compare(options, resume, [name for name in given.params if _is_given(given, name)])


def _is_given(context: typer.Context, option: str) -> bool:
    source = context.get_parameter_source(option)
    return source is not None and source.name == "COMMANDLINE"


def _compare(options: Options, resume: Path | None, given: Collection[str]) -> None:
    """`given`: the names of the options that were not left out."""
    from loadtest.results import record
    from loadtest.run import comparison

    if not resume:
        asked = comparison.begin(options, record.results_directory())
    elif other := [name for name in given if name not in _WITH_RESUME]:
        names = " and ".join(f"--{name.replace('_', '-')}" for name in other)
        raise LabError(f"--resume goes on with the run as it began; leave out {names}")
    else:
        asked = comparison.resume(resume, options.busy if "busy" in given else None)
    # What measures and draws takes a second to import: later than what refuses an option.
    from loadtest.commands import run

    run.carry_out(asked)


@app.command("lesson")
def lesson_(
    number: Annotated[
        str, typer.Argument(help="Number of the lesson; lists all if left out.")
    ] = "",
    busy: Busy = "rerun",
) -> None:
    """Run a lesson's command, then answer its question from the run."""
    from loadtest.commands import lesson

    lesson.carry_out(number, busy)


app.command("versus")(versus.versus)


@app.command("live")
def live_(services: Names = "", budget: Budget = "typical") -> None:
    """Run services with Locust's UI, without Docker, until Ctrl-C."""
    from loadtest.commands import live

    live.run(_names(services), budget)


@app.command("verify")
def verify_(services: Names = "") -> None:
    """Check answers, slots and keep-alive of the services that are up now."""
    from loadtest.commands import verify

    raise typer.Exit(0 if verify.all_kept(_names(services)) else 1)


@app.command("probe")
def probe_(
    url: Annotated[
        str,
        typer.Argument(
            metavar="URL|FILE.toml",
            help="An endpoint that runs: http://127.0.0.1:8000/slow. Or a file that says it all.",
        ),
    ],
    seconds: Annotated[float | None, typer.Option(help="How long at most (60).")] = None,
    connections: Annotated[int | None, typer.Option(help="How many at once at most (256).")] = None,
    method: Method = "GET",
    header: Headers = None,
    body: Body = "",
    expect: Expect = None,
    beside: Light = "",
    json_: Annotated[bool, typer.Option("--json", help="JSON instead of sentences.")] = False,
    fail_if: Conditions = None,
    insecure: Insecure = False,
    may_load: MayLoad = False,
) -> None:
    """Find how many requests at once a service works on, and what binds it."""
    from loadtest.commands import probe

    request = probe.Described(url, method, tuple(header or ()), body, expect, insecure)
    asked = probe.Asked(
        request, seconds, connections, beside, json_, tuple(fail_if or ()), may_load
    )
    probe.carry_out(probe.with_file(asked))


@app.command("calibrate")
def calibrate_(
    quick: Annotated[bool, typer.Option("--quick", help="Two points instead of all.")] = False,
) -> None:
    """Measure what the load generator itself can make on this machine."""
    from loadtest.commands import calibrate

    calibrate.show(quick)


app.command("size")(size.size)


@app.command("report")
def report_(folder: Folder) -> None:
    """Build the report of a run anew from its files; runs nothing."""
    from loadtest.commands import report

    report.show(folder)


@app.command("publish")
def publish_(
    folder: Folder,
    partial: Annotated[
        bool, typer.Option("--partial", help="Also where something is missing; the page says it.")
    ] = False,
) -> None:
    """Write docs/results.md and the README's table from a full run; docs/published.md from one of
    published comparisons.
    """
    from loadtest.commands import publish

    publish.show(folder, partial=partial)


@app.command("diff")
def diff_(
    before: Annotated[Path, typer.Argument(help="Folder of the earlier run.")],
    after: Annotated[Path, typer.Argument(help="Folder of the later run.")],
) -> None:
    """Set two runs side by side."""
    from loadtest.commands.console import console
    from loadtest.report import diff

    console.print(diff.compare(before, after))


@app.command("history")
def history_() -> None:
    """Show the runs that exist and their headline figures."""
    from loadtest.commands.console import console
    from loadtest.report import history
    from loadtest.results import record

    console.print(history.table(record.results_directory()))


def _names(text: str) -> tuple[str, ...]:
    return tuple(re.split(r"[,\s]+", text.strip())) if text.strip() else ()


def _refuse_old_words(arguments: list[str]) -> None:
    if any(word.partition("=")[0] == "--rows" for word in arguments):
        raise LabError("--rows is called --services now")
    if arguments[:1] == ["up"]:
        raise LabError("loadtest up is called loadtest live now; make up starts containers")


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt


def interruptible() -> None:
    """Let every signal to end act like Ctrl-C: what was started is stopped and removed.

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
        where = f"{error.filename}: " if error.filename else ""
        if error.errno in DISK_FULL:
            _refuse(f"{where}{error.strerror}; make room")
        if not where or error.errno not in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise
        _refuse(f"{where}{error.strerror}; make it writable for you")


def _refuse(why: str) -> NoReturn:
    print(f"loadtest: {why}", file=sys.stderr)
    sys.exit(2)
