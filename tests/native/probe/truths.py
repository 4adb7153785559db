"""Small services whose slots and limit are known: what a probe must find, and how they start."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

APPS = Path(__file__).parent / "apps"
EXACT = 8  # slots up to here must be exact where the wait is steady
TOLERANCE = 0.10

GUNICORN = ("gunicorn", "--bind", "127.0.0.1:{port}", "--no-control-socket")
KEEPING = (*GUNICORN, "--keep-alive", "75")
UVICORN = ("uvicorn", "--host", "127.0.0.1", "--port", "{port}", "--no-access-log")
FLASK, FASTAPI = "waiting_flask:app", "waiting_fastapi:app"
NOTHING_YET, CPU, CONNECTIONS = "nothing yet", "cpu", "connections"
SLOTS, ONE, POOL = "slots", "one at a time", "pool or upstream"
# Enough for every service with slots here, and few enough that those without have CPU to spare.
FEW = ("--connections", "64")


@dataclass(frozen=True)
class Truth:
    """A service, and what is true of it.

    `{port}` in a command is the port that it gets, `{built}` what `go` has made of its source.
    `{upstream}` in a variable is the URL of the service that `upstream` starts.
    """

    name: str
    command: tuple[str, ...]
    slots: int | None  # requests in hand at once; None: no limit but CPU and connections
    binds: tuple[str, ...]  # the right names; the first is the best
    path: str = "/"
    says: str = ""  # a pattern that the evidence or the advice must match
    steady: bool = True  # the wait is the same each time
    upstream: tuple[str, ...] = ()
    go: str = ""  # its source, if it is built by Go
    environment: Mapping[str, str] = field(default_factory=dict)
    options: tuple[str, ...] = FEW  # of the probe
    computes: bool = False  # takes whole cores: nothing may be probed beside it
    again: bool = False  # probed once before, so that its threads are there already

    def has(self, value: float) -> bool:
        """Whether so many slots are right: exact where few and steady, else within a tenth."""
        if self.slots is None:
            return True
        if self.steady and self.slots <= EXACT:
            return round(value) == self.slots
        return abs(value - self.slots) <= TOLERANCE * self.slots


GO_FRONT = Truth(
    "a front in Go that holds 10",
    ("{built}", "{port}"),
    10,
    (POOL,),
    upstream=(*UVICORN, FASTAPI),
    go="front.go",
    environment={"UPSTREAM": "{upstream}", "HOLDS": "10"},
)
LOCKED = Truth(
    "a lock around everything",
    (*KEEPING, "--worker-class", "gthread", "--threads", "8", FLASK),
    1,
    (ONE,),
    "/locked",
)
TRUTHS = (
    Truth("gunicorn, 4 sync workers", (*GUNICORN, "--workers", "4", FLASK), 4, (SLOTS,)),
    Truth(
        "gunicorn, 2 workers × 8 threads",
        (*KEEPING, "--worker-class", "gthread", "--workers", "2", "--threads", "8", FLASK),
        16,
        (SLOTS,),
    ),
    Truth(
        "gunicorn, gevent",
        (*KEEPING, "--worker-class", "gevent", FLASK),
        None,
        (NOTHING_YET,),
        "/?ms=200",
    ),
    Truth("uvicorn, await", (*UVICORN, FASTAPI), None, (NOTHING_YET,), "/?ms=200"),
    Truth("time.sleep in async def", (*UVICORN, FASTAPI), 1, (ONE,), "/blocking"),
    Truth("def endpoints", (*UVICORN, FASTAPI), 40, (SLOTS,), "/threads", options=()),
    Truth("a pool of 15 behind 40 threads", (*UVICORN, FASTAPI), 15, (POOL,), "/pooled"),
    LOCKED,
    replace(LOCKED, name="a lock, probed again", says=r"\ba lock\b", again=True),
    Truth("CPU, 1 worker", (*UVICORN, FASTAPI), None, (CPU,), "/computing", computes=True),
    Truth(
        "CPU, 2 workers",
        (*UVICORN, "--workers", "2", FASTAPI),
        None,
        (CPU,),
        "/computing",
        computes=True,
    ),
    Truth(
        "Flask's development server",
        ("flask", "--app", FLASK, "run", "--port", "{port}"),
        None,
        (NOTHING_YET,),
        "/?ms=200",
        options=("--connections", "32"),  # a thread each, and a connection a request
    ),
    Truth(
        "http.server",
        ("python", "-m", "http.server", "{port}", "--bind", "127.0.0.1"),
        None,
        (CPU, CONNECTIONS),
        "/answer.txt",
        computes=True,
    ),
    Truth(
        "closes each connection",
        ("python", "closing.py", "{port}"),
        None,
        (CONNECTIONS, CPU),
        says="clos|kept|keep-alive",
        options=(),
        computes=True,
    ),
    Truth(
        "closes each connection and does not say so",
        ("python", "closing.py", "{port}", "--silent"),
        None,
        (CONNECTIONS, CPU),
        says="no keep-alive",
        options=(),
        computes=True,
    ),
    Truth(
        "queues 16 and refuses more",
        ("python", "refusing.py", "{port}"),
        8,
        (SLOTS, CONNECTIONS),
        says="503|refus",
    ),
    Truth(
        "a front that holds 10",
        (*UVICORN, "front:app"),
        10,
        (POOL,),
        upstream=(*UVICORN, FASTAPI),
        environment={"UPSTREAM": "{upstream}", "HOLDS": "10"},
    ),
    Truth(
        "an upstream of 20 threads and 200 ms",
        (*UVICORN, "front:app"),
        20,
        (POOL,),
        "/?ms=200",
        upstream=(*KEEPING, "--worker-class", "gthread", "--threads", "20", FLASK),
        environment={"UPSTREAM": "{upstream}", "HOLDS": "0"},
        options=(*FEW, "--seconds", "8"),  # of a request that takes longer
    ),
    Truth(
        "a wait of 100 ms ± 50 %",
        (*GUNICORN, "--workers", "4", FLASK),
        4,
        (SLOTS,),
        "/jittery",
        steady=False,
    ),
    *[GO_FRONT] * (shutil.which("go") is not None),  # as the lab's own service in Go
)
