"""The checks of Locust's start form, which itself takes whatever is typed."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Container, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from loadtest.contract import own, scenarios
from loadtest.contract.own import OwnRequestError
from loadtest.contract.scenarios import OWN, ScenarioError
from loadtest.engine.kinds import KINDS, Closed, Open
from loadtest.model.experiment import Background
from loadtest.model.load import Load
from loadtest.model.target import Target

if TYPE_CHECKING:
    from locust.argument_parser import LocustArgumentParser

FieldCheck = Callable[[str], str]


def problem(fields: Mapping[str, str]) -> str:
    """What is wrong with the form's values, in a sentence; empty where nothing is.

    `fields` are Locust's start form as text; what is missing is not checked.
    """
    for field, check in _CHECKS.items():
        if field in fields and (message := check(fields[field].strip())):
            return message
    if "scenario" not in fields:
        return ""
    try:
        chosen = scenarios.choose(fields["scenario"])
        chosen.filled(scenarios.parse_parameters(fields.get("parameters", "")))
        chosen.check(Load("", 1, requests_per_connection=int(fields.get(_PER_CONNECTION) or 0)))
        if chosen.name == OWN:
            request_of(fields, own.from_variables({}))
    except (ScenarioError, OwnRequestError) as error:
        return str(error)
    return ""


def add_load(parser: LocustArgumentParser) -> None:
    """The fields of a load, which are options of the command line too."""
    parser.add_argument(
        "--scenario",
        choices=list(scenarios.SCENARIOS),
        default="json",
        env_var="LAB_SCENARIO",
        help="what a request is",
    )
    parser.add_argument("--parameters", default="", help="e.g. ms=100")
    parser.add_argument(
        "--load", choices=list(KINDS), default=Closed.name, help="how requests arrive"
    )
    parser.add_argument("--rate", type=float, default=100.0, help="open: requests/s")
    parser.add_argument("--think-ms", type=float, default=0.0, help="pause")
    parser.add_argument("--requests-per-connection", type=int, default=0, help="0: it is kept")
    parser.add_argument("--request-timeout", type=float, default=30.0, help="seconds")
    parser.add_argument("--load-seed", type=int, default=1, help="of what is drawn")
    parser.add_argument(
        "--beside", choices=_BESIDE, default=_NO_SECOND, help="asked beside, as an open load"
    )
    parser.add_argument("--beside-rate", type=float, default=10.0, help="requests/s of that")


def add_request(parser: LocustArgumentParser, before: Target) -> None:
    """The fields of a request of one's own, filled in with what LAB_REQUEST says."""
    for name, value in own.as_form(before).items():
        parser.add_argument(f"--{_REQUEST}-{name}", default=value, help=_HELP[name])


def request_of(fields: Mapping[str, Any], before: Target) -> Target:
    """What the form's fields of that sort ask for; raises OwnRequestError."""
    prefix = f"{_REQUEST}_"
    given = {
        name.removeprefix(prefix): str(value or "")
        for name, value in fields.items()
        if name.startswith(prefix)
    }
    return own.from_form(given, before)


def background_of(fields: Mapping[str, Any]) -> Background | None:
    """The second load that the lab asks for, or else the form."""
    if given := fields.get("lab_background"):
        found = json.loads(given)
        return Background(found["scenario"], found["parameters"], Load(**found["load"]))
    scenario = fields.get("beside", _NO_SECOND)
    if scenario == _NO_SECOND:
        return None
    return Background(scenario, {}, Load(Open.name, LIGHT_CONNECTIONS, fields["beside_rate"]))


def unlisted(kind: str, chosen: Iterable[str], known: Iterable[str]) -> str:
    """Which of the chosen names is not a known one, in a sentence; empty where all are."""
    listed = list(known)
    strange = next((name for name in chosen if name not in listed), None)
    if strange is None:
        return ""
    return f"unknown {kind} {strange[:40]!r}; there are: {', '.join(listed)}"


def hidden(fields: Iterable[str], options: Container[str]) -> str:
    """Which field sets one of Locust's options that its form does not have; empty where none does.

    Locust would take it, and fail on a word where the option is a number.
    """
    strange = next((each for each in fields if each in options and each not in _OF_LOCUST), None)
    if strange is None:
        return ""
    return f"{strange} is not set here, but where Locust is started; leave it out"


def _number(label: str, least: float, most: float, *, whole: bool = False) -> FieldCheck:
    kind = "a whole number" if whole else "a number"

    def check(text: str) -> str:
        try:
            value: float = int(text) if whole else float(text)
        except ValueError:
            value = math.nan
        if least <= value <= most:
            return ""
        return f"{label}: give {kind} from {least:,} to {most:,}, not {text[:40]!r}"

    return check


def _run_time(text: str) -> str:
    """Locust would take 0 for no limit, and more than it can wait for."""
    match = re.fullmatch(r"(?:(\d{1,3})h)?(?:(\d{1,5})m)?(?:(\d{1,6})s?)?", text, re.ASCII)
    if not text or (match and any(int(part or 0) for part in match.groups())):
        return ""
    return f"Run time: give it as 20s, 3m or 1h20m, not {text[:40]!r}"


def _load(text: str) -> str:
    return unlisted("load", [text], KINDS)


def _beside(text: str) -> str:
    return unlisted("scenario", [text], _BESIDE)


_REQUEST, _PER_CONNECTION = "request", "requests_per_connection"
LIGHT_CONNECTIONS = 50  # at most, of the load beside
_NO_SECOND = "nothing"
_BESIDE = (_NO_SECOND, *(name for name in scenarios.SCENARIOS if name != OWN))
_HELP = {
    "method": "scenario request: GET, POST …",
    "path": "scenario request: with its query",
    "headers": 'scenario request: NAME: VALUE, or {"NAME": "VALUE", …}',
    "body": "scenario request: what is sent, JSON or other text",
    "status": "scenario request: of a right answer; empty: any success",
}
_OF_LOCUST = {"user_count", "spawn_rate", "run_time", "host", "profile", "user_classes"}
LOAD = ("scenario", "parameters", "load")
_CHECKS: dict[str, FieldCheck] = {
    "user_count": _number("Number of users", 1, 20_000, whole=True),
    "spawn_rate": _number("Ramp up", 0.1, 20_000),
    "rate": _number("Rate", 0.1, 1_000_000),
    "think_ms": _number("Think ms", 0, 600_000),
    _PER_CONNECTION: _number("Requests per connection", 0, 1_000_000, whole=True),
    "request_timeout": _number("Request timeout", 0.1, 600),
    "run_time": _run_time,
    "load": _load,
    "load_seed": _number("Load seed", 0, 2**31 - 1, whole=True),
    "beside": _beside,
    "beside_rate": _number("Beside rate", 0.1, 1_000_000),
}
