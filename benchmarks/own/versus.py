"""How often `versus` finds a winner between a service and itself, and one that takes 10 % more.

    python -m benchmarks.own.versus --runs 5

Both are benchmarks.own.spinning, started by `versus` itself; a request of the slower one computes
10 % longer. Each run stops once it is decided, after 12 rounds at most.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from typing import Any

from loadtest.system import ports
from loadtest.system.paths import ROOT

STEPS = 10_000  # about a millisecond
MORE = 1.1


def compared(ratio: float, seed: int, options: Sequence[str]) -> dict[str, Any]:
    """What `versus` says of two such services; the second has `ratio` times as much to do."""
    with ports.held(2) as found:
        command = [sys.executable, "-m", "loadtest", "versus", "--json", "--seed", str(seed)]
        command += [
            f"{name}=http://127.0.0.1:{port}/" for name, port in zip("AB", found, strict=True)
        ]
        for name, port, steps in zip("AB", found, (STEPS, round(STEPS * ratio)), strict=True):
            serve = f"{sys.executable} -m benchmarks.own.spinning {port} {steps}"
            command += ["--start", f"{name}={serve}"]
        command += [f"--env=PYTHONPATH={ROOT}", *options]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    if not done.stdout:
        sys.exit(done.stderr)
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def main() -> None:
    """Run them, and print what was found, also where it is stopped early."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=1, help="of a service and itself")
    parser.add_argument("--slower", type=int, help="of one that takes 10 %% more; as many")
    parser.add_argument("--first-seed", type=int, default=1, help="the others follow it")
    arguments, options = parser.parse_known_args()
    slower = arguments.runs if arguments.slower is None else arguments.slower
    planned = (("itself", 1.0, arguments.runs), ("10 % more CPU a request", MORE, slower))
    became: dict[str, Counter[str]] = {what: Counter() for what, *_ in planned}
    try:
        for number in range(max(arguments.runs, slower)):
            seed = arguments.first_seed + number
            for what, ratio, runs in planned:
                for each in compared(ratio, seed, options)["comparisons"] if number < runs else ():
                    became[what][each["outcome"]] += 1
                    print(f"{what}, seed {seed}: {each['sentence']}", flush=True)
    except KeyboardInterrupt:
        print("stopped early")
    for what, found in became.items():
        print(f"{what}: {', '.join(f'{count} × {word}' for word, count in found.items())}")


if __name__ == "__main__":
    main()
