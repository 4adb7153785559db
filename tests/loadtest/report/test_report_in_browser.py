"""The report in a real browser: opens from disk, for everybody, at every width."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from loadtest.plan import reader
from loadtest.plan.schedule import plan
from loadtest.report import files
from tests.synthetic import failing, trials_of, write_run

pytestmark = pytest.mark.browser

DESK, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
_QUIET = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    shipped = reader.load_all()
    names = ("blocked-threads", "memory-per-request", "framework-throughput", "contract")
    chosen = plan({name: shipped[name] for name in names}, "full", rounds=4)
    trials = trials_of([each for each in chosen if each.levels])
    trials = [failing(trial) if trial.index % 50 == 7 else trial for trial in trials]
    checks = {"contract": {"fastapi-async": {"passed": True, "detail": "13 of 13 routes"}}}
    folder = tmp_path_factory.mktemp("results") / "run"
    path = files.build(write_run(folder, chosen, trials, checks=checks, warnings=["a warning"]))
    return path.as_uri()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=found, args=_QUIET)
        yield running
        running.close()


@pytest.fixture(
    scope="module",
    params=[(DESK, "light"), (DESK, "dark"), (PHONE, "light"), (PHONE, "dark")],
    ids=["desk-light", "desk-dark", "phone-light", "phone-dark"],
)
def page(request: pytest.FixtureRequest, browser: Browser, address: str) -> Iterator[Page]:
    """The page for all tests, as it is large. What it complained of is checked at their end."""
    viewport, scheme = request.param
    context = browser.new_context(viewport=viewport, color_scheme=scheme, offline=True)
    opened = context.new_page()
    complaints: list[str] = []
    opened.on("console", lambda message: complaints.append(message.text))
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on("requestfailed", lambda failed: complaints.append(failed.url[:80]))
    opened.goto(address)
    yield opened
    context.close()
    assert complaints == []


def test_axe_finds_nothing_serious(page: Page) -> None:
    page.eval_on_selector_all("details", "all => all.forEach(each => each.open = true)")
    found = Axe().run(page).response["violations"]
    grave = [
        (each["id"], node["html"][:120])
        for each in found
        if each["impact"] in ("serious", "critical", "moderate")
        for node in each["nodes"]
    ]
    assert grave == []


def test_nothing_sticks_out_of_the_page(page: Page) -> None:
    page.eval_on_selector_all("details", "all => all.forEach(each => each.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


def test_every_chart_is_drawn(page: Page) -> None:
    page.eval_on_selector_all("img", "all => all.forEach(each => each.loading = 'eager')")
    page.wait_for_function("[...document.images].every(each => each.complete)")
    widths = page.eval_on_selector_all("img", "all => all.map(each => each.naturalWidth)")
    assert len(widths) > 8
    assert all(width > 0 for width in widths)
    phone = (page.viewport_size or DESK)["width"] < 600
    assert all((width < 400) == phone for width in widths)


def test_in_the_dark_the_page_is_dark(page: Page) -> None:
    dark = page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    red = int(background.removeprefix("rgb(").split(",")[0])
    assert (red < 60) == dark


def test_one_click_selects_what_is_to_be_copied(page: Page) -> None:
    page.eval_on_selector_all("details", "all => all.forEach(each => each.open = false)")
    page.get_by_text("Copy as Markdown").click()
    page.locator(".copy pre").click()
    selected = page.evaluate("getSelection().toString()")
    assert selected.strip() == page.locator(".copy pre").inner_text().strip()
    assert "| claim | measured | verdict | why |" in selected


def test_on_paper_every_table_is_open(browser: Browser, address: str) -> None:
    """A PDF with tags names each cell that it has; what is only for a screen is left out."""
    paper = browser.new_page()
    paper.goto(address)
    cells = paper.locator("td").count()
    printed = paper.pdf(tagged=True)
    paper.close()
    assert cells > 500
    assert printed.count(b"/S /TD") == cells


def test_links_within_the_page_arrive(page: Page) -> None:
    targets = page.eval_on_selector_all(
        'a[href^="#"]', "all => all.map(each => each.getAttribute('href').slice(1))"
    )
    assert targets
    assert all(page.evaluate("id => !!document.getElementById(id)", each) for each in targets)


def test_the_files_beside_the_page_exist(page: Page, address: str) -> None:
    folder = Path(address.removeprefix("file://")).parent
    links = page.eval_on_selector_all(
        'a:not([href^="#"])', "all => all.map(each => each.getAttribute('href'))"
    )
    assert links
    assert [link for link in links if not (folder / link).exists()] == []
