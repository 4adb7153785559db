"""One text of each statement for every driver."""

import re

import pytest

from lab.postgres import queries

STATEMENTS = {name: text for name, text in vars(queries).items() if name.isupper()}


@pytest.mark.parametrize("name", STATEMENTS)
def test_parameters_come_once_each_and_in_order(name: str) -> None:
    numbers = [int(number) for number in re.findall(r"\$(\d+)", STATEMENTS[name])]
    assert numbers == list(range(1, len(numbers) + 1))


def test_percent_style() -> None:
    assert queries.percent("SELECT $1, 5 % $2") == "SELECT %s, 5 %% %s"
