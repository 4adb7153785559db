"""The page of a run of every experiment: small enough, and nothing is said again and again."""

from __future__ import annotations

import html
import re
from collections import Counter

import pytest

from loadtest.plan import reader
from loadtest.plan.schedule import plan
from loadtest.report import files
from tests.synthetic import TRUTHS, trials_of, write_run


@pytest.fixture(scope="module")
def full_page(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Every experiment, three rounds of it: a full run has more rounds, but no more charts."""
    planned = plan(reader.load_all(), "full", rounds=3)
    timed = [each for each in planned if each.levels]
    folder = tmp_path_factory.mktemp("results") / "full"
    path = files.build(write_run(folder, planned, trials_of(timed, truths=TRUTHS)))
    return path.read_text(encoding="utf-8")


def test_it_is_at_most_three_megabytes(full_page: str) -> None:
    assert len(full_page.encode()) <= 3_000_000


def test_no_sentence_comes_five_times(full_page: str) -> None:
    """What is said of every experiment is said once; cells of tables hold no sentences."""
    text = re.sub(r"<style>.*?</style>|<td.*?</td>|<th .*?</th>", "", full_page, flags=re.DOTALL)
    blocks = [" ".join(each.split()) for each in re.split(r"<[^>]+>", html.unescape(text))]
    sentences = Counter(
        sentence
        for block in blocks
        for sentence in re.split(r"(?<=[.!?]) ", block)
        if len(sentence.split()) > 3
    )
    assert len(sentences) > 50
    assert [each for each, times in sentences.items() if times >= 5] == []


def test_each_link_says_where_it_leads(full_page: str) -> None:
    links = re.findall(r'<a[^>]*href="([^"]+)"[^>]*>(.*?)</a>', full_page)
    assert len(links) > 50
    assert len({words for _, words in links}) == len(links)
