"""`python -m lab.healthcheck`: exit 0 where the row on $PORT is ready."""

from __future__ import annotations

import http.client
import os
import sys

TIMEOUT_S = 2.5


def check(port: int) -> str:
    """Ask /readyz on this machine; an empty text means ready, else it says what is wrong."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_S)
    try:
        connection.request("GET", "/readyz", headers={"Connection": "close"})
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        return f"port {port}: {error}"
    finally:
        connection.close()
    return "" if status == 200 else f"port {port}: /readyz says {status}"


def main() -> int:
    """The exit code for Docker: 0 healthy, 1 not."""
    problem = check(int(os.environ.get("PORT", "8000")))
    if problem:
        print(problem, file=sys.stderr)
    return 1 if problem else 0


if __name__ == "__main__":
    sys.exit(main())
