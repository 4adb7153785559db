"""A service is ready when each of its workers is: a load would see a part of it before."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

from loadtest.backends.native import Lab
from loadtest.backends.readiness import begun
from loadtest.inventory import manifest
from loadtest.system import urls

# Two workers by /about, and each look at the metrics sees one more of them.
LATE = """
import http.server, json, os, threading
class Service(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps({"workers": 2, "looks": Metrics.looks}).encode())
class Metrics(http.server.BaseHTTPRequestHandler):
    looks = 0
    def do_GET(self):
        workers = range(min(Metrics.looks, 2))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"# TYPE lab_worker_requests counter\\n")
        for each in workers:
            self.wfile.write(b'lab_worker_requests_total{worker="%d"} 0.0\\n' % each)
        Metrics.looks += 1
def serve(handler, port):
    http.server.ThreadingHTTPServer((os.environ["HOST"], int(port)), handler).serve_forever()
threading.Thread(target=serve, args=(Metrics, os.environ["METRICS_PORT"]), daemon=True).start()
serve(Service, os.environ["PORT"])
"""


def test_a_service_is_awaited_until_its_last_worker_has_begun(tmp_path: Path) -> None:
    late = replace(manifest.load()["flask-sync"], name="late", command=(sys.executable, "-c", LATE))
    with Lab({"late": late}, host_ports="free", state=tmp_path) as lab:
        about = json.loads(urls.read(f"{lab.services['late'].url()}/about", 5.0))
    assert about["looks"] == 3  # none, one, both


def test_a_worker_that_has_ended_is_not_there() -> None:
    text = (
        "# TYPE lab_worker_requests counter\n"
        'lab_worker_requests_total{worker="7"} 4.0\n'
        'lab_worker_requests_total{worker="8"} 0.0\n'
        "# TYPE lab_workers_ended counter\n"
        "lab_workers_ended_total 1.0\n"
    )
    assert begun(text) == 1
