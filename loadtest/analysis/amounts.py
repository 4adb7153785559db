"""Numbers as text: two or three digits, whatever their size."""

from __future__ import annotations

from loadtest.stats.inference import INTERVAL_ROUNDS, Ratio


def amount(value: float) -> str:
    """A value in two or three digits, with its sign."""
    sign, size = "−" if value < 0 else "", abs(value)
    return sign + (times(size) if size >= 0.0995 or size == 0 else f"{size:.2g}")


def number(text: str) -> float:
    """What `amount` has written."""
    return float(text.replace("−", "-").replace(",", ""))


def times(ratio: float) -> str:
    """A ratio in two or three digits: `0.31`, `2.4`, `16.2`, `1,200`."""
    if ratio >= 99.5:
        return f"{ratio:,.0f}"
    if ratio == 0:
        return "0"
    if ratio < 0.00995:
        return f"{ratio:.1g}"
    return f"{ratio:.1f}" if ratio >= 1.95 else f"{ratio:.2f}"


def percent(share: float) -> str:
    """0.184 as `18`, 0.0184 as `1.8`."""
    return f"{share * 100:.0f}" if share >= 0.0995 else f"{share * 100:.1f}"


def limits(ratio: Ratio) -> str:
    """The 95 % interval of a ratio as a table has it: two rounds that agree have none."""
    if ratio.rounds < INTERVAL_ROUNDS:
        return "too few rounds"
    return f"{times(ratio.low)}–{times(ratio.high)}"
