"""The fixed computation behind `/cpu`."""

from __future__ import annotations

MULTIPLIER, MODULUS = 48_271, 2_147_483_647


def compute(n: int) -> int:
    """`n` steps of the minimal standard generator from 1, in plain Python, so that the GIL is held.

    Source: Park, Miller and Stockmeyer, Communications of the ACM 36 (7), 1993.
    """
    x = 1
    for _ in range(n):
        x = x * MULTIPLIER % MODULUS
    return x
