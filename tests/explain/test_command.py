"""`gradcheck explain` from the outside: which case is meant, formats, files, streams and exit codes."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from gradcheck.casefile.loader import load
from gradcheck.checking.building.build import build
from gradcheck.cli import main
from gradcheck.explain.explain import explain as explained
from gradcheck.model.explanation import Explanation
from gradcheck.reporters.explanation.mermaid import render_mermaid
from gradcheck.reporters.explanation.page import render_page
from gradcheck.reporters.explanation.text import render_text

PUBLISHED = "cases/11_published_example.yaml"
HOSTILE = '<script>alert("1")</script> & `x` \x1b[31m |"]) end'


def explain(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["explain", *arguments])


def test_a_file_with_one_case_needs_no_name() -> None:
    done = explain("cases/01_apples_and_oranges.yaml")
    assert done.exit_code == 0
    assert done.stderr == ""
    assert done.stdout.startswith("apples and oranges  cases/01_apples_and_oranges.yaml:1\n")


@pytest.mark.parametrize("name", ["the right gradients", "right gradients", "Right Gradients"])
def test_a_name_or_a_part_of_one_chooses_a_case(name: str) -> None:
    assert explain(f"{PUBLISHED}::{name}").stdout.startswith(f"the right gradients  {PUBLISHED}:")


@pytest.mark.parametrize(
    ("case", "message"),
    [
        (PUBLISHED, f"error: '{PUBLISHED}' holds 4 cases\n  name one of them: '{PUBLISHED}::the published output', "),
        (f"{PUBLISHED}::right", "error: 'right' matches 2 cases\n  name one of them: "),
        (f"{PUBLISHED}::the right gradient!", f"error: there is no case 'the right gradient!' in '{PUBLISHED}'\n"
                                              "  did you mean 'the right gradients'?\n"),
        ("cases/none.yaml", "cases/none.yaml:1:1: error: "),
        ("tests/broken/unknown_operation.yaml", "tests/broken/unknown_operation.yaml:"),
        ("tests/broken/misspelt_key.yaml", "tests/broken/misspelt_key.yaml:"),
    ],
)  # fmt: skip
def test_where_no_single_case_can_be_told_the_reason_is(case: str, message: str) -> None:
    done = explain(case)
    assert done.exit_code == 2
    assert done.stdout == ""
    assert done.stderr.startswith(message)


def test_all_mistakes_of_a_case_are_told_at_once(tmp_path: Path) -> None:
    file = tmp_path / "two.yaml"
    file.write_text("name: two\nfunction: |\n  a = sigmod(x)\n  rel(x)\ninputs:\n  x: 1\n")
    done = explain(str(file))
    assert done.exit_code == 2
    assert re.findall(r":(\d+):\d+: error: (.*)", done.stderr) == [
        ("3", "unknown function 'sigmod'"), ("4", "unknown function 'rel'"),
    ]  # fmt: skip


@pytest.mark.parametrize(("option", "value"), [("--lr", "0"), ("--lr", "-1"), ("--lr", "nan"), ("--lr", "inf")])
def test_a_rate_that_is_no_step_is_refused(option: str, value: str) -> None:
    done = explain(PUBLISHED, option, value)
    assert done.exit_code == 2
    assert "expected a number over 0" in done.stderr


def test_a_combination_of_a_sweep_is_named_and_the_first_one_taken_otherwise() -> None:
    file = "cases/12_handwritten.yaml"
    assert explain(f"{file}::a pair of functions").stdout.startswith("a pair of functions [N=1]  ")
    assert explain(f"{file}::a pair of functions [N=4]").stdout.startswith("a pair of functions [N=4]  ")


def test_a_seed_moves_the_point() -> None:
    case = "cases/02_nodes.yaml::a value used twice collects"
    shown = [explain(case, "--seed", str(seed)).stdout for seed in (0, 0, 1)]
    assert shown[0] == shown[1] == explain(case).stdout != shown[2]


def test_of_handwritten_code_inputs_outputs_and_gradients_are_told_and_no_more() -> None:
    done = explain("cases/12_handwritten.yaml::a pair of functions")
    for heading in ("Inputs and parameters", "Outputs", "Upstream gradients", "Gradients, as backward gives them"):
        assert f"\n{heading}" in done.stdout
    assert "  forward: out, cache = affine_forward(x, w, b)\n" in done.stdout
    for word in ("Forward:", "Layers", "descent", "local"):
        assert word not in done.stdout
    case = load(["cases/12_handwritten.yaml"]).cases[0]
    built = build(case)
    gradient = built.problem.claims[0].gradients["b"]
    assert f"  db         (2,)       [{', '.join(f'{v:.6g}' for v in gradient)}]\n" in done.stdout


def test_code_has_no_step_to_take() -> None:
    done = explain("cases/12_handwritten.yaml::a pair of functions", "--parameters", "w")
    assert done.exit_code == 2
    assert "a case of code is explained without a step" in done.stderr


def test_code_that_raises_is_an_error_and_no_traceback(tmp_path: Path) -> None:
    (tmp_path / "layers.py").write_text("def f(x):\n    raise ValueError('no')\n")
    file = tmp_path / "case.yaml"
    file.write_text("name: f\ncode: layers.py\nforward: out = f(x)\nbackward: dx = f(dout)\ninputs:\n  x: normal(2)\n")
    done = explain(str(file))
    assert done.exit_code == 2
    assert done.stderr == f"{file}:1:1: error: your code raised ValueError: no in forward, layers.py:2\n\n"


def test_a_file_is_written_where_it_is_asked_for(tmp_path: Path) -> None:
    page = tmp_path / "apples.html"
    done = explain("cases/01_apples_and_oranges.yaml", "--format", "html", "-o", str(page))
    assert (done.exit_code, done.stdout) == (0, "")
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>\n")
    done = explain("cases/01_apples_and_oranges.yaml", "-o", str(tmp_path / "no" / "where.txt"))
    assert done.exit_code == 2
    assert "No such file or directory" in done.stderr


@pytest.mark.parametrize("format_", ["text", "mermaid", "html"])
def test_full_shows_every_number(format_: str, tmp_path: Path) -> None:
    file = tmp_path / "long.yaml"
    numbers = [100 + i for i in range(30)]
    file.write_text(f"name: long\nfunction: sum(x)\ninputs:\n  x: {json.dumps(numbers)}\n")
    short, full = (explain(str(file), "--format", format_, *more).stdout for more in ((), ("--full",)))
    assert "117" not in short
    assert all(str(n) in full for n in numbers)


class Page(HTMLParser):
    """The tags of a page and the texts between them; unbalanced tags are remembered."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.texts: list[str] = []
        self.links: list[str] = []
        self.unbalanced: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.links += [value or "" for name, value in attrs if name in ("src", "href") or name.startswith("on")]
        if tag not in ("meta", "br", "path", "rect"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in ("path", "rect") and (not self.open or self.open.pop() != tag):
            self.unbalanced.append(tag)

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


@pytest.fixture
def hostile() -> Explanation:
    """Every text of it says what it should not."""
    case = load(["cases/08_small_classifier.yaml"]).cases[1]
    told = explained(case, 0.01)
    return replace(
        told,
        name=HOSTILE,
        why=f"{HOSTILE} again",
        file=HOSTILE,
        notes=(HOSTILE,),
        vertices=tuple(replace(v, label=HOSTILE, text=HOSTILE, notes=(HOSTILE,)) for v in told.vertices),
        layers=tuple(replace(layer, label=HOSTILE, notes=(HOSTILE,)) for layer in told.layers),
    )


def test_the_page_is_self_contained_and_hostile_text_stays_text(hostile: Explanation) -> None:
    text = render_page(hostile)
    page = Page()
    page.feed(text)
    assert page.unbalanced == []
    assert page.open == []
    assert page.links == []
    assert "script" not in page.tags
    shown = HOSTILE.replace("\x1b", "\\x1b")
    assert shown in page.texts
    assert f"{shown} again" in page.texts
    assert not re.search(r"url\(|@import", text)


def test_hostile_text_moves_no_cursor_and_makes_no_line_of_a_diagram(hostile: Explanation) -> None:
    assert "\x1b" not in render_text(hostile)
    diagram = render_mermaid(hostile).splitlines()
    assert diagram[1] == "flowchart TD"
    line = r'  (  )?(n\d+(\(\[".*"\]\)|\[".*"\]| -->(\|"[^"|]*"\|)? n\d+)|subgraph layer\d+\["[^"]*"\]|end)'
    assert [text for text in diagram[2:] if not re.fullmatch(line, text)] == []
    assert all(text.count('"') in (0, 2) and "<script" not in text for text in diagram[1:])


def test_colours_are_ours_alone(hostile: Explanation) -> None:
    plain = re.sub(r"\x1b\[[\d;]*m", "", render_text(hostile, color=True))
    assert "\x1b" not in plain
    assert plain == render_text(hostile)


@pytest.mark.parametrize("format_", ["text", "mermaid", "html"])
def test_a_graph_of_every_case_of_the_gallery_can_be_told(format_: str) -> None:
    """Nothing in the gallery breaks a format; arrays that are not finite, empty or large among them."""
    render = {"text": render_text, "mermaid": render_mermaid, "html": render_page}[format_]
    seen = set()
    for case in load(["cases"]).cases:
        if case.variant is None and (case.file, case.name) not in seen:
            seen.add((case.file, case.name))
            explanation = explained(case, 0.01)
            assert render(explanation).endswith("\n")
            for vertex in explanation.vertices:
                assert np.isfinite(vertex.value).all()
    assert len(seen) > 60


def test_code_that_does_not_end_is_stopped_by_the_cases_own_limit(tmp_path: Path) -> None:
    (tmp_path / "layers.py").write_text("def f(x):\n    while True:\n        pass\n")
    file = tmp_path / "case.yaml"
    file.write_text("name: f\ncode: layers.py\nforward: out = f(x)\nbackward: dx = f(dout)\ntimeout: 0.3\n"
                    "inputs:\n  x: normal(2)\n")  # fmt: skip
    done = explain(str(file))
    assert done.exit_code == 2
    assert "0.3 s" in done.stderr
