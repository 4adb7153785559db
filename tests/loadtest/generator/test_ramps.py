"""Loads that change by themselves, against services of known capacity."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from loadtest.generator import ramps


def drive(
    ramp: ramps.Steps | ramps.KneeSearch, capacity: Callable[[int], float], seconds: int
) -> list[int | None]:
    """Users second by second, where so many users get `capacity(users)` right answers a second."""
    seen, answered = [], 0.0
    for now in range(seconds):
        users = ramp.users(now, int(answered))
        seen.append(users)
        answered += capacity(users) if users else 0
    return seen


def test_step_up_goes_to_the_number_of_the_form_and_stops() -> None:
    users = drive(ramps.Steps(first=1, most=8), float, 100)
    assert [users[second] for second in range(0, 70, 10)] == [1, 2, 3, 4, 6, 8, None]
    assert users[59] == 8


def test_the_first_step_has_a_user_for_each_service() -> None:
    assert drive(ramps.Steps(first=3, most=8), float, 1) == [3]


@pytest.mark.parametrize(("slots", "knee"), [(4, 4), (30, 42)])
def test_the_ramp_holds_where_more_users_bring_nothing(slots: int, knee: int) -> None:
    users = drive(ramps.KneeSearch(1, 1000), lambda n: 10.0 * min(n, slots), 300)
    assert users[-60:] == [knee] * 60
    assert max(user for user in users if user) > knee, "it has to look beyond the knee to find it"


def test_the_ramp_never_passes_the_number_of_the_form() -> None:
    assert set(drive(ramps.KneeSearch(1, 5), float, 200)) == {1, 2, 3, 4, 5}


def test_failures_are_no_reason_for_more_users() -> None:
    assert drive(ramps.KneeSearch(1, 1000), lambda _: 0.0, 300)[-1] == 1
