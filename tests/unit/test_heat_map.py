"""The picture of a failing tensor: whole pictures, as they are read."""

from __future__ import annotations

from gradcheck.model.report import HeatMap
from gradcheck.reporters.heat_map import LEGEND, MOST_ROWS, draw_heat_map


def heat(shape: tuple[int, ...], errors: list[float], wrong: list[bool | None]) -> HeatMap:
    return HeatMap(shape, tuple(errors), tuple(wrong))


def test_every_element_of_a_matrix_is_one_character() -> None:
    errors = [1e-9, 5e-5, 5e-4, 5e-3, 0.05, 0.3, 0.9, float("inf")]
    drawn = draw_heat_map(heat((2, 4), errors, [False, True, True, True, True, True, True, None]))
    assert drawn == ["  0  . 1 2 3", "  1  4 5 # ?", f"  {LEGEND}"]


def test_a_vector_is_one_line_and_a_single_number_none() -> None:
    assert draw_heat_map(heat((3,), [0.0, 0.6, 0.0], [False, True, False])) == ["  . # .", f"  {LEGEND}"]
    assert draw_heat_map(heat((), [1.0], [True])) == []
    assert draw_heat_map(heat((1, 1), [1.0], [True])) == []


def test_the_axes_before_the_last_two_are_named_above_their_block() -> None:
    drawn = draw_heat_map(heat((2, 1, 2, 2), [0.6] * 8, [True] * 4 + [False] * 4))
    assert drawn[:6] == ["  [0, 0]", "  0  # #", "  1  # #", "  [1, 0]", "  0  . .", "  1  . ."]


def test_no_line_is_wider_than_eighty_cells_or_the_screen_and_what_is_cut_is_said() -> None:
    count = 40 * 200
    wide = heat((40, 200), [0.6] * count, [True] * count)
    for width in (80, 100, 60):
        drawn = draw_heat_map(wide, width)
        assert max(map(len, drawn[:-1])) <= min(width, 80)
        columns = f"columns 0 to {min(width, 80) - 7} of 200"
        assert drawn[-2] == f"  (rows 0 to {MOST_ROWS - 1} of 40, {columns})"
    assert len(LEGEND) + 2 <= 80


def test_what_is_cut_has_the_first_wrong_element_in_it() -> None:
    wrong: list[bool | None] = [False] * (100 * 300)
    wrong[70 * 300 + 250] = True
    drawn = draw_heat_map(heat((100, 300), [0.6] * len(wrong), wrong))
    assert drawn[0] == " " * 3 + "70  " + "." * 23 + "#" + "." * 49
    assert drawn[-2] == "  (rows 70 to 93 of 100, columns 227 to 299 of 300)"


def test_a_cut_block_says_which_one_it_is() -> None:
    wrong: list[bool | None] = [False] * (5 * 10 * 3)
    wrong[(3 * 10 + 4) * 3] = True
    drawn = draw_heat_map(heat((5, 10, 3), [0.6] * len(wrong), wrong))
    assert drawn[0] == "  [2]"
    assert "   4  # . ." in drawn


def test_the_map_is_plain_text() -> None:
    assert "".join(draw_heat_map(heat((2, 2), [0.6] * 4, [True] * 4))).isascii()
