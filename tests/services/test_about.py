"""Slots: what binds first."""

import pytest

from lab import about
from lab.about import Bound
from lab.settings import Settings


@pytest.mark.parametrize(
    ("pool_size", "holders", "bound_by", "slots"),
    [
        (40, None, "pool", 40),
        (4, ("threads", 4), "threads", 4),
        (2, ("threads", 4), "pool", 2),
        (40, ("event loop", 1), "event loop", 1),
        (40, ("greenlets", 1000), "pool", 40),
        (1, ("workers", 1), "workers", 1),
    ],
)
def test_smallest_limit_binds(
    pool_size: int, holders: tuple[Bound, int] | None, bound_by: str, slots: int
) -> None:
    assert about.slots_per_worker(pool_size, holders) == (bound_by, slots)


def test_slots_are_over_all_workers() -> None:
    settings = Settings("service", "url", workers=3, threads=4, pool_size=4)
    said = about.describe(
        settings,
        framework="Flask",
        server="gunicorn",
        model="threads",
        packages=("flask",),
        holders=("threads", 4),
    )
    assert (said.slots, said.workers, said.threads) == (12, 3, 4)
    assert set(said.versions) == {"python", "flask"}


@pytest.mark.parametrize(("enabled", "told"), [(True, "on"), (False, "off")])
def test_a_free_threaded_python_says_what_became_of_its_lock(
    enabled: bool, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gil() -> str | None:
        settings = Settings("service", "url")
        said = about.describe(settings, framework="F", server="S", model="threads", packages=())
        return said.versions.get("gil")

    assert gil() is None
    monkeypatch.setattr("sysconfig.get_config_var", lambda name: int(name == "Py_GIL_DISABLED"))
    monkeypatch.setattr("sys._is_gil_enabled", lambda: enabled, raising=False)
    assert gil() == told
