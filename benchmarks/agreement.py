"""Does the lab measure what wrk measures? `python -m benchmarks.agreement [SERVICE]`,
interleaved.
"""

from __future__ import annotations

import argparse
import math
import os
import re
import shutil
import subprocess

from rich.console import Console
from rich.progress import track
from scipy import stats

from loadtest.backends.native import Lab
from loadtest.inventory import manifest
from loadtest.model.load import Load
from loadtest.run.load import run
from loadtest.system.cpus import Cpus
from loadtest.system.processes import pinned

CONNECTIONS = 64
WARMUP_S = 0.5


def by_wrk(url: str, seconds: int, cpus: Cpus) -> float:
    """Requests/s as wrk sees them."""
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", f"{url}/json"]
    with pinned(cpus.load):
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return float(re.findall(r"Requests/sec:\s+([\d.]+)", said)[0])


def by_lab(url: str, service: str, seconds: int, cpus: Cpus) -> float:
    """Requests/s as the lab sees them."""
    result = run(
        Load("closed", CONNECTIONS),
        target=url,
        service=service,
        scenario="json",
        parameters={},
        warmup_s=WARMUP_S,
        duration_s=seconds,
        seed=1,
        cpus=cpus.load,
    )
    return result.goodput_rps


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("service", nargs="?", default="fastapi-async")
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--seconds", type=int, default=2)
    options = parser.parse_args()
    if not shutil.which("wrk"):
        raise SystemExit("wrk is not installed; on Debian and Ubuntu: apt install wrk")
    cpus, ratios = Cpus.split(), []
    services = manifest.choose(manifest.load(variables=os.environ), [options.service])
    with Lab(services, host_ports="free") as lab:
        url = lab.services[options.service].url()
        for number in track(range(options.rounds)):
            order = [by_wrk, lambda *given: by_lab(url, options.service, *given[1:])]
            if number % 2:
                order.reverse()
            found = {measure is by_wrk: measure(url, options.seconds, cpus) for measure in order}
            ratios.append(found[False] / found[True])
            print(f"wrk {found[True]:,.0f}/s, the lab {found[False]:,.0f}/s")
    logs = [math.log(ratio) for ratio in ratios]
    half = float(stats.t.ppf(0.975, len(logs) - 1)) * stats.sem(logs)
    middle = sum(logs) / len(logs)
    low, ratio, high = (math.exp(middle + side * half) for side in (-1, 0, 1))
    Console().print(
        f"the lab / wrk on {options.service} /json: {ratio:.3f} ({low:.3f} to {high:.3f})"
    )


if __name__ == "__main__":
    main()
