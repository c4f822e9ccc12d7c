"""The HTML report in a real browser: it opens from the disk, asks for nothing, filters, sorts, prints, can be read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib import resources
from importlib.util import find_spec
from pathlib import Path

import pytest

from gradcheck.reporters.html.page import render_html
from tests.html.browser import Browser, executable
from tests.html.pictured import full_report
from tests.unit.reports import REPORTS

PROGRAM = executable()
pytestmark = pytest.mark.skipif(
    PROGRAM is None, reason="no Chromium was found; install it, or name it in the variable CHROMIUM"
)
ROWS = "[...document.querySelectorAll('#all tbody tr')].filter(row => !row.hidden)"
ARTICLES = "[...document.querySelectorAll('article')].filter(one => one.checkVisibility())"
CHECKS = (Path(__file__).parent / "accessibility.js").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("browser")


@pytest.fixture(scope="module")
def shared(folder: Path) -> Iterator[Browser]:
    assert PROGRAM is not None
    (folder / "full.html").write_text(render_html(full_report()), encoding="utf-8")
    for name in ("empty", "all_pass", "problems_only"):
        (folder / f"{name}.html").write_text(render_html(REPORTS[name]), encoding="utf-8")
    with Browser(PROGRAM, folder / "profile") as browser:
        yield browser


@pytest.fixture
def browser(shared: Browser, folder: Path) -> Browser:
    """The full report, freshly opened in a usual window."""
    shared.show_as()
    shared.open(folder / "full.html")
    return shared


def type_into(browser: Browser, text: str) -> None:
    browser.run("document.getElementById('text').focus()")
    for character in text:
        browser.press(character, text=character)


def choose(browser: Browser, value: str) -> None:
    browser.run(
        f"which.value = {json.dumps(value)}; which.dispatchEvent(new Event('input', {{bubbles: true}})); which.value"
    )


@pytest.mark.parametrize("name", ["full", "empty", "all_pass", "problems_only"])
def test_it_opens_without_an_error_and_without_a_request(shared: Browser, folder: Path, name: str) -> None:
    shared.open(folder / f"{name}.html")
    shared.run("new Promise(done => setTimeout(done, 50))")
    assert shared.complaints == []
    assert shared.requests == [(folder / f"{name}.html").as_uri()]
    assert shared.run("document.getElementById('controls').hidden") is False
    assert shared.run("performance.getEntriesByType('resource').length") == 0


def test_a_request_or_a_foreign_script_would_be_refused(browser: Browser) -> None:
    browser.run("fetch('http://127.0.0.1:9/').catch(() => 'refused')")
    browser.run(
        "document.body.append(Object.assign(document.createElement('script'), {textContent: 'window.ran = 1'}))"
    )
    assert browser.run("window.ran === undefined")
    assert any("Content Security Policy" in text for text in browser.complaints)


def test_hostile_text_stays_text(browser: Browser) -> None:
    assert browser.run("document.querySelectorAll('img, main script, [onerror], [onload]').length") == 0
    shown = browser.run("document.querySelector('main').textContent")
    assert "<script>alert(1)</script><img src=x onerror=alert(1)>" in shown
    assert browser.run("document.title").startswith("gradcheck: ")


def test_typing_leaves_what_holds_all_the_words(browser: Browser) -> None:
    total = browser.run(f"{ROWS}.length")
    type_into(browser, "MLP w1")
    assert browser.run(f"{ROWS}.map(row => row.cells[1].textContent)") == ["W1[0, 2]"]
    assert browser.run(f"{ARTICLES}.map(one => one.querySelector('h3').textContent.trim())") == [
        "fail mlp, W1: fail, shape (3, 4), 12 of 12 elements differ"
    ]
    assert browser.run("count.textContent") == f"1 of {total} results"
    assert browser.run("document.querySelector('button[type=reset]').click()") is None
    browser.run("new Promise(done => setTimeout(done, 20))")
    assert browser.run(f"{ROWS}.length") == total
    assert browser.run("count.textContent") == f"{total} of {total} results"


@pytest.mark.parametrize(
    ("word", "least"), [("fail", 8), ("inconclusive", 1), ("vacuous", 1), ("kink", 2), ("pass", 10)]
)
def test_a_verdict_can_be_chosen(browser: Browser, word: str, least: int) -> None:
    choose(browser, f"word:{word}")
    words = browser.run(f"{ROWS}.map(row => row.dataset.word)")
    assert set(words) == {word}
    assert len(words) >= least
    assert set(browser.run(f"{ARTICLES}.map(one => one.dataset.word)")) <= {word}


def test_only_what_is_not_as_expected_can_be_shown(browser: Browser) -> None:
    choose(browser, "surprising")
    assert "right" not in browser.run(f"[...{ROWS}, ...{ARTICLES}].map(one => one.dataset.state)")
    assert browser.run("document.getElementById('foreseen-title').checkVisibility()") is False


def test_a_heading_sorts_up_and_down_by_keyboard(browser: Browser) -> None:
    browser.run("document.querySelectorAll('#all thead button')[6].focus()")
    errors = f"{ROWS}.map(row => row.cells[6].dataset.key).map(key => key === 'inf' ? Infinity : Number(key))"
    is_sorted = f"(() => {{ const e = {errors}; return e.every((x, i) => i === 0 || e[i - 1] SIGN x); }})()"
    head = "document.querySelectorAll('#all thead th')[6].getAttribute('aria-sort')"
    total = browser.run(f"{ROWS}.length")
    for sort, sign in (("ascending", "<="), ("descending", ">="), ("ascending", "<=")):
        browser.press("Enter", 13, "\r")
        assert browser.run(head) == sort
        assert browser.run(is_sorted.replace("SIGN", sign))
        assert browser.run(f"{ROWS}.length") == total
    browser.run("document.querySelectorAll('#all thead button')[0].click()")
    names = browser.run(f"{ROWS}.map(row => row.cells[0].textContent)")
    assert names.index("a published number") < names.index("convolution") < names.index("mlp")
    assert browser.run("document.querySelectorAll('#all [aria-sort]').length") == 1


def test_every_column_sorts_and_no_row_is_lost(browser: Browser) -> None:
    total = browser.run(f"{ROWS}.length")
    for column in range(9):
        browser.run(f"document.querySelectorAll('#all thead button')[{column}].click()")
        assert browser.run(f"{ROWS}.length") == total
    assert browser.complaints == []


def test_a_row_leads_to_its_article(browser: Browser) -> None:
    browser.run(f"{ROWS}.find(row => row.cells[1].textContent.startsWith('W1')).querySelector('a').click()")
    browser.run("new Promise(done => setTimeout(done, 50))")
    title = browser.run("document.querySelector(':target h3').textContent")
    assert "W1" in title
    top = browser.run("document.querySelector(':target').getBoundingClientRect().top")
    assert browser.run("controls.getBoundingClientRect().bottom") <= top < 900


def test_the_keyboard_reaches_the_results_first_and_then_the_controls(browser: Browser) -> None:
    seen = []
    for _ in range(4):
        browser.press("Tab", 9)
        seen.append(browser.run("document.activeElement.id || document.activeElement.textContent"))
    assert seen == ["Skip to the results", "text", "which", "Clear"]


def test_pictures_are_there_and_have_a_size(browser: Browser) -> None:
    sizes = browser.run(
        "[...document.querySelectorAll('figure > svg')].map(one => one.getBoundingClientRect())"
        ".map(box => [box.width, box.height])"
    )
    assert len(sizes) >= 7
    assert all(width > 10 and height > 5 for width, height in sizes)
    colours = browser.run(
        "[...new Set([...document.querySelectorAll('figure .cell')].map(c => getComputedStyle(c).fill))]"
    )
    assert len(colours) >= 3


@pytest.mark.parametrize("width", [320, 768, 1280])
def test_no_width_makes_the_page_scroll_sideways(browser: Browser, width: int) -> None:
    browser.show_as(width=width)
    assert browser.run("document.documentElement.scrollWidth") <= width


def test_dark_is_dark_and_print_is_light_without_controls(browser: Browser) -> None:
    brightness = (
        "getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number).reduce((a, b) => a + b) / 3"
    )
    assert browser.run(brightness) > 240
    browser.show_as(scheme="dark")
    assert browser.run(brightness) < 40
    browser.show_as(scheme="dark", media="print")
    assert browser.run(brightness) > 240
    assert browser.run("controls.checkVisibility()") is False
    assert browser.run("document.querySelector('article').checkVisibility()") is True


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_can_be_read_without_seeing_it_or_its_colours(browser: Browser, scheme: str) -> None:
    browser.show_as(scheme=scheme)
    browser.run("document.querySelectorAll('details').forEach(one => { one.open = true; })")
    assert browser.run(CHECKS) == []


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        ("document.documentElement.lang = ''", "no language"),
        ("document.querySelector('h2').outerHTML = '<h4>x</h4>'", "a heading skips a level"),
        ("document.querySelector('label').remove()", "no label"),
        ("document.querySelector('figure svg').removeAttribute('aria-label')", "a picture without words"),
        ("document.querySelector('#all caption').remove()", "a table without a caption"),
        ("document.querySelector('pre').tabIndex = -1", "a part that a keyboard cannot scroll"),
        ("document.documentElement.style.setProperty('--muted', '#bbbbbb')", "contrast"),
    ],
)
def test_what_could_not_be_read_is_found(browser: Browser, damage: str, told: str) -> None:
    browser.run(damage)
    assert any(mistake.startswith(told) for mistake in browser.run(CHECKS))


@pytest.mark.skipif(find_spec("axe_core_python") is None, reason="axe-core-python is not installed")
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(browser: Browser, scheme: str) -> None:
    browser.show_as(scheme=scheme)
    browser.run(resources.files("axe_core_python").joinpath("axe.min.js").read_text(encoding="utf-8") + "; 0")
    found = browser.run(
        "axe.run(document, {resultTypes: ['violations']}).then(done => done.violations.map(v =>"
        " [v.impact, v.id, v.nodes.length, v.nodes[0].html.slice(0, 200)]))"
    )
    assert found == []
