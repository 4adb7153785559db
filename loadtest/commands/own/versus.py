"""`versus`: services of the user's own against each other, whoever runs them.

Its options are here beside it, as there are many; what measures is imported when it runs.
"""

from __future__ import annotations

import math
import random
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

_PAIR = "NAME=URL, as A=http://127.0.0.1:8101/items"
_HOW_TO_START = "--start NAME=COMMAND, as 'A=uvicorn app:app --port 8101'"

_SECRET_BEHIND = {"--header": ":", "--env": "=", "--body": ""}
Texts = list[str] | None
Targets = Annotated[list[str], typer.Argument(help="A=URL B=URL …: what is asked of each.")]
Connections = Annotated[str, typer.Option(help="How many at once; '1 16 64' are three loads.")]
Window = Annotated[float, typer.Option(help="Length of each measured window.")]
Rounds = Annotated[int | None, typer.Option(help="Exactly so many rounds, whatever is decided.")]
Measure = Annotated[str, typer.Option(help="What is compared, such as p95_ms.")]
Method = Annotated[str, typer.Option(help="The method of every request.")]
Header = Annotated[Texts, typer.Option(help="'Name: value'; may be there again.")]
Body = Annotated[str, typer.Option(help="The body as text, or @FILE.")]
Expect = Annotated[int | None, typer.Option(help="The right status; 200 to 299 if left out.")]
SameBody = Annotated[bool, typer.Option("--same-body", help="All have to answer the same body.")]
Insecure = Annotated[bool, typer.Option("--insecure", help="Don't check certificates.")]
Begun = Annotated[Texts, typer.Option(help="NAME=COMMAND: start it, and stop it at the end.")]
Fresh = Annotated[bool, typer.Option("--fresh", help="Start it anew for every trial.")]
Ready = Annotated[str, typer.Option(help="Path that answers 200 once what is started is ready.")]
Env = Annotated[Texts, typer.Option(help="NAME=VALUE for what is started; may be there again.")]
FailIf = Annotated[Texts, typer.Option(help="Exit code 1 where this is so: 'B < 0.95 A'.")]
MayLoad = Annotated[bool, typer.Option("--i-may-load-this", help="Also a public address.")]
AsJson = Annotated[bool, typer.Option("--json", help="Verdicts as JSON on standard output.")]
Requests = Annotated[int, typer.Option(help="So many in all at most; then it ends early.")]
Seed = Annotated[int | None, typer.Option(help="Seed of the order; drawn if left out.")]
Busy = Annotated[str, typer.Option(help="rerun what a busy machine disturbs, or accept.")]


def versus(
    targets: Targets,
    connections: Connections = "16",
    seconds: Window = 3.0,
    rounds: Rounds = None,
    measure: Measure = "goodput_rps",
    method: Method = "GET",
    header: Header = None,
    body: Body = "",
    expect: Expect = None,
    same_body: SameBody = False,
    insecure: Insecure = False,
    start: Begun = None,
    ready: Ready = "",
    fresh: Fresh = False,
    env: Env = None,
    fail_if: FailIf = None,
    may_load: MayLoad = False,
    json: AsJson = False,
    requests: Requests = 10_000_000,
    seed: Seed = None,
    busy: Busy = "rerun",
) -> None:
    """Compare services of your own, each at its URL, in interleaved rounds."""
    request = _request(method, header or (), body, expect, insecure)
    document = {"measure": measure, "same_body": same_body, "i_may_load_this": may_load}
    found = _targets(targets, start or (), ready, env or (), fresh=fresh)
    document |= {"targets": found, "request": request}
    document |= {"requests_at_most": requests, "fresh": fresh}
    document |= {"levels": _levels(connections), "fail_if": fail_if or [], **_window(seconds)}
    _compare(document, rounds, seed, busy, as_json=json)


def _compare(
    document: Mapping[str, Any], rounds: int | None, seed: int | None, busy: str, *, as_json: bool
) -> None:
    from loadtest.plan.parsing import parse
    from loadtest.plan.plans import Options
    from loadtest.results import record
    from loadtest.run import comparison

    drawn = random.SystemRandom().randrange(1, 1_000_000) if seed is None else seed
    words = (*shown(sys.argv[1:]), *(("--seed", str(drawn)) if seed is None else ()))
    options = Options(drawn, "full", rounds=rounds, busy=busy, words=words)
    experiment = parse("versus", document, where="versus")
    asked = comparison.begin(options, record.results_directory(), experiment)
    # What measures and draws takes a second to import: later than what refuses an option.
    from loadtest.commands import run

    run.carry_out(asked, as_json=as_json)


def shown(words: Sequence[str]) -> list[str]:
    """The command as a page may show it: without what headers, variables and the body hold."""
    found, before = [], ""
    for word in words:
        option, equals, value = word.partition("=")
        if before in _SECRET_BEHIND:
            found.append(_emptied(before, word))
        elif equals and option in _SECRET_BEHIND:
            found.append(f"{option}={_emptied(option, value)}")
        else:
            found.append(word)
        before = "" if before in _SECRET_BEHIND else word
    return found


def _emptied(option: str, value: str) -> str:
    """A name without its value; a body has none."""
    mark = _SECRET_BEHIND[option]
    return f"{value.partition(mark)[0]}{mark}…" if mark else "…"


def _request(
    method: str, headers: Sequence[str], body: str, expect: int | None, insecure: bool
) -> dict[str, Any]:
    from loadtest.inventory import addresses

    found = {"method": method, "body": addresses.read_body(body), "insecure": insecure}
    status = {} if expect is None else {"status": expect}
    return found | {"headers": addresses.parsed_headers(headers)} | status


def _targets(
    texts: Sequence[str], starts: Sequence[str], ready: str, env: Sequence[str], *, fresh: bool
) -> dict[str, dict[str, Any]]:
    """The tables of the targets as a file has them."""
    from loadtest.inventory import addresses

    pairs = addresses.named_pairs(texts, _PAIR)
    found: dict[str, dict[str, Any]] = {name: {"url": url} for name, url in pairs.items()}
    for name, command in addresses.named_pairs(starts, _HOW_TO_START).items():
        if name not in found:
            raise addresses.AddressError(
                f"--start {name}=…: where does it answer? Add {name}=http://HOST:PORT"
            )
        found[name] |= {"start": command, "folder": str(Path.cwd())}
        found[name] |= {"ready": ready} if ready else {}
        found[name] |= {"environment": addresses.named_pairs(env, "--env NAME=VALUE")}
    for option, value in (("--ready", ready), ("--env", env), ("--fresh", fresh)):
        if value and not starts:
            raise addresses.AddressError(f"{option} is for services that --start starts")
    return found


def _levels(text: str) -> list[dict[str, int]]:
    from loadtest.inventory.addresses import AddressError

    words = text.replace(",", " ").split()
    if not words or not all(word.isascii() and word.isdigit() and int(word[:7]) for word in words):
        raise AddressError(f"--connections {text!r}: write whole numbers from 1, as '1 16 64'")
    return [{"connections": int(word)} for word in words]


def _window(seconds: float) -> dict[str, float]:
    from loadtest.inventory.addresses import AddressError

    if not 0 < seconds < math.inf:
        raise AddressError(f"--seconds {seconds:g}: write how many, above 0")
    return {"duration_s": seconds, "warmup_s": min(1.0, seconds / 3)}
