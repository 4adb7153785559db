"""`versus` from end to end: two services that it starts, compares, and leaves nothing of."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from loadtest.system import ports
from tests.native.commands.conftest import Shell
from tests.waiting import eventually

# Answers after so many seconds, one request a thread; READY says that the variable came.
SERVER = """
import http.server, os, sys, time
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    def log_message(self, *_): pass
    def do_GET(self):
        time.sleep(float(sys.argv[2]) if self.path == "/wait" else 0)
        self.send_response(200 if os.environ.get("STATE_OF") else 500)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")
class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 64
Server(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


@pytest.mark.waits
def test_services_are_started_compared_and_gone(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "server.py").write_text(SERVER)
    with ports.held(2) as (first, second):
        done = shell.run(
            "versus",
            *(
                f"{name}=http://localhost:{port}/wait"
                for name, port in (("A", first), ("B", second))
            ),
            *("--start", f"A={sys.executable} {tmp_path}/server.py {first} 0.01"),
            *("--start", f"B={sys.executable} {tmp_path}/server.py {second} 0.03"),
            *("--ready", "/", "--env", f"STATE_OF={shell.state}", "--same-body"),
            *("--connections", "4", "--seconds", "0.4", "--rounds", "3", "--fail-if", "B < 0.8 A"),
            *("--json", "--seed", "7", "--busy", "accept"),
        )
    assert done.returncode == 1, done.stderr
    verdicts = json.loads(done.stdout)
    [comparison] = verdicts["comparisons"]
    assert comparison["outcome"] == "less"
    assert 0.2 < comparison["ratio"] < 0.6
    assert verdicts["conditions"][0]["met"] is True
    said = done.stderr.splitlines()
    assert said[0].endswith("at most 4 connections at once and 10,000,000 requests, seed 7")
    assert said[-1].startswith("loadtest: failed: B < 0.8 A is so: B ÷ A, 4 connections: ")
    trials = shell.trials()
    for name in "AB":
        assert sum(s["cpu"] for each in trials if each["arm"] == name for s in each["samples"]) > 0
    assert (shell.latest / "report.html").exists()
    assert "--start" in shell.record()["command"]
    assert eventually(lambda: not shell.processes())
