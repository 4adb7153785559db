"""Why an answer is not one to measure, or none came in time, and what to do. Pure."""

from __future__ import annotations

import http.client

from loadtest.model.target import Target
from loadtest.probe.limits import LONGEST_ANSWER_S, WARM_UP_S

_INSTEAD = {
    401: "it wants to know who asks: --header 'Authorization: …'",
    403: "it does not allow this: --header 'Authorization: …' or 'Cookie: …'",
    404: "nothing is there: check the path",
    429: "it limits how often it may be asked: switch that off for the probe",
}


def of_status(target: Target, status: int, fields: http.client.HTTPMessage, waited_s: float) -> str:
    """Why an answer is not one to measure; empty where it is. `waited_s`: for the warm-up."""
    if target.status is not None:
        right = status == target.status
        return "" if right else f"answers {status}, not the {target.status} that was expected"
    if 200 <= status < 300:
        return ""
    told = _INSTEAD.get(status, "")
    if 300 <= status < 400:
        told = f"it sends you to {fields.get('location', 'nowhere')}: probe that"
    elif status == 405:
        told = f"it does not know {target.method}: --method {fields.get('allow', 'POST')}"
    elif status == 429 and "retry-after" in fields:
        told = f"{told}, or wait for {fields['retry-after']} s"
    elif status == 503:
        told = f"it may be starting still: probe it again when it is ready{_more(waited_s)}"
    elif not told:
        told = "its log says why" if status >= 500 else "check what is asked"
    return f"answers {status}; {told} (to measure this answer: --expect {status})"


def _more(waited_s: float) -> str:
    """Whether a longer probe waits for longer."""
    if waited_s < WARM_UP_S:
        return ", or with a longer --seconds"
    return f", as a probe waits {waited_s:g} s at most"


def too_late(target: Target, size: int, timeout_s: float) -> str:
    """That no answer ended in time, of which so many bytes have come, and what to do."""
    if size:
        return (
            f"{target.url}: its answer did not end within {timeout_s:g} s ({size:,} bytes so far); "
            "probe one that ends"
        )
    instead = "a longer --seconds waits longer"
    if timeout_s >= LONGEST_ANSWER_S:
        instead = "a probe waits no longer: its log may say why, or probe what takes less"
    return f"{target.url}: no answer within {timeout_s:g} s; {instead}"
