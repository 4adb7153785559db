"""What every run on paper would ask of the machine anew."""

from __future__ import annotations

from typing import Any

import pytest

from loadtest.system import machine


@pytest.fixture(scope="session")
def described() -> dict[str, Any]:
    """The machine, asked once: each time takes a second, most of it for loops in other Pythons."""
    return machine.describe()


@pytest.fixture(autouse=True)
def _asked_once(described: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "describe", lambda: dict(described))
