"""Locust's interface as a person uses it, in a real Chromium."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from loadtest.generator.page.guide import EXAMPLES
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
    header = page.get_by_role("banner")
    expect(header.get_by_text("Users", exact=True)).to_be_visible()
    expect(header.get_by_text("Host", exact=True)).to_be_hidden()
    page.get_by_role("button", name="Edit").click()
    expect(page.locator("[data-hint]")).to_have_attribute(
        "data-hint", "Users and ramp up count at once. What is below counts from the next start."
    )
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Stop").click()
    page.get_by_role("button", name="New", exact=True).click()
    choose(page, FIRST, SECOND)
    fill(page, users="10", scenario="json", parameters="")
    press_start(page)
    for service in (FIRST, SECOND):
        expect(page.get_by_text(f"{service} /json")).to_be_visible()
        expect(page.get_by_text(f"{service} /wait")).to_be_hidden()


def test_absurd_values_are_refused_with_a_message(page: Page, watch: Watch) -> None:
    for users, parameters, message in (
        ("0", "ms=100", "Number of users"),
        ("5", "ms=soon", "name=number"),
        ("5", "ms=-1", "ms=-1"),
    ):
        fill(page, users=users, scenario="wait", parameters=parameters)
        press_start(page)
        expect(page.get_by_role("alert")).to_contain_text(message)
        assert watch.statistics()["user_count"] == 0


def test_a_request_of_ones_own_has_fields_that_no_other_scenario_shows(
    page: Page, watch: Watch
) -> None:
    path = page.locator("input[name=requestPath]")
    fill(page, users="5", scenario="json", parameters="")
    expect(path).to_be_hidden()
    fill(page, users="5", scenario="request", parameters="")
    expect(path).to_be_visible()
    path.fill("json")
    press_start(page)
    expect(page.get_by_role("alert")).to_contain_text("Request path: write it from its first /")
    choose(page, FIRST)
    path.fill("/healthz?own=1")
    press_start(page)
    expect(page.get_by_text(f"{FIRST} /healthz")).to_be_visible()
    assert eventually(lambda: watch.requests(FIRST) > 100)
    page.get_by_role("button", name="Stop").click()


def test_each_example_fills_the_form_and_says_where_to_look(page: Page) -> None:
    """Whichever was chosen before."""
    for title in EXAMPLES:
        assert_fills_in(page, title)


def assert_fills_in(page: Page, title: str) -> None:
    example = EXAMPLES[title]
    page.get_by_role("button", name=title, exact=True).click()
    for field in ("select[name=scenario]", "input[name=parameters]", "select[name=load]"):
        expect(page.locator(field)).to_be_in_viewport()
    expect(page.locator("select[name=scenario]")).to_have_value(example.scenario)
    expect(page.locator("input[name=parameters]")).to_have_value(example.parameters)
    expect(page.get_by_label("Number of users")).to_have_value(str(example.users))
    for service in (FIRST, SECOND):
        box = page.get_by_role("row").filter(has=page.get_by_text(service, exact=True))
        expect(box.get_by_role("checkbox")).to_be_checked(checked=service in example.services)
    expect(page.locator("#lab-guide output a")).to_have_text(example.panel)
    expect(page.locator("input[name=host]")).to_be_hidden()
    expect(page.get_by_role("button", name="Start")).to_be_in_viewport()


def test_what_an_example_fills_in_is_what_runs(page: Page, watch: Watch) -> None:
    page.get_by_role("button", name="Slots", exact=True).click()
    press_start(page)
    assert eventually(lambda: watch.statistics()["user_count"] == EXAMPLES["Slots"].users)
    loaded = {f"{FIRST} /wait", f"{SECOND} /wait", "Aggregated"}
    assert eventually(lambda: watch.names() == loaded)
    picture(page, watch)
    page.get_by_role("button", name="CPU", exact=True).click()
    expect(page.locator("#lab-guide output")).to_have_text("A load is running. Press Stop first.")


def picture(page: Page, watch: Watch) -> None:
    """Save what is seen where LAB_SCREENSHOT says (`make screenshot`)."""
    if path := os.environ.get("LAB_SCREENSHOT"):
        assert eventually(lambda: watch.requests(FIRST) > 4500)
        page.screenshot(path=Path(path))
