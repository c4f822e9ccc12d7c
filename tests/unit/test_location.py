"""Places of characters, and the caret below a line."""

from __future__ import annotations

from gradcheck.location import Location, SourceText, Span, excerpt, line_starts, row_of


def test_a_location_is_written_as_file_line_and_column() -> None:
    assert str(Location("a.yaml", 3, 14)) == "a.yaml:3:14"


def test_locations_sort_by_file_then_line_then_column() -> None:
    places = [Location("b", 1, 1), Location("a", 10, 2), Location("a", 9, 3), Location("a", 9, 1)]
    assert sorted(places) == [places[3], places[2], places[1], places[0]]


def test_a_span_reaches_to_the_end_of_another() -> None:
    assert Span(2, 4).to(Span(7, 9)) == Span(2, 9)


def test_every_character_of_an_indented_text_has_its_place() -> None:
    text = SourceText("ab\nc", (Location("f", 5, 3), Location("f", 6, 9)))
    assert [text.locate(i) for i in range(5)] == [
        Location("f", 5, 3),
        Location("f", 5, 4),
        Location("f", 5, 5),
        Location("f", 6, 9),
        Location("f", 6, 10),
    ]


def test_lines_beyond_the_known_ones_count_on() -> None:
    text = SourceText("a\nb\nc", (Location("f", 5, 3),))
    assert text.locate(4) == Location("f", 7, 1)


def test_a_jump_moves_the_rest_of_its_line_and_no_other() -> None:
    text = SourceText("abc\nd", (Location("f", 1, 1), Location("f", 4, 1)), ((1, Location("f", 2, 7)),))
    assert text.locate(0) == Location("f", 1, 1)
    assert text.locate(2) == Location("f", 2, 8)
    assert text.locate(4) == Location("f", 4, 1)


def test_a_text_of_its_own_begins_at_the_first_line() -> None:
    text = SourceText.of("a\nb", "mine")
    assert text.starts == (Location("mine", 1, 1), Location("mine", 2, 1))


def test_an_excerpt_underlines_the_width() -> None:
    assert excerpt("loss: sum(sigmod(x))", 11, 6) == "loss: sum(sigmod(x))\n          ^~~~~~"


def test_an_excerpt_underlines_no_further_than_its_line() -> None:
    assert excerpt("abc  ", 2, 50) == "abc\n ^~"


def test_an_excerpt_of_a_long_line_is_cut_around_the_caret() -> None:
    line = "x" * 300 + "HERE" + "y" * 300
    shown, caret = excerpt(line, 301, 4).split("\n")
    assert len(shown) == 100
    assert shown[caret.index("^") :].startswith("HERE")
    assert caret.endswith("^~~~")


def test_an_excerpt_shows_what_cannot_be_printed_as_a_dot_in_its_place() -> None:
    assert excerpt("a\x07\tb", 4) == "a· b\n   ^"


def test_rows_are_found_by_the_starts_of_lines() -> None:
    starts = line_starts("ab\n\nc")
    assert starts == [0, 3, 4]
    assert [row_of(starts, offset) for offset in range(5)] == [0, 0, 0, 1, 2]
