"""The signed cookie."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.contract.errors import Fault
from lab.contract.sessions import Sessions
from lab.settings import Settings


def sessions(secret: str = "") -> Sessions:
    return Sessions(Settings("service", "url", session_secret=secret))


@given(st.text(min_size=1, max_size=64).filter(lambda name: name.isprintable()))
def test_name_comes_back(name: str) -> None:
    signer = sessions()
    assert signer.username(signer.sign(name)) == name


def test_workers_with_one_secret_read_each_others_cookies() -> None:
    assert sessions("shared").username(sessions("shared").sign("ann")) == "ann"


def assert_refused(cookie: str | None) -> None:
    with pytest.raises(Fault) as raised:
        sessions("mine").username(cookie)
    assert raised.value.status == 401


@pytest.mark.parametrize("cookie", [None, "", "x", "é", "a.b.c"])
def test_what_is_no_signed_cookie_is_401(cookie: str | None) -> None:
    assert_refused(cookie)


def test_what_was_signed_elsewhere_is_401() -> None:
    assert_refused(sessions("other").sign("ann"))
