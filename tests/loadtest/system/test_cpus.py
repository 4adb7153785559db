"""Quotas of CPU around the lab, on paper."""

from __future__ import annotations

from pathlib import Path

import pytest

from loadtest.system import cpus
from loadtest.system.cpus import Cpus


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    folder = tmp_path / "proc"
    folder.mkdir()
    (folder / "cgroup").write_text("4:memory:/x\n3:cpu,cpuacct:/lab/run\n0::/lab\n")
    (folder / "mountinfo").write_text(
        f"32 31 0:29 / {tmp_path}/v1 rw,relatime - cgroup cgroup rw,cpu,cpuacct\n"
        f"33 31 0:30 / {tmp_path}/v2 rw,relatime - cgroup2 cgroup2 rw\n"
        f"34 31 0:31 / {tmp_path}/memory rw,relatime - cgroup cgroup rw,memory\n"
    )
    for level in ("v1/lab/run", "v2/lab"):
        (tmp_path / level).mkdir(parents=True)
    return folder


def test_without_files_there_is_no_quota(proc: Path, tmp_path: Path) -> None:
    for each in (proc, tmp_path / "nowhere"):
        assert cpus.quota_cores(each) is None
        assert cpus.throttled_s(each) is None


def test_the_smallest_quota_of_any_level_counts(proc: Path, tmp_path: Path) -> None:
    (tmp_path / "v2/lab/cpu.max").write_text("150000 100000\n")
    assert cpus.quota_cores(proc) == 1.5
    (tmp_path / "v1/lab/cpu.cfs_quota_us").write_text("50000\n")
    (tmp_path / "v1/lab/cpu.cfs_period_us").write_text("100000\n")
    (tmp_path / "v1/lab/run/cpu.cfs_quota_us").write_text("-1\n")
    assert cpus.quota_cores(proc) == 0.5
    (tmp_path / "v2/lab/cpu.max").write_text("max 100000\n")
    (tmp_path / "v1/lab/cpu.cfs_quota_us").write_text("-1\n")
    assert cpus.quota_cores(proc) is None


def test_throttled_time_of_both_versions_is_in_seconds(proc: Path, tmp_path: Path) -> None:
    (tmp_path / "v2/lab/cpu.stat").write_text("nr_periods 9\nthrottled_usec 1500000\n")
    (tmp_path / "v1/lab/run/cpu.stat").write_text("nr_throttled 3\nthrottled_time 250000000\n")
    assert cpus.throttled_s(proc) == 1.75


def test_a_container_sees_its_own_group_as_the_root(tmp_path: Path) -> None:
    (tmp_path / "cgroup").write_text("0::/\n")
    (tmp_path / "mountinfo").write_text(f"1 2 0:1 / {tmp_path} rw - cgroup2 cgroup2 rw\n")
    (tmp_path / "cpu.max").write_text("200000 100000\n")
    assert cpus.quota_cores(tmp_path) == 2.0


@pytest.mark.parametrize(
    ("allowed", "quota", "service", "load"),
    [
        ({0, 1, 2, 3}, None, {0}, {1, 2, 3}),
        ({0, 1, 2, 3}, 2.9, {0}, {1}),
        ({4, 5}, 1.5, {4}, {4}),
        ({4, 5}, 0.5, {4}, {4}),
        ({4}, None, None, None),
        ({4}, 1.0, None, None),
    ],
)
def test_cores_are_counted_by_the_quota(
    allowed: set[int],
    quota: float | None,
    service: set[int] | None,
    load: set[int] | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: allowed)
    monkeypatch.setattr(cpus, "quota_cores", lambda: quota)
    assert Cpus.split() == Cpus(
        frozenset(service) if service else None, frozenset(load) if load else None
    )


@pytest.mark.parametrize(
    ("quota", "usable"), [(None, {4, 5, 6}), (0.5, {4}), (1.6, {4, 5}), (64.0, {4, 5, 6})]
)
def test_what_programs_may_use_is_what_the_quota_pays_for(
    quota: float | None, usable: set[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {4, 5, 6})
    monkeypatch.setattr(cpus, "quota_cores", lambda: quota)
    assert cpus.usable() == frozenset(usable)
