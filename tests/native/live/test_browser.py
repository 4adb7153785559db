"""Locust's interface as a person uses it, in a real Chromium."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.native.live.watch import Watch
from tests.waiting import eventually

pytestmark = pytest.mark.browser

QUIET = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
PATIENCE_MS = 60_000
FIRST, SECOND = "fastapi-async", "flask-sync"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=QUIET)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser, watch: Watch) -> Iterator[Page]:
    """Locust's start form, as somebody sees it who was never there."""
    page = browser.new_page(viewport={"width": 1280, "height": 880})
    page.set_default_timeout(PATIENCE_MS)
    expect.set_options(timeout=PATIENCE_MS)
    page.goto(watch.ui)
    form, new = page.get_by_label("Number of users"), page.get_by_role("button", name="New")
    expect(form.or_(new)).to_be_visible()
    if new.is_visible():
        new.click()
    yield page
    page.close()


def choose(page: Page, *services: str) -> None:
    """Tick these services and no other."""
    boxes = page.get_by_role("row").filter(has=page.get_by_role("checkbox"))
    everything = boxes.first.get_by_role("checkbox")
    everything.uncheck()
    for service in services:
        boxes.filter(has=page.get_by_text(service, exact=True)).get_by_role("checkbox").check()


def fill(page: Page, *, users: str, scenario: str, parameters: str) -> None:
    page.get_by_label("Number of users").fill(users)
    page.get_by_label("Ramp up").fill("100")
    if not page.locator("input[name=parameters]").is_visible():
        page.get_by_role("button", name="Custom parameters").click()
    page.locator("input[name=parameters]").fill(parameters)
    page.locator("select[name=scenario]").select_option(scenario)


def press_start(page: Page) -> None:
    page.get_by_role("button", name="Start").click()


def test_only_services_that_run_are_offered(page: Page, watch: Watch) -> None:
    for name in watch.lab.services:
        expect(page.get_by_text(name, exact=True)).to_be_visible()


def test_two_services_two_scenarios(page: Page, watch: Watch) -> None:
    choose(page, FIRST, SECOND)
    fill(page, users="60", scenario="wait", parameters="ms=100")
    press_start(page)
    for service in (FIRST, SECOND):
        expect(page.get_by_text(f"{service} /wait")).to_be_visible()
    assert eventually(lambda: watch.requests(FIRST) > 1000)
    picture(page, watch)
    page.get_by_role("button", name="Stop").click()
    page.get_by_role("button", name="New", exact=True).click()
    choose(page, FIRST, SECOND)
    fill(page, users="10", scenario="json", parameters="")
    press_start(page)
    for service in (FIRST, SECOND):
        expect(page.get_by_text(f"{service} /json")).to_be_visible()
        expect(page.get_by_text(f"{service} /wait")).to_be_hidden()


def picture(page: Page, watch: Watch) -> None:
    """Save what is seen where LAB_SCREENSHOT says (`make screenshot`)."""
    if path := os.environ.get("LAB_SCREENSHOT"):
        assert eventually(lambda: watch.requests(FIRST) > 4500)
        page.get_by_text("Try this").click()
        page.screenshot(path=Path(path))


@pytest.mark.parametrize(
    ("users", "parameters", "message"),
    [("0", "ms=100", "Number of users"), ("5", "ms=soon", "name=number"), ("5", "ms=-1", "ms=-1")],
)
def test_absurd_values_are_refused_with_a_message(
    page: Page, watch: Watch, users: str, parameters: str, message: str
) -> None:
    fill(page, users=users, scenario="wait", parameters=parameters)
    press_start(page)
    expect(page.get_by_role("alert")).to_contain_text(message)
    assert watch.statistics()["user_count"] == 0


def test_the_page_says_what_to_try_and_where_to_look(page: Page) -> None:
    page.get_by_text("Try this").click()
    expect(page.get_by_text("fastapi-async and flask-sync")).to_be_visible()
    expect(page.locator("#lab-guide a")).to_have_text("Prometheus")
