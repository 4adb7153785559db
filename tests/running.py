"""The services that came up; asking for one that didn't fails the test with one line."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

import pytest

from loadtest.inventory.manifest import Service

Start = Callable[[Collection[str]], Mapping[str, str]]


def nothing(_: Collection[str]) -> Mapping[str, str]:
    """Start none."""
    return {}


class Running(dict[str, Service]):
    """Services by name; `failures` are those that could not be started, each with the reason.

    Those in `later` are not among them until somebody asks for one by name: then `start` starts it,
    and returns the reason where it can't.
    """

    def __init__(
        self,
        services: Mapping[str, Service],
        failures: Mapping[str, str],
        later: Collection[str] = (),
        start: Start = nothing,
    ) -> None:
        super().__init__({name: each for name, each in services.items() if name not in later})
        self._later = {name: services[name] for name in later if name in services}
        self._failures, self._start = dict(failures), start

    def begin(self, names: Collection[str]) -> None:
        """Start those of `names` that wait for it, side by side."""
        begun = {name: self._later.pop(name) for name in names if name in self._later}
        if begun:
            self.update(begun)
            self._failures.update(self._start(list(begun)))

    def __missing__(self, name: str) -> Service:
        self.begin([name])
        if name in self:
            return self[name]
        if name not in self._failures:
            raise KeyError(name)
        lines = [line.strip() for line in self._failures[name].splitlines() if line.strip()]
        pytest.fail(" ".join(dict.fromkeys([lines[0], lines[-1]])), pytrace=False)
