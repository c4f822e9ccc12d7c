"""Whatever is handed in becomes bytes with a name, or a refusal of that one submission."""

from __future__ import annotations

import io
import os
import stat
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from gradcheck.grading import archives
from gradcheck.grading.submissions import SubmissionsError, entries, read_submission, slug_of
from gradcheck.model.grading import Submission
from tests.grading.helpers import entry

FILES = ("layers.py",)
CODE = b"x = 1\n"


def read(path: Path, files: tuple[str, ...] = FILES) -> Submission:
    return read_submission(entry(path), files)


def zipped(path: Path, *members: tuple[str, bytes], change: Callable[[zipfile.ZipInfo], None] | None = None) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            info = zipfile.ZipInfo(name)
            info.compress_type = zipfile.ZIP_DEFLATED
            if change:
                change(info)
            archive.writestr(info, content)
    return path


# -- what is one submission --


def test_every_entry_of_a_folder_is_a_submission_in_the_order_of_names(tmp_path: Path) -> None:
    for name in ("zoe.py", "ana.zip", ".DS_Store", "ben"):
        (tmp_path / name).mkdir() if name == "ben" else (tmp_path / name).write_bytes(CODE)
    assert [e.name for e in entries([tmp_path])] == ["ana", "ben", "zoe"]


def test_a_folder_can_be_one_submission(tmp_path: Path) -> None:
    (tmp_path / "layers.py").write_bytes(CODE)
    (one,) = entries([tmp_path], are_single=True)
    assert read_submission(one, FILES).files == {"layers.py": CODE}


@pytest.mark.parametrize("path", ["missing", "empty"])
def test_nothing_to_grade_is_an_error(tmp_path: Path, path: str) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(SubmissionsError):
        entries([tmp_path / path])


@pytest.mark.parametrize("name", ["..", "CON", "a" * 300, "ÄÖ", "日本", "a/b", "-rf", "x\ny", "=1+1", ""])
def test_slugs_are_safe_on_every_system(name: str) -> None:
    slug = slug_of(name)
    assert slug.isascii()
    assert len(slug) <= 49
    assert all(c.isalnum() or c == "-" for c in slug)
    assert not slug.startswith("-")


def test_names_that_differ_by_case_or_form_only_have_different_slugs() -> None:
    names = ["Ana", "ana", "ANA", "\u00e9", "e\u0301", "ana.py", "ana.zip"]
    assert len({slug_of(name).casefold() for name in names}) == len(names)


def test_the_same_name_in_two_folders_gets_two_slugs(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "ana.py").write_bytes(CODE)
    assert len({e.slug for e in entries([tmp_path / "a", tmp_path / "b"])}) == 2


# -- folders and single files --


def test_a_single_file_stands_for_the_declared_one(tmp_path: Path) -> None:
    (tmp_path / "ana_smith.py").write_bytes(CODE)
    assert read(tmp_path / "ana_smith.py").files == {"layers.py": CODE}


def test_a_single_file_is_too_little_where_several_are_asked_for(tmp_path: Path) -> None:
    (tmp_path / "ana.py").write_bytes(CODE)
    assert read(tmp_path / "ana.py", ("a.py", "b.py")).refusal == "it is one file, and 2 are asked for: a.py, b.py"


def test_declared_files_are_found_further_down_and_the_rest_is_left_aside(tmp_path: Path) -> None:
    inner = tmp_path / "ana" / "homework 1"
    inner.mkdir(parents=True)
    (inner / "layers.py").write_bytes(CODE)
    (inner / "numpy.py").write_bytes(b"evil")
    (inner / "__pycache__").mkdir()
    (inner / "__pycache__" / "layers.py").write_bytes(b"stale")
    found = read(tmp_path / "ana")
    assert found.files == {"layers.py": CODE}
    assert found.notes == ("1 other file in it left aside",)
    assert found.refusal == ""


def test_two_files_of_the_same_name_are_refused(tmp_path: Path) -> None:
    for folder in ("v1", "v2"):
        (tmp_path / "ana" / folder).mkdir(parents=True)
        (tmp_path / "ana" / folder / "layers.py").write_bytes(CODE)
    assert read(tmp_path / "ana").refusal == "2 files in it are called 'layers.py'"


def test_one_of_several_declared_files_is_enough_to_be_graded(tmp_path: Path) -> None:
    (tmp_path / "ana").mkdir()
    (tmp_path / "ana" / "a.py").write_bytes(CODE)
    found = read(tmp_path / "ana", ("a.py", "b.py"))
    assert list(found.files) == ["a.py"]
    assert found.refusal == ""


def test_links_pipes_devices_and_giants_are_refused(tmp_path: Path) -> None:
    secret = tmp_path / "secret.py"
    secret.write_bytes(CODE)
    os.symlink(secret, tmp_path / "link.py")
    os.mkfifo(tmp_path / "pipe.py")
    with (tmp_path / "giant.py").open("wb") as stream:
        stream.truncate(5 * 2**30)  # a hole: nothing is written
    (tmp_path / "folder").mkdir()
    os.symlink(secret, tmp_path / "folder" / "layers.py")
    (tmp_path / "work.pdf").write_bytes(b"%PDF")
    said = {name: read(tmp_path / name).refusal for name in ("link.py", "pipe.py", "giant.py", "folder", "work.pdf")}
    assert said == {
        "link.py": "it is a link",
        "pipe.py": "it is no regular file",
        "giant.py": "'giant.py' is larger than 1 MiB",
        "folder": "'layers.py' in it is a link",
        "work.pdf": "expected a folder, a .py or a .zip",
    }


def test_a_linked_folder_is_not_entered(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "layers.py").write_bytes(CODE)
    (tmp_path / "ana").mkdir()
    os.symlink(tmp_path / "elsewhere", tmp_path / "ana" / "sub")
    assert read(tmp_path / "ana").refusal == "there is no 'layers.py' in it"


def test_a_folder_of_thousands_of_files_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gradcheck.grading.submissions.MOST_ENTRIES", 10)
    for number in range(12):
        (tmp_path / f"{number}.txt").write_bytes(b"")
    assert read(tmp_path).refusal == "there are more than 10 files in it"


def test_a_name_of_any_bytes_can_be_written_down(tmp_path: Path) -> None:
    path = os.fsencode(tmp_path) + b"/a\xff\xfe.py"
    with open(path, "wb") as stream:
        stream.write(CODE)
    (found,) = entries([tmp_path])
    found.name.encode("utf-8")
    assert read_submission(found, FILES).files == {"layers.py": CODE}


# -- zips --


def test_a_zip_is_read_in_memory(tmp_path: Path) -> None:
    path = zipped(
        tmp_path / "ana.zip", ("hw/layers.py", CODE), ("__MACOSX/hw/._layers.py", b"x"), ("hw/notes.txt", b"x")
    )
    found = read(path)
    assert found.files == {"layers.py": CODE}
    assert found.notes == ("1 other file in it left aside",)
    assert list(tmp_path.iterdir()) == [path]


def as_link(info: zipfile.ZipInfo) -> None:
    info.external_attr = (stat.S_IFLNK | 0o777) << 16


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ([("../layers.py", CODE)], "'../layers.py' in the zip leads out of the zip"),
        ([("/etc/layers.py", CODE)], "'/etc/layers.py' in the zip leads out of the zip"),
        ([("C:/layers.py", CODE)], "'C:/layers.py' in the zip leads out of the zip"),
        ([("hw\\layers.py", CODE)], "'hw\\layers.py' in the zip has a backslash in its name"),
        ([("layers.py", CODE), ("LAYERS.py", b"y")], "'LAYERS.py' is in the zip twice"),
        ([("other.py", CODE)], "there is no 'layers.py' in it"),
        ([("layers.py", b"x" * (2**20 + 1))], "'layers.py' in the zip is larger than 1 MiB"),
    ],
)
def test_what_is_odd_about_a_zip_is_refused_by_name(
    tmp_path: Path, members: list[tuple[str, bytes]], said: str
) -> None:
    assert read(zipped(tmp_path / "a.zip", *members)).refusal == said


def test_links_in_a_zip_are_refused(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", ("layers.py", b"/etc/passwd"), change=as_link)
    assert read(path).refusal == "'layers.py' in the zip is a link"


def test_the_same_name_twice_is_refused(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="Duplicate name"):
        path = zipped(tmp_path / "a.zip", ("layers.py", CODE), ("layers.py", b"evil"))
    assert read(path).refusal == "'layers.py' is in the zip twice"


def test_encrypted_and_damaged_zips_are_refused(tmp_path: Path) -> None:
    data = bytearray(zipped(tmp_path / "a.zip", ("layers.py", CODE)).read_bytes())
    central = data.index(b"PK\x01\x02")
    data[6] |= 1
    data[central + 8] |= 1
    (tmp_path / "locked.zip").write_bytes(data)
    assert read(tmp_path / "locked.zip").refusal == "'layers.py' in the zip is encrypted"
    (tmp_path / "cut.zip").write_bytes(bytes(data[: len(data) // 2]))
    assert read(tmp_path / "cut.zip").refusal == "this is not a zip, or a damaged one"
    (tmp_path / "text.zip").write_bytes(b"hello")
    assert read(tmp_path / "text.zip").refusal == "this is not a zip, or a damaged one"


def test_a_bomb_is_measured_by_what_comes_out(tmp_path: Path) -> None:
    """A hundred megabytes of zeros in a hundred kilobytes; and one that claims to be small."""
    path = zipped(tmp_path / "a.zip", ("layers.py", b"\0" * 100_000_000))
    assert path.stat().st_size < 200_000
    assert read(path).refusal == "'layers.py' in the zip is larger than 1 MiB"
    data = bytearray(path.read_bytes())
    central = data.index(b"PK\x01\x02")
    struct.pack_into("<L", data, 22, 100)
    struct.pack_into("<L", data, central + 24, 100)
    (tmp_path / "liar.zip").write_bytes(data)
    assert read(tmp_path / "liar.zip").refusal == "'layers.py' in the zip cannot be read: BadZipFile"


def test_overlapping_entries_are_refused(tmp_path: Path) -> None:
    """As in the bombs of D. Fifield: every entry of the table points at the same bytes."""
    data = zipped(tmp_path / "a.zip", ("layers.py", CODE * 50)).read_bytes()
    start = data.index(b"PK\x01\x02")
    end = data.index(b"PK\x05\x06")
    entry_ = data[start:end]
    twin = entry_.replace(b"layers.py", b"others.py")
    size = len(entry_) * 2
    tail = data[end : end + 8] + struct.pack("<HHLL", 2, 2, size, start) + b"\0\0"
    (tmp_path / "b.zip").write_bytes(data[:start] + entry_ + twin + tail)
    assert "overlaps with another entry" in read(tmp_path / "b.zip").refusal


def test_a_million_entries_are_refused_before_they_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives.zipfile, "ZipFile", lambda *_: pytest.fail("the table was read"))
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, 60_000_000, 0, 0)
    with pytest.raises(archives.RefusedError, match="more than 2000 entries"):
        archives.entries_of(b"x" * 100 + end)


def test_a_table_that_lies_about_its_size_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MOST_ENTRIES", 5)
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for number in range(8):
            archive.writestr(str(number), b"")
    data = bytearray(stream.getvalue())
    struct.pack_into("<2H", data, len(data) - 14, 1, 1)  # "one entry"
    with pytest.raises(archives.RefusedError, match="8 entries, and 5 is the most"):
        archives.entries_of(bytes(data))


def test_the_digest_is_that_of_names_and_contents(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_bytes(CODE)
    (tmp_path / "b.py").write_bytes(CODE)
    first, second = read(tmp_path / "a.py"), read(tmp_path / "b.py")
    assert first.sha256 == second.sha256
    (tmp_path / "b.py").write_bytes(CODE + b"#")
    assert read(tmp_path / "b.py").sha256 != first.sha256
