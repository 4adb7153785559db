"""`python -m lab.healthcheck`: exit 0 where the service is ready, or answers others meanwhile.

Where every slot of a service holds a long request, the question itself waits too long. Such a
service is full and not ill: its count of answers goes up from one check to the next. The count of
one that hangs stays.
"""

from __future__ import annotations

import http.client
import os
import re
import sys
import tempfile
from contextlib import closing
from pathlib import Path

READY_TIMEOUT_S = 2.5
COUNT_TIMEOUT_S = 1.0
# Written out, since to import `lab.metrics.meters` takes longer than all the rest of a check.
_ANSWERED = re.compile(
    r'^http_server_request_duration_seconds_count{.*http_response_status_code="[1-4].*} (\S+)$',
    re.MULTILINE,
)


def check(port: int, metrics_port: int, memory: Path) -> str:
    """What is wrong; empty where /readyz says 200, or is late while others were answered.

    `memory` is the file that keeps the count of answers from one late check to the next.
    """
    try:
        status, _ = _get(port, "/readyz", READY_TIMEOUT_S)
    except TimeoutError as error:
        return "" if _answers(metrics_port, memory) else f"port {port}: {error}"
    except (OSError, http.client.HTTPException) as error:
        return f"port {port}: {error}"
    return "" if status == 200 else f"port {port}: /readyz says {status}"


def answered(metrics_port: int) -> float:
    """How many requests had another end than a failure; raises OSError or HTTPException."""
    _, body = _get(metrics_port, "/metrics", COUNT_TIMEOUT_S)
    return sum(map(float, _ANSWERED.findall(body)))


def _answers(metrics_port: int, memory: Path) -> bool:
    """Whether the count is another one than at the last late check."""
    try:
        count = str(answered(metrics_port))
    except (OSError, http.client.HTTPException):
        return False
    before = memory.read_text() if memory.exists() else count
    memory.write_text(count)
    return count != before


def _get(port: int, path: str, timeout_s: float) -> tuple[int, str]:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=timeout_s)) as connection:
        connection.request("GET", path, headers={"Connection": "close"})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()


def main() -> int:
    """The exit code for Docker: 0 healthy, 1 not."""
    port = int(os.environ.get("PORT", "8000"))
    memory = Path(tempfile.gettempdir()) / f"lab-healthcheck-{port}"
    problem = check(port, int(os.environ.get("METRICS_PORT", "9000")), memory)
    if problem:
        print(problem, file=sys.stderr)
    return 1 if problem else 0


if __name__ == "__main__":
    sys.exit(main())
