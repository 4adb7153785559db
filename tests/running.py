"""The services that came up; asking for one that didn't fails the test with one line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NoReturn

import pytest

from loadtest.inventory.manifest import Service


class Running(dict[str, Service]):
    """Services by name; `failures` are those that could not be started, each with the reason."""

    def __init__(self, services: Mapping[str, Service], failures: Mapping[str, str]) -> None:
        super().__init__(services)
        self._failures = failures

    def __missing__(self, name: str) -> NoReturn:
        if name not in self._failures:
            raise KeyError(name)
        lines = [line.strip() for line in self._failures[name].splitlines() if line.strip()]
        pytest.fail(" ".join(dict.fromkeys([lines[0], lines[-1]])), pytrace=False)
