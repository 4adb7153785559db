"""What the lab adds to Locust's page, in a process of its own: Locust changes the one it is in."""

from __future__ import annotations

import subprocess
import sys

LOOKED_UP_FOR_EVER = """
from locust import User
from locust.env import Environment
from types import SimpleNamespace
import gevent
from flask import Flask
from gevent import socket
from loadtest.generator.page import web

connect = socket.create_connection

def connect_slowly(address, *rest):
    if address[0] == "away":
        gevent.sleep(300)
    return connect(address, *rest)

socket.create_connection = connect_slowly
app = Flask("page")
app.add_url_rule("/", view_func=lambda: "<body></body>")
listener = socket.socket()
listener.bind(("127.0.0.1", 0))
listener.listen()
hosts = {"here": f"http://127.0.0.1:{listener.getsockname()[1]}", "away": "http://away:8000"}
services = {name: type(name, (User,), {"host": host}) for name, host in hosts.items()}
environment = Environment(available_user_classes=services)
web.attach(environment, SimpleNamespace(app=app))
assert app.test_client().get("/").status_code == 200
print(*environment.available_user_classes)
"""


def test_a_name_that_is_looked_up_for_ever_holds_up_nobody() -> None:
    """As in a container without a network, where a service's container is not there."""
    done = subprocess.run(
        [sys.executable, "-c", LOOKED_UP_FOR_EVER],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.stdout == "here\n", done.stderr
