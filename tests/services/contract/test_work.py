"""The computation behind /cpu."""

from lab.contract.work import compute


def test_ten_thousandth_number_is_the_published_one() -> None:
    # ISO C++ 14882, [rand.predef]: the 10000th value of a default minstd_rand.
    assert compute(10_000) == 399_268_537


def test_no_step_leaves_the_seed() -> None:
    assert compute(0) == 1
