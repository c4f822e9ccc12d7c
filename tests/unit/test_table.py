"""The table that people read: whole outputs as golden files, and what holds for every report at every width."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from rich.cells import cell_len

from gradcheck.model.report import Report
from gradcheck.reporters.table import render_table
from tests.golden.helper import check_golden
from tests.unit import reports

ANSI = re.compile(r"\x1b\[[0-9;]*m")
NUMBER = re.compile(r"(?<![\w.-])-?(?:\d+\.\d+(?:e[+-]\d+)?|nan|inf)(?![\w.])")
WIDTHS = (60, 80, 120, 160)
TAME = Report(tuple(case for case in reports.EVERYTHING if case is not reports.LONG_NAME), reports.PROBLEMS)


def tables(text: str) -> list[str]:
    """The lines of the tables, headers included: all blocks before the first paragraph in words."""
    blocks = text.split("\n\n")
    return [line for block in blocks if "\n─" in block or "\n-" in block for line in block.split("\n")]


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", reports.REPORTS)
def test_a_report_looks_as_it_did(name: str, width: int) -> None:
    check_golden(f"reports/{name}.{width}.txt", render_table(reports.REPORTS[name], width=width))


@pytest.mark.parametrize("name", ["all_pass", "everything", "hostile"])
def test_a_verbose_report_looks_as_it_did(name: str) -> None:
    check_golden(f"reports/{name}.verbose.txt", render_table(reports.REPORTS[name], width=120, verbose=True))


def test_a_coloured_report_looks_as_it_did() -> None:
    check_golden("reports/one_fail.color.txt", render_table(reports.REPORTS["one_fail"], width=100, color=True))


def test_a_report_for_an_ascii_terminal_looks_as_it_did() -> None:
    check_golden("reports/everything.ascii.txt", render_table(reports.REPORTS["everything"], encoding="ascii"))


@pytest.mark.parametrize("verbose", [False, True])
@pytest.mark.parametrize("name", reports.REPORTS)
def test_without_colour_a_report_is_plain_text(name: str, verbose: bool) -> None:
    text = render_table(reports.REPORTS[name], verbose=verbose)
    assert text.endswith("\n")
    assert all(line.isprintable() and line == line.rstrip() for line in text.split("\n"))


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", reports.REPORTS)
def test_colour_changes_nothing_but_the_colour(name: str, width: int) -> None:
    report = reports.REPORTS[name]
    coloured = ANSI.sub("", render_table(report, width=width, color=True, verbose=True))
    plain = render_table(report, width=width, verbose=True)
    assert [line.rstrip() for line in coloured.split("\n")] == plain.split("\n")


def test_an_expected_failure_is_not_red() -> None:
    text = render_table(Report((reports.EXPECTED_FAIL,)), color=True, verbose=True)
    assert "fails as expected" in text
    assert "31m" not in text
    assert "31m" in render_table(Report((reports.FAILING,)), color=True)


@pytest.mark.parametrize("width", [60, 61, 72, 80, 100, 120, 160])
@pytest.mark.parametrize("verbose", [False, True])
def test_no_line_is_wider_than_the_screen(width: int, verbose: bool) -> None:
    lines = render_table(TAME, width=width, verbose=verbose).split("\n")
    assert [line for line in lines if cell_len(line) > width] == []


@pytest.mark.parametrize("width", [20, 40, *WIDTHS])
@pytest.mark.parametrize("verbose", [False, True])
def test_no_number_is_ever_cut(width: int, verbose: bool) -> None:
    widest = NUMBER.findall("\n".join(tables(render_table(TAME, width=500, verbose=verbose))))
    shown = NUMBER.findall("\n".join(tables(render_table(TAME, width=width, verbose=verbose))))
    assert shown
    assert set(shown) <= set(widest)


@pytest.mark.parametrize("width", [100, 120, 160])
def test_columns_stay_aligned_beside_wide_characters(width: int) -> None:
    wide = replace(reports.FAILING, name="損失関数 loss", findings=(replace(reports.HALF, tensor="權"),))
    lines = tables(render_table(Report((wide, reports.FAILING)), width=width))
    places = {cell_len(line.partition("±")[0]) for line in lines if "±" in line and "bound" not in line}
    assert len(places) == 1


def test_the_widest_table_has_every_column() -> None:
    header = render_table(reports.REPORTS["one_fail"], width=160).split("\n")[0]
    assert re.split(r"\s{2,}", header.strip()) == [
        "case", "tensor", "shape", "worst", "claimed", "numeric ± bound", "rel. error", "verdict",
    ]  # fmt: skip


def test_failures_come_worst_first_and_before_passes() -> None:
    text = render_table(TAME, width=160)
    order = [
        "! layer that breaks", "! nothing there", "✗ transposed", "✗ log of zero", "✗ overflow", "✗ 损失函数", "✗ mlp",
        "✗ eleven digits", "✗ one sign too many", "✗ this was meant", "? noisy", "? dead units", "✓ small classifier",
    ]  # fmt: skip
    places = [text.index(f"\n{start}") for start in order]
    assert places == sorted(places)


def test_seconds_stand_in_the_last_line_only() -> None:
    slow = Report(tuple(replace(case, seconds=17.0) for case in reports.EVERYTHING))
    fast = Report(tuple(replace(case, seconds=0.0) for case in reports.EVERYTHING))
    *slow_lines, slow_last, _ = render_table(slow, verbose=True).split("\n")
    *fast_lines, fast_last, _ = render_table(fast, verbose=True).split("\n")
    assert slow_lines == fast_lines
    assert slow_last.endswith("374.00 s")
    assert fast_last.endswith("0.00 s")


def test_surroundings_do_not_change_the_report(monkeypatch: pytest.MonkeyPatch) -> None:
    before = render_table(TAME)
    for name, value in {
        "COLUMNS": "30", "FORCE_COLOR": "1", "TERM": "xterm-256color", "TTY_COMPATIBLE": "1", "COLORTERM": "truecolor",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    assert render_table(TAME) == before
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "dumb")
    assert "\x1b[" in render_table(TAME, color=True)


def test_hostile_text_is_shown_as_escapes() -> None:
    text = render_table(reports.REPORTS["hostile"], width=500, verbose=True)
    assert "[red]bold[/red] \\x1b[31mred\\x1b[0m\\nnext\\x00 \\u202egnp.exe\\u2066 \\x9b2J" in text
    assert not set(text) & set("\x1b\x00\u202e\u2066\x9b")


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "cp437", "koi8-r"])
@pytest.mark.parametrize("name", reports.REPORTS)
def test_a_report_fits_the_encoding_of_its_output(name: str, encoding: str) -> None:
    render_table(reports.REPORTS[name], encoding=encoding, verbose=True).encode(encoding)


def test_members_of_a_sweep_are_told_apart_by_what_differs() -> None:
    text = render_table(Report(reports.SWEPT), verbose=True)
    assert [f"affine [N={n}]" in text for n in (1, 2, 7)] == [True, True, True]
    assert "D=3" not in text
    assert text.count("forward: out, cache = affine_forward(x, w, b)") == 1
