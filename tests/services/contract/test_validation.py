"""Whole numbers in paths and query strings."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.contract import validation
from lab.contract.errors import Fault
from lab.contract.validation import LIMIT, OFFSET, Number


@given(st.integers(-(10**18) + 1, 10**18 - 1), st.integers(0, 3))
def test_digits_are_read_leading_zeros_included(value: int, zeros: int) -> None:
    sign, digits = ("-" if value < 0 else ""), str(abs(value))
    text = sign + "0" * min(zeros, 18 - len(digits)) + digits
    assert validation.whole_number(text) == value


@given(st.text())
def test_no_text_but_ascii_digits_is_a_number(text: str) -> None:
    digits = text.removeprefix("-")
    right = digits.isascii() and digits.isdigit() and len(digits) <= 18
    assert (validation.whole_number(text) is not None) == right


@given(st.integers())
def test_bounds_are_inclusive(value: int) -> None:
    parameter = Number("n", -5, 5)
    if -5 <= value <= 5:
        assert validation.number(str(value), parameter) == value
    else:
        with pytest.raises(Fault) as raised:
            validation.number(str(value), parameter)
        assert raised.value.fields[0][0] == "n"


def test_absent_is_the_default_and_required_is_named() -> None:
    assert validation.numbers({}, LIMIT, OFFSET) == [20, 0]
    with pytest.raises(Fault) as raised:
        validation.number(None, Number("id", 1, 2))
    assert raised.value.status == 422


def test_every_wrong_parameter_is_named() -> None:
    with pytest.raises(Fault) as raised:
        validation.numbers({"limit": "0", "offset": "x"}, LIMIT, OFFSET)
    assert [name for name, _ in raised.value.fields] == ["limit", "offset"]


def test_last_of_equal_names_counts_and_blank_is_a_value() -> None:
    assert validation.query("limit=1&limit=2&offset=") == {"limit": "2", "offset": ""}
    assert validation.query(b"limit=%33") == {"limit": "3"}
