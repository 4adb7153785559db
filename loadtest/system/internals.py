"""Private parts of libraries that the lab uses.

Each module that uses some checks them at its start, and warns where a release has lost one.
docs/upgrading.md says what each is for and what to look at. The services must not import the lab;
they have the same in services/common/lab/internals.py.
"""

from __future__ import annotations

import pkgutil
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from inspect import unwrap
from types import CodeType


@dataclass(frozen=True)
class Part:
    """`path` is "module:name.of.it"; `word` stands in that function's code, if it is given.

    An attribute that an object gets when it is made is found so, as a word of `__init__`.
    """

    path: str
    word: str = ""

    def __str__(self) -> str:
        return f"{self.path} ({self.word})" if self.word else self.path

    def is_there(self) -> bool:
        """Whether the installed release has it."""
        try:
            found = pkgutil.resolve_name(self.path)
        except (ImportError, AttributeError):
            return False
        return not self.word or self.word in _words(getattr(unwrap(found), "__code__", None))


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
    "loadtest.generator.web": (
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
    "loadtest.generator.locustfile": (
        Part("locust.runners:WorkerRunner.handle_message", "worker_index"),
        Part("locust.runners:WorkerRunner.__init__", "client_id"),
        Part("locust.user.users:User.stop", "force"),
    ),
    "loadtest.run.forkserver": (
        Part("socket:socket._accept"),
        Part("locust.main:main"),
    ),
}


def missing(module: str) -> list[Part]:
    """What `module` uses and the installed libraries do not have."""
    return [part for part in PARTS[module] if not part.is_there()]


def check(module: str) -> None:
    """Warn of each part that is missing."""
    for part in missing(module):
        warnings.warn(
            f"{part} is gone: {module} uses it; see {PAGE}, or install the locked requirements",
            RuntimeWarning,
            stacklevel=2,
        )


def warned(log: str) -> list[str]:
    """The warnings of `check` in what a process has written, the services' too."""
    return [line.rpartition("Warning: ")[2] for line in log.splitlines() if PAGE in line]


def _words(code: CodeType | None) -> Iterator[object]:
    """Every name and text in a function, those of functions inside it too."""
    if code is None:
        return
    yield from (*code.co_names, *code.co_varnames, *code.co_freevars)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _words(constant)
        elif isinstance(constant, tuple):
            yield from constant
        else:
            yield constant
