"""Zips that were made to break whoever opens them: each is a refusal, and nobody else waits or pays for it."""

from __future__ import annotations

import io
import lzma
import struct
import zipfile
from pathlib import Path

import pytest

from gradcheck.grading.archives import RefusedError, entries_of
from gradcheck.grading.submissions import read_submission
from tests.grading.helpers import entry


@pytest.mark.parametrize("spoil", ["properties", "dictionary", "size", "garbage", "honest"])
def test_only_what_every_program_packs_is_unpacked(tmp_path: Path, spoil: str) -> None:
    """Decompressors fail in ways of their own, and LZMA's reserves whatever memory the file asks for."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("layers.py", b"x = 1\n" * 99)
    content = bytearray(stream.getvalue())
    at = content.index(b"layers.py") + len("layers.py")  # version (2), size of the properties (2), properties (5), data
    places = {"properties": slice(at + 4, at + 5), "dictionary": slice(at + 5, at + 9), "size": slice(at + 2, at + 4)}
    place = places.get(spoil, slice(at + 9, at + 20) if spoil == "garbage" else slice(0, 0))
    content[place] = b"\xff" * (place.stop - place.start)
    (tmp_path / "a.zip").write_bytes(content)
    found = read_submission(entry(tmp_path / "a.zip"), ("layers.py",))
    assert found.refusal == "'layers.py' in the zip is compressed in a way that is not usual"


@pytest.mark.parametrize("error", [lzma.LZMAError("x"), MemoryError(), RecursionError(), struct.error("x")])
def test_whatever_a_submission_makes_us_raise_is_a_refusal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def failing(*_: object) -> object:
        raise error

    (tmp_path / "a.py").write_text("x = 1")
    monkeypatch.setattr("gradcheck.grading.submissions._content", failing)
    found = read_submission(entry(tmp_path / "a.py"), ("layers.py",))
    assert (found.files, found.refusal) == ({}, f"it cannot be read: {type(error).__name__}")


@pytest.mark.parametrize("end", ["of 64 bits", "of 64 bits elsewhere", "twice"])
def test_no_end_of_a_zip_hides_how_long_its_table_is(monkeypatch: pytest.MonkeyPatch, end: str) -> None:
    """An end of 64 bits counts for more than the usual one; and a mark inside an end is none."""
    entries, size = 100_000, 5_000_000
    usual = struct.Struct("<4s4H2LH")
    content = b"x" * 99
    if end == "twice":
        content += usual.pack(b"PK\5\6", 0, 0, entries & 0xFFFF, entries & 0xFFFF, size, 0x06054B50, 0)
    else:
        content += struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, entries, entries, size, 0)
        content += b"" if end == "of 64 bits" else b"y" * 50
        content += struct.pack("<4sLQL", b"PK\6\7", 0, 99, 1) + usual.pack(b"PK\5\6", 0, 0, 1, 1, 46, 0, 0)
    monkeypatch.setattr(zipfile, "ZipFile", None)  # nobody may begin to read it
    with pytest.raises(RefusedError, match="more than 2000 entries"):
        entries_of(content)
