"""What a verdict says of the ways in which a service was asked for HTTP/2."""

from __future__ import annotations

import pytest

from loadtest.contract.http2 import ways
from loadtest.contract.http2.ways import DEPLOYED, IN_CLEAR, TLS, Way

BEGINS = "it begins HTTP/2, then does not answer in time"
UNASKED = "it is not asked: it takes no certificate"


@pytest.mark.parametrize(
    ("deployed", "others", "slots", "detail"),
    [
        (
            Way(DEPLOYED, False),
            [Way(IN_CLEAR, True, waits_s=0.163), Way(TLS, True, waits_s=0.2)],
            40,
            "speaks HTTP/1.1 alone as deployed; with --http2 HTTP/2 in the clear and over TLS; "
            "100 waits of 50 ms on one connection take 0.16 s, "
            "where its 40 slots allow 0.15 s and one after another takes 5 s",
        ),
        (
            Way(DEPLOYED, True, waits_s=5.2),
            [Way(TLS, True, waits_s=0.2)],
            1,
            "speaks HTTP/2 as deployed; with --http2 HTTP/2 over TLS; "
            "100 waits of 50 ms on one connection take 5.2 s, "
            "where its 1 slot allows 5 s and one after another takes 5 s",
        ),
        (
            Way(DEPLOYED, False),
            [Way(IN_CLEAR, False), Way(TLS, True)],
            4,
            "speaks HTTP/1.1 alone as deployed; with --http2 HTTP/2 over TLS, not in the clear",
        ),
        (
            Way(DEPLOYED, False),
            [Way(IN_CLEAR, False), Way(TLS, False)],
            4,
            "speaks HTTP/1.1 alone as deployed; "
            "with --http2 no answer in HTTP/2 in the clear or over TLS",
        ),
        (
            Way(DEPLOYED, False),
            [Way(IN_CLEAR, False, BEGINS), Way(TLS, False, BEGINS)],
            4,
            "speaks HTTP/1.1 alone as deployed; "
            "with --http2 no answer in HTTP/2 in the clear or over TLS; "
            f"in the clear and over TLS {BEGINS}",
        ),
        (
            Way(DEPLOYED, False),
            [Way(TLS, None, UNASKED)],
            4,
            f"speaks HTTP/1.1 alone as deployed; over TLS {UNASKED}",
        ),
        (Way(DEPLOYED, None, "it is gone"), [], 4, "as deployed it is gone"),
    ],
)
def test_what_was_found_is_one_line(
    deployed: Way, others: list[Way], slots: int, detail: str
) -> None:
    assert ways.told(deployed, "--http2", others, slots) == detail


def test_what_was_not_asked_is_not_taken_for_a_refusal() -> None:
    unasked = Way(TLS, None, "it is not asked: the program openssl is missing")
    assert ways.spoken([Way(IN_CLEAR, False), unasked]) is None
    assert ways.spoken([Way(IN_CLEAR, True), unasked]) is True
    assert ways.spoken([Way(IN_CLEAR, False), Way(TLS, False)]) is False
