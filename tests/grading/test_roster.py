"""Students are found by the ids in the names of what they handed in."""

from __future__ import annotations

from pathlib import Path

import pytest

from gradcheck.grading.roster import RosterError, matched, read_roster
from gradcheck.model.grading import Student

ANA, BEN, JO = Student("84120", "Ana Smith"), Student("b.wong", "Ben Wong"), Student("jo@uni.edu", "Jo")


def roster(folder: Path, text: str) -> tuple[Student, ...]:
    (folder / "roster.csv").write_text(text, encoding="utf-8")
    return read_roster(folder / "roster.csv")


@pytest.mark.parametrize(
    "text",
    [
        "id,name\n84120,Ana Smith\nb.wong,Ben Wong\n",
        "\ufeffName;ID;Group\nAna Smith;84120;1\n\nBen Wong;b.wong;2\n",
        'Student ID\tName\n84120\t"Ana Smith"\nb.wong\tBen Wong\n',
    ],
)
def test_a_roster_is_a_csv_with_titles_whatever_stands_between(tmp_path: Path, text: str) -> None:
    assert roster(tmp_path, text) == (ANA, BEN)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("nr,name\n1,a\n", "has no column 'id'"),
        ("", "has no column 'id'"),
        ("id,name\n1,a\n1,b\n", "has '1' twice"),
    ],
)
def test_what_is_no_roster_is_told(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(RosterError) as raised:
        roster(tmp_path, text)
    assert said in raised.value.message


def test_a_roster_that_is_no_text_is_told(tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(RosterError, match="cannot be read as UTF-8"):
        read_roster(tmp_path / "r.csv")


@pytest.mark.parametrize(
    ("name", "student"),
    [
        ("84120", ANA),
        ("smith_ana_84120_7731_hw1", ANA),
        ("Ana Smith_84120_assignsubmission_file", ANA),
        ("b.wong", BEN),
        ("B.Wong hw1", BEN),
        ("jo@uni.edu_late", JO),
        ("841200", None),
        ("84120_b.wong", None),  # a pair, or a mistake: a person decides
        ("nobody", None),
    ],
)
def test_an_id_is_found_between_what_platforms_put_around_it(name: str, student: Student | None) -> None:
    assert matched([name], [ANA, BEN, JO]).get(name) == student
