"""The network: whether packets arrived, so that nothing had to be sent twice."""

from __future__ import annotations

from loadtest.model.counts import were
from loadtest.model.load import LoadResult
from loadtest.model.trial import Gate
from loadtest.model.witness import Machine

PACKETS_ARRIVED = "packets arrived"
# The kernel waits so long before it sends again (TCP_RTO_MIN of Linux).
WAIT_S = 0.2
WAITED = 0.05  # of the time that requests were in flight: so much longer is the mean latency
OF_REQUESTS = 0.001  # a tenth of what a p99 leaves out


def arrived(machine: Machine | None, result: LoadResult) -> Gate:
    """Hardly a packet was lost: each one makes a request wait for `WAIT_S` at least."""
    if machine is None or machine.resent is None:
        return Gate(PACKETS_ARRIVED, True, None, OF_REQUESTS, "lost packets can't be counted here")
    waited = machine.resent * WAIT_S / max(result.mean_in_flight * result.duration_s, 1e-9)
    share = machine.resent / max(result.answered + result.failed, 1)
    detail = (
        f"{were(machine.resent, 'packet')} sent again, {share:.2%} of the requests: "
        f"each waits for {WAIT_S:g} s at least, {waited:.1%} of the time in flight"
    )
    passed = waited <= WAITED and (machine.resent <= 1 or share <= OF_REQUESTS)
    return Gate(PACKETS_ARRIVED, passed, share, OF_REQUESTS, detail, disturbance=True)
