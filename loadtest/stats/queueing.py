"""How many slots requests need that arrive at random: Erlang's formulas.

A. K. Erlang, "Solution of some problems in the theory of probabilities of significance in automatic
telephone exchanges", 1917. Arrivals are random (Poisson) and who finds all slots taken waits.
"""

from __future__ import annotations


def waiting_share(in_hand: float, slots: int) -> float:
    """The share of requests that find all `slots` taken (Erlang C); 1 where the queue only grows.

    `in_hand`: how many are served at once on average, the rate × the time of one.
    """
    if slots <= in_hand:
        return 1.0
    return _waiting(_blocked(in_hand, slots), in_hand, slots)


def slots_for(in_hand: float, share: float) -> int:
    """The fewest slots with which at most `share` of the requests find all of them taken."""
    slots, blocked = 0, 1.0
    while slots <= in_hand or _waiting(blocked, in_hand, slots) > share:
        slots += 1
        blocked = _one_more(blocked, in_hand, slots)
    return max(1, slots)


def _blocked(in_hand: float, slots: int) -> float:
    """Erlang B: the share that would be turned away if none could wait."""
    blocked = 1.0
    for number in range(1, slots + 1):
        blocked = _one_more(blocked, in_hand, number)
    return blocked


def _one_more(blocked: float, in_hand: float, slots: int) -> float:
    return in_hand * blocked / (slots + in_hand * blocked)


def _waiting(blocked: float, in_hand: float, slots: int) -> float:
    free = 1 - in_hand / slots
    return blocked / (blocked + free * (1 - blocked))
