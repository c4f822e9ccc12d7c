"""The page of an explanation in a real browser: opens from the disk, asks for nothing, complains of nothing."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import resources
from importlib.util import find_spec
from pathlib import Path

import pytest

from gradcheck.explain.explain import explain
from gradcheck.explain.find import find_case
from gradcheck.reporters.explanation.page import render_page
from tests.html.browser import Browser, executable

ROOT = Path(__file__).parents[2]
PROGRAM = executable()
pytestmark = pytest.mark.skipif(
    PROGRAM is None, reason="no Chromium was found; install it, or name it in the variable CHROMIUM"
)
PAGES = {
    "network": "cases/08_small_classifier.yaml::two sigmoid layers, as a network",
    "three_layers": "cases/11_published_example.yaml::the right gradients",
    "code": "cases/12_handwritten.yaml::a pair of functions",
}
OVERLAPS = """
[...document.querySelectorAll('svg rect')].map(r => r.getBBox()).filter((a, i, all) => all.slice(i + 1).some(b =>
  a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height)).length
"""
OVERFLOWS = """
[...document.querySelectorAll('svg text')].filter(t => {
  const text = t.getBBox(), all = [...document.querySelectorAll('svg rect')].map(r => r.getBBox());
  return !all.some(b => text.x >= b.x && text.x + text.width <= b.x + b.width && text.y >= b.y - 1
    && text.y + text.height <= b.y + b.height + 2);
}).map(t => t.textContent)
"""


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    assert PROGRAM is not None
    with Browser(PROGRAM, tmp_path_factory.mktemp("profile")) as opened:
        yield opened


@pytest.mark.parametrize("name", PAGES)
def test_the_page_opens_without_a_complaint_or_a_request(name: str, browser: Browser, tmp_path: Path) -> None:
    case, _ = find_case(PAGES[name])
    assert case is not None
    file = tmp_path / "page.html"
    file.write_text(render_page(explain(case, 0.01)), encoding="utf-8")
    browser.show_as()
    browser.open(file)
    assert browser.complaints == []
    assert browser.requests == [file.as_uri()]
    assert browser.run("document.documentElement.scrollWidth <= innerWidth")
    assert browser.run(OVERLAPS) == 0
    assert browser.run(OVERFLOWS) == []
    if find_spec("axe_core_python") is None:
        return
    for scheme in ("light", "dark"):
        browser.show_as(scheme=scheme)
        browser.run(resources.files("axe_core_python").joinpath("axe.min.js").read_text(encoding="utf-8") + "; 0")
        found = browser.run(
            "axe.run(document, {resultTypes: ['violations']}).then(done => done.violations.map(v =>"
            " [v.impact, v.id, v.nodes.length, v.nodes[0].html.slice(0, 200)]))"
        )
        assert found == []
