"""Private parts of libraries that the lab uses.

Each module that uses some checks them at its start, and warns where a release has lost one.
docs/upgrading.md says what each is for and what to look at. The services check theirs in the same
way: the code is in one file of theirs, as they must not import the lab.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from importlib.util import module_from_spec, spec_from_file_location
from typing import TYPE_CHECKING

from loadtest.system.paths import ROOT

if TYPE_CHECKING:
    from lab import internals as of_services
    from lab.internals import Part
else:
    _FILE = spec_from_file_location("lab_internals", ROOT / "services/common/lab/internals.py")
    of_services = module_from_spec(_FILE)
    _FILE.loader.exec_module(of_services)
    Part = of_services.Part

PAGE = "docs/upgrading.md"
_ENTRY = "locust.stats:StatsEntry.__init__"
_ENVIRONMENT = "locust.env:Environment.__init__"

PARTS: Mapping[str, tuple[Part, ...]] = {
    "loadtest.generator.locust_stats": (
        *(
            Part(_ENTRY, word)
            for word in (
                "start_time",
                "last_request_timestamp",
                "num_requests",
                "num_failures",
                "num_reqs_per_sec",
                "num_fail_per_sec",
                "total_content_length",
                "min_response_time",
                "max_response_time",
                "total_response_time",
                "response_times",
            )
        ),
        Part("locust.stats:StatsEntry.extend"),
        Part("locust.stats:RequestStats.get"),
        Part("locust.stats:RequestStats.__init__", "total"),
        Part("locust.stats:RequestStats.__init__", "errors"),
        Part("locust.stats:StatsError.create_key"),
        Part("locust.stats:StatsError.occurred"),
        Part("locust.stats:StatsError.__init__", "occurrences"),
        Part("locust.stats:bucket_response_time"),
    ),
    "loadtest.generator.page.web": (
        Part(_ENVIRONMENT, "shape_class"),
        Part(_ENVIRONMENT, "available_user_classes"),
        Part(_ENVIRONMENT, "available_shape_classes"),
        Part("locust.web:WebUI.__init__", "/swarm"),
        Part("locust.web:WebUI.__init__", "shape_class"),
        Part("locust.argument_parser:ui_extra_args_dict"),
        Part("gevent.hub:Hub.threadpool"),
        Part("gevent.threadpool:ThreadPool.maxsize"),
    ),
    "loadtest.generator.telemetry": (
        Part("locust.runners:MasterRunner.reported_user_classes_count"),
        Part("locust.runners:Runner.user_classes_count"),
        Part("locust.runners:Runner.__init__", "current_cpu_usage"),
        Part("locust.runners:WorkerNode.__init__", "cpu_usage"),
    ),
    "loadtest.generator.shapes": (Part("locust.shape:LoadTestShape.reset_time"),),
    "loadtest.generator.users": (
        Part("locust.runners:WorkerRunner.handle_message", "worker_index"),
        Part("locust.runners:WorkerRunner.__init__", "client_id"),
        Part("locust.user.users:User.stop", "force"),
    ),
    "loadtest.run.forkserver": (
        Part("socket:socket._accept"),
        Part("locust.main:main"),
    ),
}

missing = partial(of_services.missing, parts=PARTS)
"""What a module uses and the installed libraries do not have."""
check = partial(of_services.check, parts=PARTS)
"""Warn of each part of a module that is missing."""


def warned(log: str) -> list[str]:
    """The warnings of `check` in what a process has written, the services' too."""
    return [line.rpartition("Warning: ")[2] for line in log.splitlines() if PAGE in line]
