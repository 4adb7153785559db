"""Every service counts each answer once, with the status that its client saw."""

from __future__ import annotations

import urllib.request
from collections import Counter

from prometheus_client.parser import text_string_to_metric_families

from loadtest.contract import body_cases, cases, conformance
from loadtest.contract.conformance import Client
from loadtest.inventory.manifest import Service
from tests.conformance.clients.test_departure import taken
from tests.waiting import eventually

DURATION = "http_server_request_duration_seconds"
Answers = Counter[tuple[str, int]]


def test_answers_are_counted_with_the_status_that_was_sent(service: Service) -> None:
    assert eventually(lambda: not taken(service))  # what others asked is counted
    before, seen = counted(service), Answers()
    with Client(service.url()) as client:
        for case in (*cases.cases(), *body_cases.cases()):
            seen[case.method, conformance.ask(client, case).status] += 1
        for method, target in (("DELETE", "/session"), ("HEAD", "/json"), ("HEAD", "/nothing")):
            seen[method, client.send(method, target).status] += 1
    assert len({status for _, status in seen}) > 5
    # A service may count just behind its answer.
    eventually(lambda: counted(service) - before == seen)
    assert counted(service) - before == seen


def counted(service: Service) -> Answers:
    """What the service's metrics say, by method and status."""
    with urllib.request.urlopen(service.metrics_url(), timeout=20) as answer:
        text = str(answer.read(), "utf-8")
    found = Answers()
    for family in text_string_to_metric_families(text):
        for sample in family.samples if family.name == DURATION else ():
            if sample.name.endswith("_count"):
                labels = sample.labels
                status = int(labels["http_response_status_code"])
                found[labels["http_request_method"], status] += int(sample.value)
    return found
