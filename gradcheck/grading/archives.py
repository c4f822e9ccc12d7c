"""Zips that strangers made: only the declared files are taken out, into memory, and whatever is odd is refused by name.

Nothing is ever extracted to a disk. Sizes are those of what really comes out, never those that the archive claims.
"""

from __future__ import annotations

import io
import stat
import struct
import unicodedata
import zipfile
from collections.abc import Iterator, Sequence
from itertools import pairwise

from gradcheck.errors import GradcheckError

MOST_BYTES = 20 * 2**20  # of an archive
MOST_ENTRIES = 2000
MOST_DIRECTORY = 2**20  # bytes of its table of contents; 2,000 entries take a fifth
MOST_FILE = 2**20  # bytes of one file of a submission: a megabyte of Python is nobody's homework
_ENCRYPTED = 0x1
# The ends of an archive, with the number of entries and the bytes of its table of contents (APPNOTE.TXT 4.3.14-16).
_END, _LOCATOR, _END_64 = struct.Struct("<4s4H2LH"), struct.Struct("<4sLQL"), struct.Struct("<4sQ2H2L4Q")
_IS_END, _IS_LOCATOR, _IS_END_64 = b"PK\x05\x06", b"PK\x06\x07", b"PK\x06\x06"
# What every program writes. Others may want gibibytes of dictionary before the first byte has come out.
_USUAL = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


class RefusedError(GradcheckError):
    """A submission that is not opened; the message says why."""


def entries_of(content: bytes) -> dict[str, zipfile.ZipInfo]:
    """The regular files of an archive: name → entry. Raises RefusedError."""
    if len(content) > MOST_BYTES:
        raise RefusedError(f"the zip is larger than {MOST_BYTES // 2**20} MiB")
    if any(count > MOST_ENTRIES or size > MOST_DIRECTORY for count, size in _announced(content)):
        raise RefusedError(f"the zip has more than {MOST_ENTRIES} entries")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            infos = archive.infolist()
    except Exception:  # of a damaged archive `zipfile` raises whatever its parts do: it documents no list
        raise RefusedError("this is not a zip, or a damaged one") from None
    if len(infos) > MOST_ENTRIES:
        raise RefusedError(f"the zip has {len(infos)} entries, and {MOST_ENTRIES} is the most")
    _refuse_odd(infos)
    _refuse_overlapping(infos)
    return {info.filename: info for info in infos if not info.is_dir()}


def content_of(content: bytes, info: zipfile.ZipInfo) -> bytes:
    """One file of an archive. Raises RefusedError where it is damaged, or larger than a file may be."""
    name = shown(info.filename)
    if info.compress_type not in _USUAL:
        raise RefusedError(f"'{name}' in the zip is compressed in a way that is not usual")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive, archive.open(info) as stream:
            data = stream.read(MOST_FILE + 1)
            is_whole = not stream.read(1)  # to the end, where the checksum is compared
    except Exception as error:  # as above
        raise RefusedError(f"'{name}' in the zip cannot be read: {type(error).__name__}") from None
    if len(data) > MOST_FILE or not is_whole:
        raise RefusedError(f"'{name}' in the zip is larger than {MOST_FILE // 2**20} MiB")
    return data


def shown(name: str) -> str:
    """The name of an entry, cut to what a message can hold."""
    return name if len(name) <= 60 else f"{name[:57]}..."


def _announced(content: bytes) -> Iterator[tuple[int, int]]:
    """(entries, bytes) of the table of contents, by every end that `zipfile` might believe: it reads all of it at once.

    A 64-bit end counts for more than the usual one, and stands where its locator says or right in front of that.
    """
    places = {len(content) - _END.size, content.rfind(_IS_END, -(_END.size + 2**16), len(content) - _END.size + 4)}
    for at in places:
        if at < 0 or not content.startswith(_IS_END, at):
            continue
        _, _, _, _, count, size, _, _ = _END.unpack_from(content, at)
        yield count, size
        at -= _LOCATOR.size
        if at < 0 or not content.startswith(_IS_LOCATOR, at):
            continue
        for before in (_LOCATOR.unpack_from(content, at)[2], at - _END_64.size):
            if 0 <= before <= at - _END_64.size and content.startswith(_IS_END_64, before):
                *_, count, size, _ = _END_64.unpack_from(content, before)
                yield count, size


def _refuse_odd(infos: Sequence[zipfile.ZipInfo]) -> None:
    seen: dict[str, str] = {}
    for info in infos:
        name = info.orig_filename
        kind = stat.S_IFMT(info.external_attr >> 16)
        reason = ""
        if info.flag_bits & _ENCRYPTED:
            reason = "is encrypted"
        elif kind not in (0, stat.S_IFREG, stat.S_IFDIR):
            reason = "is a link" if kind == stat.S_IFLNK else "is no regular file"
        elif "\\" in name:
            reason = "has a backslash in its name"
        elif "\0" in name or name.startswith("/") or ".." in name.split("/") or (len(name) > 1 and name[1] == ":"):
            reason = "leads out of the zip"
        if reason:
            raise RefusedError(f"'{shown(name)}' in the zip {reason}")
        # As a disk of Windows or macOS would see it.
        folded = unicodedata.normalize("NFC", name).casefold()
        if folded in seen:
            raise RefusedError(f"'{shown(name)}' is in the zip twice")
        seen[folded] = name


def _refuse_overlapping(infos: Sequence[zipfile.ZipInfo]) -> None:
    """Entries that share bytes: a small zip that unpacks to petabytes is made of those (Fifield 2019)."""
    begun = sorted((info.header_offset, info.compress_size, info.filename) for info in infos)
    for (start, size, name), (following, _, _) in pairwise(begun):
        if start + 30 + size > following:
            raise RefusedError(f"'{shown(name)}' in the zip overlaps with another entry")
