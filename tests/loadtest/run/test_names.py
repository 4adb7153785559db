"""What a target may be called."""

from __future__ import annotations

import pytest

from loadtest.model.load import Load
from tests.loadtest.run.test_load import _shared, load, null_server

__all__ = ["_shared", "null_server"]  # fixtures


@pytest.mark.parametrize("name", ["web", "events", "form", "os", "RampToTheKnee", "_users"])
def test_a_target_may_have_a_name_that_the_load_uses_itself(null_server: str, name: str) -> None:
    result = load(null_server, Load("closed", 2), service=name, duration_s=0.2)
    assert (result.answered > 0, result.failed) == (True, 0)
