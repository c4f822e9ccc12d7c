"""Markdown that renders: tables with as many cells as columns, code that stays code, and no text with a meaning."""

from __future__ import annotations

import pytest
from markdown_it.token import Token

from gradcheck.model.report import Report
from gradcheck.reporters.markdown import CASES, ELEMENTS, render_markdown
from tests.unit.reports import FAILING, PASSING, REPORTS, SWEPT
from tests.unit.sinks import STARTS, evil_report, markdown_tokens, shown

OURS = {
    "heading",
    "paragraph",
    "inline",
    "code_block",
    "table",
    "thead",
    "tbody",
    "tr",
    "th",
    "td",
    "bullet_list",
    "list_item",
}


def tables(tokens: list[Token]) -> list[list[list[str]]]:
    """Tables → rows → texts of cells."""
    found: list[list[list[str]]] = []
    for number, token in enumerate(tokens):
        if token.type == "table_open":
            found.append([])
        elif token.type == "tr_open":
            found[-1].append([])
        elif token.type in ("th_open", "td_open"):
            found[-1][-1].append(shown(tokens[number + 1]))
    return found


def test_the_page_of_a_failing_run() -> None:
    assert render_markdown(Report((PASSING, FAILING))).replace("\\", "") == (
        "# gradcheck\n"
        "\n"
        "**2 cases: 1 fail, 1 pass**\n"
        "\n"
        "could have missed at most 1.1e-08 · 424 evaluations · 0.03 s\n"
        "\n"
        "| case | worst at | claimed | numeric | bound | relative error | verdict |\n"
        "|---|---|---:|---:|---:|---:|---|\n"
        "| mlp | W1[0, 2] | 0.4127 | 0.8254 | 2.0e-10 | 5.0e-01 | fail |\n"
        "| mlp | b1[1] | 1.000010 | 1.000000 | 3.0e-11 | 1.0e-05 | fail |\n"
        "\n"
        "### mlp, W1: fail, shape (3, 4), 12 of 12 elements differ\n"
        "\n"
        "    worst at W1[0, 2]: backward claims 0.4127, numeric 0.8254 ± 2.0e-10, relative error 5.0e-01 "
        "(limit 1.0e-06)\n"
        "    likely: claimed is half of numeric everywhere; a factor 2 is lost (d x²/dx = 2x?)\n"
        "\n"
        "cases/mlp.yaml:3\n"
        "\n"
        "### mlp, b1: fail, shape (4,), 1 of 4 elements differs\n"
        "\n"
        "    worst at b1[1]: backward claims 1.000010, numeric 1.000000 ± 3.0e-11, relative error 1.0e-05 "
        "(limit 1.0e-06)\n"
        "\n"
        "cases/mlp.yaml:3\n"
        "\n"
        "## Cases\n"
        "\n"
        "| case | tensors | resolution | verdict |\n"
        "|---|---:|---:|---|\n"
        "| mlp | 3 | 3.0e-08 | fail |\n"
        "| small classifier | 3 | 1.1e-08 | pass |\n"
    )


@pytest.mark.parametrize("report", [*REPORTS.values(), *map(evil_report, STARTS)])
def test_nothing_but_our_own_structure_comes_of_it(report: Report) -> None:
    tokens = markdown_tokens(render_markdown(report))
    assert {token.type.removesuffix("_open").removesuffix("_close") for token in tokens} <= OURS
    bold = 0
    for token in tokens:
        kinds = [child.type for child in token.children or ()]
        bold += kinds.count("strong_open")
        assert set(kinds) <= {"text", "text_special", "strong_open", "strong_close"}
    assert bold == 1
    for rows in tables(tokens):
        assert tuple(rows[0]) in (ELEMENTS, CASES)
        assert {len(row) for row in rows} == {len(rows[0])}


def test_every_case_is_in_the_table_of_cases() -> None:
    rows = tables(markdown_tokens(render_markdown(Report((FAILING, *SWEPT)))))[-1]
    assert [row[0] for row in rows[1:]] == ["mlp", "affine [N=1]", "affine [N=2]", "affine [N=7]"]


def test_a_note_is_told_once() -> None:
    page = render_markdown(Report(SWEPT)).replace("\\", "")
    assert page.endswith("## Notes\n\n- backward overwrites dout (affine [N=1]; affine [N=2]; affine [N=7])\n")


def test_an_empty_report_says_so() -> None:
    assert render_markdown(Report(())) == "# gradcheck\n\n**no cases**\n"
