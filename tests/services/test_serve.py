"""`python -m lab.serve`: signals, exit codes, metrics beside the server."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lab import serve
from lab.serve import ServeError
from loadtest.system import ports
from tests.waiting import eventually, gone

COMMON = Path(serve.__file__).parent.parent
WAITS = "import signal, sys; print('up', flush=True); signal.pause()"
FINISHES = (
    "import signal, sys; signal.signal(signal.SIGTERM, lambda *_: sys.exit(0));"
    "print('up', flush=True); signal.pause()"
)
COUNTS = (
    "import os, signal\n"
    "signal.signal(signal.SIGINT, lambda *_: os.write(1, b'interrupted\\n'))\n"
    "print('up', flush=True)\n"
    "while True: signal.pause()"
)


def environment(**changes: str) -> dict[str, str]:
    port, metrics_port = ports.free(2)
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(COMMON),
        "SERVICE_NAME": "toy",
        "DATABASE_URL": "postgresql://lab@127.0.0.1/lab",
        "PORT": str(port),
        "METRICS_PORT": str(metrics_port),
        **changes,
    }


@contextmanager
def served(code: str, variables: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    """A server that runs `code`; up when it says so."""
    command = [sys.executable, "-m", "lab.serve", sys.executable, "-c", code.replace("$", "$$")]
    with subprocess.Popen(
        command, env=variables, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        try:
            yield process
        finally:
            process.kill()


def run(*arguments: str, **changes: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "lab.serve", *arguments],
        env=environment(**changes),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def test_variables_are_replaced() -> None:
    assert serve.expand(["--port", "$PORT", "${A}b", "$$x"], {"PORT": "1", "A": "2"}) == [
        "--port",
        "1",
        "2b",
        "$x",
    ]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (None, []),
        ("", []),
        ("--ws none", ["--ws", "none"]),
        ("--threads $THREADS 'a b'", ["--threads", "7", "a b"]),
    ],
)
def test_options_are_words_with_variables_in_them(options: str | None, words: list[str]) -> None:
    variables = {"THREADS": "7"} | ({} if options is None else {"OPTIONS": options})
    assert serve.expand(["gunicorn", "$OPTIONS"], variables) == ["gunicorn", *words]


def test_options_that_are_no_words_are_told() -> None:
    with pytest.raises(ServeError, match="OPTIONS: No closing quotation"):
        serve.expand(["$OPTIONS"], {"OPTIONS": "--name 'a"})


@pytest.mark.parametrize("word", ["$MISSING", "a $ b"])
def test_variable_that_is_not_there_is_named(word: str) -> None:
    with pytest.raises(ServeError):
        serve.expand([word], {})


@pytest.mark.parametrize("code", [WAITS, FINISHES])
def test_sigterm_ends_with_zero(code: str) -> None:
    with served(code, environment()) as process:
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0


def test_server_may_open_as_many_files_as_the_system_allows() -> None:
    code = "import resource; print(*resource.getrlimit(resource.RLIMIT_NOFILE))"
    command = f"ulimit -S -n 64; exec {sys.executable} -m lab.serve {sys.executable} -c '{code}'"
    finished = subprocess.run(
        ["sh", "-c", command],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    soft, hard = (int(word) for word in finished.stdout.split())
    assert soft == min(hard, serve.MOST_FILES)
    assert soft > 64


def test_code_of_a_server_that_fails_is_passed_on() -> None:
    assert run(sys.executable, "-c", "raise SystemExit(3)").returncode == 3
    killed = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    assert run(sys.executable, "-c", killed).returncode == 128 + signal.SIGKILL


def test_metrics_answer_beside_a_server_that_does_not() -> None:
    variables = environment()
    with served(WAITS, variables):

        def scrape() -> bytes:
            client = http.client.HTTPConnection("127.0.0.1", int(variables["METRICS_PORT"]))
            try:
                client.request("GET", "/metrics")
                return client.getresponse().read()
            except OSError:
                return b""
            finally:
                client.close()

        assert eventually(lambda: b"lab_processes 1.0" in scrape())


def test_second_interrupt_does_not_reach_the_server() -> None:
    with served(COUNTS, environment()) as process:
        process.send_signal(signal.SIGINT)
        assert process.stdout is not None
        assert process.stdout.readline() == "interrupted\n"
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGUSR1)  # ends the server, after any interrupt before it
        assert process.wait(20) == 128 + signal.SIGUSR1
        assert process.stdout.read() == ""


def test_server_does_not_outlive_a_killed_parent() -> None:
    code = "import os, signal; print(f'up\\n{os.getpid()}', flush=True); signal.pause()"
    with served(code, environment()) as process:
        assert process.stdout is not None
        server = int(process.stdout.readline())
        process.kill()
        assert eventually(lambda: gone(server))


ENDS_AT_ONCE = """
import os, subprocess
from lab import serve

class Popen(subprocess.Popen):
    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT)

subprocess.Popen = Popen
raise SystemExit(serve.Server(["false"], os.environ).wait())
"""


def test_server_that_ends_at_once_is_not_waited_for_in_vain() -> None:
    command = [sys.executable, "-c", ENDS_AT_ONCE]
    assert subprocess.run(command, env=environment(), timeout=20, check=False).returncode == 1


def test_directory_of_a_killed_parent_goes_with_the_next_start() -> None:
    code = (
        "import os, signal; print('up', flush=True);"
        "print(os.environ['LAB_METRICS_DIRECTORY'], flush=True); signal.pause()"
    )
    with served(code, environment()) as killed, served(code, environment()) as running:
        assert killed.stdout is not None
        assert running.stdout is not None
        left, kept = Path(killed.stdout.readline().strip()), Path(running.stdout.readline().strip())
        killed.kill()
        killed.wait()
        assert run("true").returncode == 0
        assert not left.exists()
        assert kept.exists()
        running.send_signal(signal.SIGTERM)
        assert running.wait(20) == 0
        assert not kept.exists()


@pytest.mark.parametrize(
    ("arguments", "changes", "named"),
    [
        ((), {}, "usage"),
        (("no-such-server",), {}, "no-such-server"),
        (("true", "$NOWHERE"), {}, "$NOWHERE"),
        (("true",), {"WORKERS": "many"}, "WORKERS"),
        (("true",), {"DATABASE_URL": ""}, "DATABASE_URL"),
    ],
)
def test_mistake_is_one_line(
    arguments: tuple[str, ...], changes: dict[str, str], named: str
) -> None:
    finished = run(*arguments, **changes)
    assert finished.returncode == 2
    assert named in finished.stderr
    assert len(finished.stderr.splitlines()) == 1


def test_metrics_port_in_use_is_one_line_and_leaves_no_server() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        finished = run(sys.executable, "-c", WAITS, METRICS_PORT=port)
    assert finished.returncode == 2
    assert port in finished.stderr
    assert len(finished.stderr.splitlines()) == 1
