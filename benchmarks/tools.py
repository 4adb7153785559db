"""The load generators that are compared, and how each says its p99."""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from loadtest.stats import histogram
from loadtest.system.paths import LOCUSTFILE

K6_SCRIPT = """\
import http from 'k6/http';
export const options = { discardResponseBodies: true };
export default function () { http.get(`${__ENV.URL}/json`); }
"""


@dataclass(frozen=True)
class Tool:
    """`command` loads `/json` for `seconds` over `connections`; `p99_ms` reads what it left.

    Both get the folder in which the command runs.
    """

    name: str
    command: Callable[[Path, str, int, float], list[str]]
    p99_ms: Callable[[Path, str], float]


def installed() -> list[Tool]:
    """Our engine, Locust's users, and wrk and k6 where they are installed."""
    tools = [
        Tool("engine, bare", bare, lambda _, log: float(log.split()[-1])),
        Tool("engine in Locust", _inside, _p99_of_result),
        Tool("FastHttpUser", _stock("Fast"), _p99_of_locust),
        Tool("HttpUser", _stock("Plain"), _p99_of_locust),
    ]
    if shutil.which("wrk"):
        tools.append(Tool("wrk", _wrk, _p99_of_wrk))
    if shutil.which("k6"):
        tools.append(Tool("k6", _k6, _p99_of_k6))
    return tools


def bare(_: Path, url: str, connections: int, seconds: float) -> list[str]:
    """The engine without Locust."""
    return [sys.executable, "-m", "benchmarks.bare_engine", url, str(connections), str(seconds)]


def locust(file: Path, connections: int, *options: str) -> list[str]:
    """A headless Locust that starts all its users at once."""
    command = [sys.executable, "-m", "locust", "-f", str(file), "--headless", "--only-summary"]
    return [*command, "--loglevel=ERROR", f"-u{connections}", f"-r{connections}", *options]


def _inside(folder: Path, _: str, connections: int, seconds: float) -> list[str]:
    result = f"--lab-result={folder / 'result.json'}"
    options = ("--scenario=json", "--lab-warmup=0.2", f"--lab-duration={seconds}", result)
    return locust(LOCUSTFILE, connections, *options, "null-server")


def _stock(user: str) -> Callable[[Path, str, int, float], list[str]]:
    def command(_: Path, url: str, connections: int, seconds: float) -> list[str]:
        file = Path(__file__).with_name("stock_users.py")
        options = (f"--host={url}", f"--run-time={seconds:.0f}s", "--json", user)
        return locust(file, connections, *options)

    return command


def _wrk(_: Path, url: str, connections: int, seconds: float) -> list[str]:
    return ["wrk", "-t1", f"-c{connections}", f"-d{seconds:.0f}s", "--latency", f"{url}/json"]


def _k6(folder: Path, url: str, connections: int, seconds: float) -> list[str]:
    script = folder / "script.js"
    script.write_text(K6_SCRIPT)
    options = [f"--vus={connections}", f"--duration={seconds:.0f}s", f"--env=URL={url}"]
    options += ["--quiet", "--no-usage-report", "--summary-trend-stats=p(99)"]
    return ["k6", "run", *options, f"--summary-export={folder / 'k6.json'}", str(script)]


def _p99_of_result(folder: Path, _: str) -> float:
    result = json.loads((folder / "result.json").read_text())
    return float(histogram.decode(result["response_us"]).get_value_at_percentile(99)) / 1000


def _p99_of_locust(_: Path, log: str) -> float:
    (entry,) = json.loads(log[log.index("[\n") : log.rindex("]") + 1])
    times = {float(ms): count for ms, count in entry["response_times"].items()}
    left = 0.99 * sum(times.values())
    for ms in sorted(times):
        left -= times[ms]
        if left <= 0:
            return ms
    return 0.0


def _p99_of_wrk(_: Path, log: str) -> float:
    number, unit = re.findall(r"99%\s+([\d.]+)(us|ms|s)\b", log)[0]
    return float(number) * {"us": 0.001, "ms": 1.0, "s": 1000.0}[unit]


def _p99_of_k6(folder: Path, _: str) -> float:
    summary = json.loads((folder / "k6.json").read_text())
    return float(summary["metrics"]["http_req_duration"]["p(99)"])
