"""Flask endpoints that wait: how many at once is up to the server that runs them."""

from __future__ import annotations

import random
import threading
import time

from flask import Flask, request

app = Flask(__name__)
_lock = threading.Lock()


@app.get("/")
def wait() -> str:
    """Waits for `ms` milliseconds, 100 if left out."""
    time.sleep(request.args.get("ms", 100, type=int) / 1000)
    return "waited"


@app.get("/jittery")
def jittery() -> str:
    """Waits for 100 ms ± 50 %."""
    time.sleep(random.uniform(0.05, 0.15))
    return "waited"


@app.get("/locked")
def locked() -> str:
    """Waits for 50 ms, one request at a time however many threads there are."""
    with _lock:
        time.sleep(0.05)
    return "waited"
