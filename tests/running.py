"""The services of the tests' lab: one starts when a test first asks for it."""

from __future__ import annotations

from collections.abc import Collection, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from loadtest.backends.native import Lab
from loadtest.inventory.manifest import Service


class Running(dict[str, Service]):
    """Services of a lab by name; `failures` are those that can't be started, each with the reason.

    Asking for one of them fails the test with one line. Those in `apart` are not among them until
    somebody asks for one by name.
    """

    def __init__(
        self, lab: Lab, failures: MutableMapping[str, str], apart: Collection[str] = ()
    ) -> None:
        super().__init__({name: each for name, each in lab.services.items() if name not in apart})
        self._apart = {name: lab.services[name] for name in apart if name in lab.services}
        self.lab, self._failures = lab, failures
        self.over = ExitStack()  # what runs over them, and ends before they rest
        self._begun: set[str] = set()

    def __getitem__(self, name: str) -> Service:
        self.begin(name)
        return super().__getitem__(name)

    def begin(self, *names: str) -> None:
        """Start those of them that have not begun, side by side."""
        self.update({name: self._apart.pop(name) for name in names if name in self._apart})
        new = [name for name in names if name in self and name not in self._begun]
        self._begun.update(new)  # first, as the lab asks for them too while it starts them
        if new:
            self._failures.update(self.lab.start(new))

    def declared(self, name: str) -> Service:
        """One of them, whether it runs or not."""
        return {**self._apart, **dict(self)}[name]

    def rest(self) -> None:
        """Stop all that run; who asks for one starts it again."""
        self.over.close()
        there = self._begun & self.lab.roots().keys()
        with ThreadPoolExecutor(len(there) or 1) as threads:
            list(threads.map(self.lab.stop, there))
        self._begun.clear()

    def __missing__(self, name: str) -> Service:
        if name not in self._failures:
            raise KeyError(name)
        lines = [line.strip() for line in self._failures[name].splitlines() if line.strip()]
        pytest.fail(" ".join(dict.fromkeys([lines[0], lines[-1]])), pytrace=False)
