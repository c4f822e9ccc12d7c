"""The HTML report as text: one file that asks for nothing, pictures with the report's numbers, text that stays text."""

from __future__ import annotations

import base64
import hashlib
import math
import re
import subprocess
import sys
from dataclasses import replace

import pytest
from click.testing import CliRunner

from gradcheck.cli import main
from gradcheck.model.report import Finding, HeatMap, Report, StepCurve, Worst
from gradcheck.reporters.html.figures import figures
from gradcheck.reporters.html.page import render_html
from tests.html.pictured import full_report, wrong_run
from tests.unit.reports import HALF, REPORTS, finding
from tests.unit.sinks import EVIL, Element, from_html

ELEMENTS = {
    "html", "head", "meta", "title", "style", "body", "a", "header", "h1", "h2", "h3", "p", "form", "label", "input",
    "select", "option", "button", "output", "main", "section", "article", "span", "div", "figure", "figcaption", "svg",
    "path", "rect", "text", "ul", "li", "details", "summary", "table", "caption", "thead", "tbody", "tr", "th", "td",
    "pre", "footer", "script",
}  # fmt: skip


@pytest.fixture(scope="module")
def text() -> str:
    return render_html(full_report())


@pytest.fixture(scope="module")
def page(text: str) -> Element:
    return from_html(text)


def everything(element: Element) -> list[Element]:
    return [element, *(one for child in element.children if isinstance(child, Element) for one in everything(child))]


def test_nothing_is_asked_for_and_nothing_is_handled(page: Element) -> None:
    for element in everything(page)[1:]:
        assert element.tag in ELEMENTS
        assert not [name for name in element.attributes if name.startswith("on") or name in ("src", "style", "action")]
        assert element.attributes.get("href", "#").startswith("#")
        assert element.tag != "style" or ("url(" not in element.text and "@import" not in element.text)


def test_the_policy_lets_only_our_own_script_and_style_run(page: Element) -> None:
    policy = next(m.attributes["content"] for m in page.all("meta") if "http-equiv" in m.attributes)
    hashes = {
        tag: base64.b64encode(hashlib.sha256(page.all(tag)[0].text.encode()).digest()).decode()
        for tag in ("style", "script")
    }
    assert policy == (
        f"default-src 'none'; style-src 'sha256-{hashes['style']}'; script-src 'sha256-{hashes['script']}'; "
        "base-uri 'none'; form-action 'none'"
    )
    assert len(page.all("style")) == len(page.all("script")) == 1


def test_hostile_text_is_text(text: str, page: Element) -> None:
    assert "<script>alert" in page.all("main")[0].text
    assert text.count("<script") == 1
    assert not page.all("img")
    assert not set(text) & set("\x1b\x00\u202e\r")
    assert "\x1b" in EVIL


def test_ids_are_given_once_and_links_lead_somewhere(page: Element) -> None:
    ids = [element.attributes["id"] for element in everything(page) if "id" in element.attributes]
    assert len(ids) == len(set(ids))
    assert {link.attributes["href"][1:] for link in page.all("a")} <= set(ids)
    for element in everything(page):
        assert set(element.attributes.get("aria-labelledby", "").split()) <= set(ids)


def test_failures_come_first(page: Element) -> None:
    headings = [heading.text for heading in page.all("h2")]
    assert headings == ["What is not as expected", "All results", "Not a pass, and expected so", "Notes"]
    rows = [row for row in page.all("tr") if "data-state" in row.attributes]
    states = [row.attributes["data-state"] for row in rows]
    assert states[:3] == ["broken"] * 3
    last_wrong = max(number for number, state in enumerate(states) if state != "right")
    first_right = next(n for n, row in enumerate(rows) if row.all("th")[0].text == "a published number")
    assert 10 < last_wrong < first_right


def test_a_failing_tensor_has_three_pictures_with_text_alternatives(page: Element) -> None:
    article = next(a for a in page.all("article") if "convolution, x: fail" in a.text)
    pictures = article.all("svg", role="img")
    assert len(pictures) == 3
    names = [picture.attributes["aria-label"] for picture in pictures]
    assert names[0].startswith("Error of each element of x, shape (2, 2, 4, 4); the worst is x[")
    assert names[1].startswith("Claimed against numeric for 64 elements of x: ")
    assert names[2].startswith("Error of the difference quotient at x[")
    assert article.all("caption")[0].text == "The 10 worst of 64 elements of x"


def test_the_source_of_a_mistake_is_shown_and_its_line_marked(page: Element) -> None:
    article = next(a for a in page.all("article") if "convolution, x: fail" in a.text)
    meant = article.all("span", **{"class": "meant"})
    assert len(meant) == 1
    assert "dx[:, :, i:i + w.shape[2], j:j + w.shape[3]] = np.einsum" in meant[0].text
    assert "conv.py, line 18" in article.all("summary")[-1].text


def test_a_mistake_in_a_formula_shows_the_case(page: Element) -> None:
    article = next(a for a in page.all("article") if "half of it, x (formula): fail" in a.text)
    assert article.all("pre")[0].text.strip("\n").split("\n") == [
        "   16 ▸   - name: half of it",
        "   17       function: sum(exp(x))",
        "   18       inputs:",
        "   19         x: normal(40)",
        "   20       gradient:",
        "   21         x: exp(x) / 2",
    ]


def test_the_line_that_raised_is_shown(page: Element) -> None:
    article = next(a for a in page.all("article") if "breaks: error" in a.text)
    assert "return x[7], None" in article.all("span", **{"class": "meant"})[0].text


def cells(svg: str) -> dict[str, int]:
    """Class of a cell → how many squares of it are drawn."""
    return {kind: drawn.count("M") for kind, drawn in re.findall(r'class="cell (\w+)" d="([^"]*)"', svg)}


def heat_of(shape: tuple[int, ...], **fields: object) -> Finding:
    count = math.prod(shape)
    errors = [(0.0, 5e-5, 0.03, 2.0, math.nan)[i % 5] for i in range(count)]
    wrong = tuple((False, True, True, True, None)[i % 5] for i in range(count))
    heat = HeatMap(shape, tuple(errors), wrong, tuple(map(float, range(count))), tuple(2.0 * i for i in range(count)))
    return finding("W", "fail", shape=shape, heat=heat, worst=Worst((0,) * len(shape), 1.0, 2.0, 1e-9, 0.5), **fields)


@pytest.mark.parametrize("shape", [(5,), (100,), (4000,), (5, 8), (1, 40), (300, 3), (2, 3, 4), (40, 3, 3, 3), (2, 1)])
def test_the_map_has_a_square_for_every_element(shape: tuple[int, ...]) -> None:
    drawn = next(figures(heat_of(shape)))
    count = math.prod(shape)
    kinds = ("right", "e1", "e4", "e6", "unknown")
    assert cells(drawn.svg) == {kind: len(range(i, count, 5)) for i, kind in enumerate(kinds) if i < count}
    width, height = map(float, re.findall(r'(?:width|height)="([\d.]+)"', drawn.svg)[:2])
    assert 0 < width <= 520
    assert 0 < height <= 520
    places = re.findall(r"M([\d.]+) ([\d.]+)h", drawn.svg)
    assert len(set(places)) == len(places)


def test_claimed_and_numeric_are_dots_and_what_is_not_finite_is_counted() -> None:
    one = heat_of((5, 4))
    assert one.heat is not None
    broken = replace(one, heat=replace(one.heat, claimed=(math.nan, math.inf, *one.heat.claimed[2:])))
    plot = list(figures(broken))[1]
    assert sum(drawn.count("h0") for drawn in re.findall(r'class="dots \w+" d="([^"]*)"', plot.svg)) == 18
    assert plot.caption.endswith("2 elements not finite and not shown.")


def test_a_tensor_without_one_finite_pair_has_no_plot() -> None:
    one = heat_of((5,))
    assert one.heat is not None
    assert len(list(figures(replace(one, heat=replace(one.heat, claimed=(math.nan,) * 5))))) == 1


CURVE = StepCurve((1e-1, 1e-3, 1e-5, 1e-7), (2.01, 2.0001, 2.0, 2.003), (1e-15, 1e-13, 1e-11, 1e-9), 1e-5)


def test_the_curve_shows_bound_claim_noise_and_the_chosen_step() -> None:
    drawn = next(figures(finding("x", "fail", shape=(), curve=CURVE, worst=Worst((), 1.0, 2.0, 1e-9, 0.5))))
    assert [key.text for key in drawn.legend] == [
        "difference quotient − numeric", "what rounding may add", "the bound: 1.0e-09", "claimed − numeric: 1.0e+00",
        "the step of the numeric value: 1.0e-05",
    ]  # fmt: skip
    for kind in ("curve", "noise", "bound", "claim", "chosen"):
        assert f'class="line {kind}"' in drawn.svg
    assert drawn.table is not None
    assert drawn.table.rows[0] == ("1.0e-01", "2.01", "1.0e-02", "1.0e-15")


@pytest.mark.parametrize(
    ("curve", "worst"),
    [
        (replace(CURVE, slopes=(2.0,) * 4, noise=(0.0,) * 4), Worst((), 2.0, 2.0, 0.0, 0.0)),
        (replace(CURVE, noise=(math.inf,) * 4), Worst((), math.nan, 2.0, math.inf, math.nan)),
        (replace(CURVE, slopes=(1e-320, 5e-324, 0.0, 1e-310), chosen=0.0), Worst((), 1.0, 5e-324, 1e-320, 1.0)),
        (replace(CURVE, slopes=(1e308, -1e308, 1e308, 1e300)), Worst((), -1e308, 1e308, 1e300, 2.0)),
    ],
)
def test_extreme_numbers_draw_a_curve_inside_of_its_frame(curve: StepCurve, worst: Worst) -> None:
    drawn = next(figures(finding("x", "fail", shape=(), curve=curve, worst=worst)))
    assert "nan" not in drawn.svg.partition("<path")[2]
    assert "inf" not in drawn.svg.partition("<path")[2]
    for x, y in re.findall(r"[ML]([-\d.]+) ([-\d.]+)", drawn.svg):
        assert -1 <= float(x) <= 421
        assert -1 <= float(y) <= 281


def test_a_report_without_pictures_has_none() -> None:
    assert "<figure>" not in render_html(REPORTS["one_fail"])
    assert not list(figures(HALF))


def test_the_real_run_measured_its_curves() -> None:
    found = {(case.name, f.tensor, f.claim): f for case in wrong_run().cases for f in case.findings}
    wrong = found["half of it", "x", "formula"]
    assert wrong.curve is not None
    assert wrong.worst is not None
    assert wrong.curve.chosen in wrong.curve.steps
    assert list(wrong.curve.steps) == sorted(wrong.curve.steps, reverse=True)
    best = min(abs(slope - wrong.worst.numeric) for slope in wrong.curve.slopes)
    assert best <= wrong.worst.bound
    # No step of all brings the difference near the claim.
    assert min(abs(slope - wrong.worst.claimed) for slope in wrong.curve.slopes) > 1e6 * wrong.worst.bound
    assert found["right", "x", "backprop"].curve is None
    assert found["convolution", "w", "backward"].curve is None


def test_without_jinja2_a_run_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gradcheck.cli.output.find_spec", lambda name: None)
    result = CliRunner().invoke(main, ["run", "no-such-case.yaml", "--format", "html"])
    assert result.exit_code == 2
    assert result.stderr == (
        "error: an HTML report needs jinja2, which is not installed\n  pip install 'gradcheck[html]'\n"
    )


def test_only_the_html_report_imports_jinja2() -> None:
    script = "import gradcheck.cli.run, gradcheck.reporters.markdown, sys; sys.exit('jinja2' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


def test_a_large_report_stays_small_and_quick() -> None:
    cases = tuple(replace(case, name=f"{case.name} {n}") for n in range(40) for case in wrong_run().cases)
    assert len(render_html(Report(cases))) < 6_000_000
