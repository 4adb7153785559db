"""Orders and logins checked by hand: to the same effect as Pydantic does it."""

from types import SimpleNamespace
from typing import Any

import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastapi_services.contract import models
from lab.contract import orders
from lab.contract.errors import Fault

VALUES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(0, 1001)
    | st.floats(allow_nan=False)
    | st.sampled_from(["", "1", "text", "nul\0", "\ud800", "x" * 500, "x" * 501, "😀" * 500])
)
LINES = st.dictionaries(st.sampled_from(["item_id", "quantity", "colour"]), VALUES)
ORDERS = st.fixed_dictionaries(
    {},
    optional={
        "customer_id": VALUES,
        "lines": st.lists(LINES | VALUES, max_size=4) | VALUES,
        "note": VALUES,
        "colour": VALUES,
    },
)


def by_hand(check: Any, document: Any) -> set[str]:
    """The fields that the hand-written check names; empty where it lets the document pass."""
    try:
        check(document)
    except Fault as fault:
        return {name for name, _ in fault.fields}
    return set()


def by_pydantic(model: type[pydantic.BaseModel], document: Any) -> set[str]:
    """The same of a model."""
    try:
        model.model_validate(document)
    except pydantic.ValidationError as error:
        return {".".join(map(str, problem["loc"])) or "body" for problem in error.errors()}
    return set()


@given(ORDERS | VALUES)
def test_orders_are_judged_as_pydantic_judges_them(document: Any) -> None:
    assert by_hand(orders.new_order, document) == by_pydantic(models.NewOrder, document)


@given(st.dictionaries(st.sampled_from(["username", "admin"]), VALUES) | VALUES)
def test_logins_are_judged_as_pydantic_judges_them(document: Any) -> None:
    assert by_hand(orders.username, document) == by_pydantic(models.Login, document)


@pytest.mark.parametrize(("count", "right"), [(0, False), (1, True), (500, True), (501, False)])
def test_number_of_lines(count: int, right: bool) -> None:
    wrong = set() if right else {"lines"}
    document = {"customer_id": 1, "lines": [{"item_id": 1, "quantity": 1}] * count}
    assert by_hand(orders.new_order, document) == wrong
    assert by_pydantic(models.NewOrder, document) == wrong


def order(*lines: tuple[int, int]) -> Any:
    """An order of (item, quantity) lines."""
    made = [SimpleNamespace(item_id=item, quantity=quantity) for item, quantity in lines]
    return SimpleNamespace(customer_id=1, lines=made, note="")


def test_total_counts_every_line() -> None:
    assert orders.total_cents(order((1, 2), (2, 3), (1, 1)), 1, {1: 10, 2: 100}) == 330


def test_unknown_customer_and_items_are_named() -> None:
    with pytest.raises(Fault) as raised:
        orders.total_cents(order((1, 1), (9, 1)), None, {1: 10})
    assert {name for name, _ in raised.value.fields} == {"customer_id", "lines.1.item_id"}


def test_columns_keep_the_order_of_lines() -> None:
    assert orders.columns(order((2, 5), (1, 6)), {1: 10, 2: 20}) == ([2, 1], [5, 6], [20, 10])
