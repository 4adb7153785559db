"""Locust users on top of the engine: one class a service, for the web interface and headless alike.

Each user is one connection. The services come from docker-compose.yml; LAB_TARGET=name=url adds
another service that the user names, LAB_BACKEND=compose reaches the services by their names in the
compose network. Locust reads the classes in the locustfile.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import gevent
from gevent.event import Event
from gevent.hub import get_hub
from locust import User, events, task
from locust.argument_parser import LocustArgumentParser
from locust.env import Environment
from locust.exception import StopTest
from locust.runners import LocalRunner, MasterRunner, WorkerRunner
from locust.web import WebUI

from loadtest.contract import own, scenarios
from loadtest.contract.own import OwnRequestError
from loadtest.contract.scenarios import ScenarioError
from loadtest.engine.connection import Connection
from loadtest.engine.tally import Batch
from loadtest.generator import locust_stats
from loadtest.generator.generator import Assignment, Generator
from loadtest.generator.page import form, web
from loadtest.generator.telemetry import Telemetry
from loadtest.generator.window import Window, listen
from loadtest.inventory import guests, manifest
from loadtest.inventory.guests import GuestError
from loadtest.model.load import Load
from loadtest.system import descriptors, internals
from loadtest.system.descriptors import DescriptorError

internals.check(__name__)

OF_THE_LAB = {
    "--lab-result": "",
    "--lab-warmup": 1.0,
    "--lab-duration": 10.0,
    "--lab-workers": 1,
    "--lab-background": "",
    "--lab-requests": -1,
}
"""What the lab sets of a headless run, by default; requests below 0 have no limit."""

REFUSALS = (ScenarioError, OwnRequestError, DescriptorError)  # of what the options ask for

logger = logging.getLogger(__name__)


class Shared:
    """What the users of this process share.

    `problem` says why the load cannot be made. `scenario` is that of the last test that began, and
    one of its requests holds a slot for `wait_s`, where that can be told. In `folder` each phase of
    a headless run leaves a file of its name, for whoever waits for it.
    """

    def __init__(self) -> None:
        self.generator: Generator | None = None
        self.problem = ""
        self.phase = "idle"
        self.scenario = ""
        self.wait_s: float | None = None
        self.folder: Path | None = None
        self.telemetry: Telemetry | None = None

    def start(self, environment: Environment) -> None:
        """A test begins: read the options."""
        self.problem = ""
        self.phase = "load"
        options: Any = environment.parsed_options
        try:
            self.know(environment)
            assignment = assignment_of(environment)
        except REFUSALS as error:
            self.problem = str(error)
            environment.process_exit_code = 1 if options.headless else None
            return

        def observe(batches: list[Batch]) -> None:
            locust_stats.write(environment.stats, batches)
            if self.telemetry is not None:
                self.telemetry.observe(batches)

        self.generator = Generator(assignment, observe)

    def know(self, environment: Environment) -> None:
        """Keep what this test does: the form may ask for something else while it runs."""
        options: Any = environment.parsed_options
        chosen = scenarios.choose(options.scenario)
        self.scenario = chosen.name
        filled = chosen.filled(scenarios.parse_parameters(options.parameters))
        self.wait_s = chosen.latency_s(filled)

    def in_flight(self) -> dict[str, int]:
        """Requests of this process that are sent and not yet answered, by service."""
        return {} if self.generator is None else self.generator.in_flight()

    def stop(self) -> None:
        """The test is over."""
        if self.generator is not None:
            self.generator.stop()
            self.generator = None
        self.phase = "idle"

    def enter(self, phase: str) -> None:
        """A headless run goes into its next phase."""
        self.phase = phase
        if self.folder is not None:
            (self.folder / phase).touch()


shared = Shared()


class ServiceUser(User):
    """One connection to a service."""

    abstract = True
    service = ""
    url = ""

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        if shared.problem or shared.generator is None:
            raise StopTest(shared.problem or "the load has not started")
        self._connection: Connection | None = None

    @task
    def exchange(self) -> None:
        """Be a connection until the test stops this user."""
        assert shared.generator is not None
        self._connection = shared.generator.add(self.service, self.url)
        try:
            get_hub().switch()  # for ever: the engine does the work, Locust ends the greenlet
        finally:
            self._connection.remove(shared.generator.engine.now())

    def stop(self, force: bool = False) -> bool:  # noqa: ARG002
        """Stop at once: a request in hand counts as unfinished, there is nothing to wait for."""
        return bool(super().stop(force=True))


def targets() -> dict[str, str]:
    """URL by service: the services, and what LAB_TARGET names."""
    backend = os.environ.get("LAB_BACKEND", "native")
    found = {name: service.url(backend) for name, service in manifest.load().items()}
    return found | guests.named(os.environ)


def user_class(service: str, url: str) -> type[ServiceUser]:
    """The users of one service."""
    name = str(service)
    return type(
        name, (ServiceUser,), {"service": service, "url": url, "host": url, "abstract": False}
    )


try:
    REQUEST = own.from_variables(os.environ)
    CLASSES = {service: user_class(service, url) for service, url in targets().items()}
except (GuestError, OwnRequestError) as error:
    print(f"locust: {error}", file=sys.stderr)
    sys.exit(2)


def assignment_of(environment: Environment) -> Assignment:
    """What the options ask for."""
    options: Any = environment.parsed_options
    asked = form.request_of(vars(options), REQUEST)
    scenario = scenarios.choose(options.scenario).asking(asked)
    descriptors.require(options.num_users or 1)
    index = max(getattr(environment.runner, "worker_index", 0), 0)
    workers = max(options.lab_workers, 1)
    load = Load(options.load, options.num_users or 1, options.rate, options.think_ms / 1000)
    load = replace(load, requests_per_connection=options.requests_per_connection or None)
    scenario.check(load)
    return Assignment(
        load=load,
        scenario=scenario,
        parameters=scenario.filled(scenarios.parse_parameters(options.parameters)),
        timeout_s=options.request_timeout,
        seed=options.load_seed + index,
        share=1 / workers,
        insecure=asked.insecure,
        background=form.background_of(vars(options)),
        requests_at_most=None if options.lab_requests < 0 else options.lab_requests // workers,
    )


def add_options(parser: LocustArgumentParser) -> None:
    """The options of the lab, on the command line and in the web interface."""
    form.add_load(parser)
    form.add_request(parser, REQUEST)
    for name, default in OF_THE_LAB.items():
        parser.add_argument(
            name,
            type=type(default),
            default=default,
            include_in_web_ui=False,
            help="set by the lab",
        )
    web.apply_defaults(parser, os.environ)


def on_test_start(environment: Environment, **_: Any) -> None:
    """Make this process's generator; the master tells how many share the rate."""
    if isinstance(environment.runner, MasterRunner):
        options: Any = environment.parsed_options
        options.lab_workers = environment.runner.worker_count
        with contextlib.suppress(ScenarioError):  # the workers say what is wrong
            shared.know(environment)
        shared.enter("load")
    else:
        shared.start(environment)


def on_test_stop(environment: Environment, **_: Any) -> None:
    """Close this process's generator; a worker reports what it has counted since its last report.

    Locust itself waits for the next report, up to three seconds. A test that begins meanwhile would
    show requests of the previous one.
    """
    shared.stop()
    runner = environment.runner
    if isinstance(runner, WorkerRunner):
        data: dict[str, Any] = {}
        events: Any = environment.events
        events.report_to_master.fire(client_id=runner.client_id, data=data)
        runner.send_message("stats", data)


def on_init(environment: Environment, web_ui: WebUI | None = None, **_: Any) -> None:
    """Make the interface the lab's; in a headless run measure one window and quit."""
    options: Any = environment.parsed_options
    if options.headless:
        _refuse(environment)
    web.attach(environment, web_ui)
    shared.telemetry = Telemetry(environment, shared)
    shared.telemetry.start()
    window = Window(
        environment,
        lambda: shared.generator,
        warmup_s=options.lab_warmup,
        duration_s=options.lab_duration,
        entered=shared.enter,
    )
    if isinstance(environment.runner, WorkerRunner):
        window.join()
    elif options.lab_result:
        assert isinstance(environment.runner, (LocalRunner, MasterRunner))
        shared.folder = Path(options.lab_result).parent
        spawned = Event()
        listen(environment.events.spawning_complete, lambda **_: spawned.set())
        window.gather()
        gevent.spawn(_measure, environment, window, spawned, Path(options.lab_result))


def _refuse(environment: Environment) -> None:
    """End with one line where a load without a page can't be made."""
    try:
        assignment_of(environment)
    except REFUSALS as error:
        print(f"locust: {error}", file=sys.stderr)
        sys.exit(2)


def _measure(environment: Environment, window: Window, spawned: Event, path: Path) -> None:
    assert environment.runner is not None
    spawned.wait()
    try:
        window.run(path)
    except RuntimeError as error:
        logger.error("%s", shared.problem or error)
        environment.process_exit_code = 1
    environment.runner.quit()


listen(events.init_command_line_parser, add_options)
listen(events.test_start, on_test_start)
listen(events.test_stop, on_test_stop)
listen(events.init, on_init)
