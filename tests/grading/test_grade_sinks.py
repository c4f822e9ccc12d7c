"""One hostile string in every field of every output does no harm there; and nothing of a hidden case leaves it."""

from __future__ import annotations

import base64
import csv
import io
import json
import re
import unicodedata
import xml.etree.ElementTree as ET
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, get_args

import pytest
from markdown_it import MarkdownIt

from gradcheck.grading.gradebook import gradebook, render_json
from gradcheck.grading.handout import handout
from gradcheck.grading.plain import plain, revived
from gradcheck.model.grading import Feedback, Gradebook
from gradcheck.reporters.grades import canvas, classroom, gradescope, overview, pages
from gradcheck.reporters.grades.junit import render_junit
from gradcheck.reporters.grades.student import view
from gradcheck.reporters.grades.table import render_csv, render_summary
from tests.grading.helpers import REFERENCE, WALLS, case, homework, marker, submission

EVIL = (
    "{start}\x1b[31m\x1b]8;;http://evil\x07 ::error file=a::x\n::notice title=Autograding report::{{}}\r\n##[group]"
    "<script>alert(1)</script><img src=x onerror=alert(1)>\"' onload='x' ]]> --> &amp; [l](javascript:alert(1)) "
    "![i](http://evil/x.png) `c` **b** | a | b\t=1+1 \u202e\x00\ud800\ufffe [red]x[/red] @all #1 www.evil.com ~~~ ```"
)
STARTS = ("=", "+", "-", "@", "\t=", " =", "::", "#", "- ", "<", "\uff1d", "\n")
WORDS = frozenset({"status", "outcome", "verdict", "kind", "during", "claim", "coverage", "feedback", "tier", "slug"})
HARMLESS = {"html", "head", "meta", "title", "style", "body", "h1", "h2", "p", "strong", "span", "pre", "code", "table",
            "thead", "tbody", "tr", "td", "th", "ul", "li"}  # fmt: skip


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> Gradebook:
    assignment = homework(tmp_path_factory.mktemp("a"), case("a") + case("b") + case("h", "    hidden: true\n"))
    one = marker(assignment)
    wrong = REFERENCE.replace("x.T @ dz", "2 * x.T @ dz")
    results = [
        one.mark(replace(submission(s), name=n, slug=n)) for n, s in (("u", wrong), ("v", "1 / 0"), ("w", wrong))
    ]
    refused = replace(results[0], submission="x", slug="x", status="refused", checks=(), message="no", flags=("look",))
    return gradebook(assignment, WALLS, [*results, refused])


def poisoned(value: Any, evil: str, key: str = "") -> Any:
    """The gradebook in JSON with the string in place of every text that is not one of a few words."""
    if isinstance(value, dict):
        names = {name: evil + name if key in ("checks", "ids") else name for name in value}
        return {names[name]: poisoned(item, evil, name) for name, item in value.items()}
    if isinstance(value, list):
        return [poisoned(item, evil, key if isinstance(item, str) else "") for item in value]
    return evil + value if isinstance(value, str) and key not in WORDS else value


@pytest.fixture(params=STARTS, ids=repr)
def evil_book(honest: Gradebook, request: pytest.FixtureRequest) -> Gradebook:
    data = plain(replace(honest, missing=("m",), waiting=("n",)))
    return revived(Gradebook, poisoned(data, EVIL.format(start=request.param)))


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: set[str] = set()
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        self.attributes |= {name for name, _ in attrs}


def tags(html: str) -> Tags:
    found = Tags()
    found.feed(html)
    return found


def hidden_characters(text: str) -> set[str]:
    return {c for c in text if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")} - {"\n"}


def test_a_terminal_and_a_ci_log_stay_what_they_are(evil_book: Gradebook, honest: Gradebook) -> None:
    text = render_summary(evil_book)
    assert hidden_characters(text) == set()
    assert not any(line.lstrip().startswith("::") for line in text.split("\n"))
    assert "##[" not in text
    extra = 2  # of the missing and the waiting
    assert len(text.split("\n")) == len(render_summary(honest).split("\n")) + extra


def test_html_has_no_tag_of_theirs(evil_book: Gradebook) -> None:
    for html in (overview.render_html(evil_book), *(pages.render_html(view(evil_book, r)) for r in evil_book.results)):
        found = tags(html)
        assert found.seen <= HARMLESS
        assert found.attributes <= {"lang", "charset", "http-equiv", "content", "name", "class", "style"}
        assert hidden_characters(html) == set()


def test_markdown_shows_it_and_makes_nothing_of_it(evil_book: Gradebook, honest: Gradebook) -> None:
    render = MarkdownIt("commonmark", {"html": True}).enable("table").render
    pairs = [
        (overview.render_markdown(evil_book), overview.render_markdown(replace(honest, missing=("m",), waiting=("n",))))
    ]
    pairs += [
        (pages.render_markdown(view(evil_book, a)), pages.render_markdown(view(honest, b)))
        for a, b in zip(evil_book.results, honest.results, strict=True)
    ]
    for text, harmless in pairs:
        assert tags(render(text)).seen <= HARMLESS
        assert hidden_characters(text) == set()
        for heading in ("<h1>", "<h2>", "<tr>"):
            assert render(text).count(heading) == render(harmless).count(heading)


def test_xml_is_well_formed_and_has_the_same_elements(evil_book: Gradebook, honest: Gradebook) -> None:
    root = ET.fromstring(render_junit(evil_book))
    assert [element.tag for element in root.iter()] == [
        element.tag for element in ET.fromstring(render_junit(honest)).iter()
    ]


def test_no_cell_is_a_formula_and_no_row_is_added(evil_book: Gradebook) -> None:
    rows = list(csv.reader(io.StringIO(render_csv(evil_book))))
    assert len(rows) == 1 + len(evil_book.results)
    assert len({len(row) for row in rows}) == 1
    for cell in (cell for row in rows for cell in row):
        assert not cell.lstrip().startswith(tuple("=+-@\uff1d")), cell
        assert hidden_characters(cell) == set()


def test_json_of_every_kind_stays_json(evil_book: Gradebook) -> None:
    assert render_json(evil_book).isascii()
    json.loads(render_json(evil_book))
    for result in evil_book.results:
        seen = json.loads(gradescope.render_gradescope(evil_book, result))
        texts = [seen["output"], *(test[key] for test in seen["tests"] for key in ("name", "output"))]
        assert {seen["output_format"], seen["test_output_format"], seen["test_name_format"]} == {"text"}
        line = classroom.render_classroom(evil_book, result)
        assert re.fullmatch(r"result=[A-Za-z0-9+/=]+\n", line)
        data = json.loads(base64.b64decode(line[len("result=") :]))
        texts += [test[key] for test in data["tests"] for key in ("name", "message")]
        assert all(hidden_characters(text) == set() for text in texts)


def test_a_sheet_gets_numbers_only(evil_book: Gradebook) -> None:
    sheet = "Student,ID,SIS Login ID,Section,HW (7)\nA,1,u,s,\n"
    filled = canvas.fill(sheet, replace(evil_book, title="HW", ids={evil_book.results[0].submission: "u"}))
    assert re.fullmatch(r"Student,ID,SIS Login ID,Section,HW \(7\)\nA,1,u,s,(\d+\.\d\d)?\n", filled.text)


# -- what is hidden stays hidden --

SECRET = case("zebra crossing", "    hidden: true\n    why: about a quagga\n    points: {out: 1, x: 3}\n",
              x="0.8125 + 0.5*normal(37, 41)", w="0.01*normal(41, 43)")  # fmt: skip
TELLTALE = re.compile(r"zebra|quagga|crossing|8125|\b37\b|\b41\b|\b43\b|1517|1763")
LOUD = REFERENCE.replace(
    "    dz =", "    raise ValueError(f'{x.shape} {w.shape} {x[0, 0]!r} {float(dout[0, 0])}')\n    dz ="
)
SUBMISSIONS = {
    "perfect": REFERENCE,
    "wrong": REFERENCE.replace("x.T @ dz", "2 * x.T @ dz").replace("dz @ w.T", "3 * dz @ w.T"),
    "shape": REFERENCE.replace("dz @ w.T", "(dz @ w.T).T"),
    "loud": LOUD,
    "crash": "# crashed",
    "endless": "# timeout",
    "numeric": REFERENCE.replace("x.T @ dz", "x.T @ dz * (1 + 1e-9)").replace("dz @ w.T", "dz @ w.T * (1 - 1e-9)"),
}


@pytest.mark.parametrize("level", get_args(Feedback))
def test_a_hidden_case_leaks_nothing_to_students(tmp_path: Path, level: str) -> None:
    sources = {**SUBMISSIONS, "patient": LOUD.replace("    raise", "    if x.shape[0] == 37: raise")}
    assignment = homework(tmp_path, case("open") + SECRET, head=f"  title: a\n  feedback: {level}\n")
    one = marker(assignment)
    results = [replace(one.mark(submission(source)), slug=n, student=n, seconds=0.0) for n, source in sources.items()]
    assert {result.points for result in results} >= {5.0, 0.0}
    book = gradebook(assignment, WALLS, results)
    for result in book.results:
        seen = view(book, result)
        outputs = [
            pages.render_markdown(seen), pages.render_html(seen), gradescope.render_gradescope(book, result),
            json.dumps(classroom.project(book, result)), render_junit(replace(book, results=(result,))),
        ]  # fmt: skip
        numbers = [f"{n:.6g}" for mark in result.checks if mark.is_hidden for t in mark.tensors
                   if t.finding is not None and t.finding.worst is not None
                   for n in (t.finding.worst.claimed, t.finding.worst.numeric)]  # fmt: skip
        for output in outputs:
            body = re.sub(r"<style>.*?</style>", "", output, flags=re.DOTALL)
            assert not TELLTALE.search(body), (result.slug, body)
            assert not any(number in body for number in numbers)
            if level != "none":
                assert "hidden 1" in body
    public = handout(assignment, Path(assignment.file).read_text()).text
    assert not TELLTALE.search(public)
    assert TELLTALE.search(render_json(book))  # the teacher's own file has it all
