from __future__ import annotations

import resource

import pytest

from loadtest.system import descriptors
from loadtest.system.descriptors import DescriptorError


def limit(monkeypatch: pytest.MonkeyPatch, soft: int, hard: int) -> list[tuple[int, int]]:
    asked: list[tuple[int, int]] = []
    monkeypatch.setattr(resource, "getrlimit", lambda _: (soft, hard))
    monkeypatch.setattr(resource, "setrlimit", lambda _, limits: asked.append(limits))
    return asked


def test_too_few_are_named_beforehand(monkeypatch: pytest.MonkeyPatch) -> None:
    limit(monkeypatch, 256, 1024)
    with pytest.raises(DescriptorError, match=r"10,000 connections need 10,064 .*ulimit -n 10064"):
        descriptors.require(10_000)


def test_the_soft_limit_is_raised_where_the_hard_one_allows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = limit(monkeypatch, 256, 20_000)
    descriptors.require(10_000)
    assert asked == [(10_064, 20_000)]


@pytest.mark.parametrize(("soft", "hard"), [(10_064, 10_064), (-1, -1)])
def test_enough_is_left_alone(monkeypatch: pytest.MonkeyPatch, soft: int, hard: int) -> None:
    asked = limit(monkeypatch, soft, hard)
    descriptors.require(10_000)
    assert asked == []
