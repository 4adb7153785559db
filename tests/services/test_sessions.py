"""The signed cookie."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.errors import Fault
from lab.sessions import Sessions
from lab.settings import Settings


def sessions(secret: str = "") -> Sessions:
    return Sessions(Settings("row", "url", session_secret=secret))


@given(st.text(min_size=1, max_size=64).filter(lambda name: name.isprintable()))
def test_name_comes_back(name: str) -> None:
    signer = sessions()
    assert signer.username(signer.sign(name)) == name


def test_workers_with_one_secret_read_each_others_cookies() -> None:
    assert sessions("shared").username(sessions("shared").sign("ann")) == "ann"


@pytest.mark.parametrize("cookie", [None, "", "x", "é", "a.b.c", sessions("other").sign("ann")])
def test_what_was_not_signed_here_is_401(cookie: str | None) -> None:
    with pytest.raises(Fault) as raised:
        sessions("mine").username(cookie)
    assert raised.value.status == 401
