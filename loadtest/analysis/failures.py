"""The requests that failed: by name, and as a share that stands beside the figure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from loadtest.analysis.amounts import percent
from loadtest.model.load import LoadResult


def failures(result: LoadResult) -> dict[str, int]:
    """Failures by name, in the window and of what was in hand at its end; most first."""
    return _most_first(Counter(result.errors) + Counter(result.failed_after))


def listed(counts: Mapping[str, int]) -> str:
    """`3 × timeout, 1 × wrong body`."""
    return ", ".join(f"{count:,} × {name}" for name, count in counts.items())


def failed_share(results: Sequence[LoadResult]) -> float:
    """The share of the requests that failed, of all that ended in the windows or after them."""
    failed = sum(sum(failures(each).values()) for each in results)
    ended = failed + sum(each.answered + (each.answered_after or 0) for each in results)
    return failed / ended if ended else 0.0


def failed_text(results: Sequence[LoadResult]) -> str:
    """`0.42 % (12 × reset)`; empty where nothing failed."""
    found: Counter[str] = Counter()
    for each in results:
        found.update(failures(each))
    share = failed_share(results)
    return f"{percent(share)} % ({listed(_most_first(found))})" if found else ""


def _most_first(counts: Mapping[str, int]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda error: (-error[1], error[0])))
