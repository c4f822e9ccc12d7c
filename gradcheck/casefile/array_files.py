"""Arrays in `.npy` and `.npz` files beside a case: header first, data when the header is within the limits.

Objects are never unpickled; which files may be named is said in `paths`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from gradcheck.casefile.initialisers import MAX_ELEMENTS
from gradcheck.casefile.paths import find_file
from gradcheck.errors import GradcheckError, did_you_mean

# What a damaged or hostile file makes numpy and zlib raise; zipfile adds its own.
_DAMAGED = (ValueError, OSError, EOFError, KeyError, NotImplementedError, RuntimeError, MemoryError)


class ArrayFileError(GradcheckError):
    """A file that holds no array that can be used."""


def measure_file(directory: Path, written: str, member: str | None) -> NDArray[Any]:
    """An array with the shape and dtype that the file's header promises, without memory. Raises GradcheckError."""
    with _opened(directory, written, member) as stream:
        shape, dtype = _header(stream, written)
    return np.broadcast_to(np.ones((), dtype), shape)


def read_file(directory: Path, written: str, member: str | None) -> NDArray[Any]:
    """The array of `file.npy`, or the member of `file.npz`: float64, or int64 where it holds whole numbers.

    Raises GradcheckError where the file or the array is missing, damaged, too large or not of numbers.
    """
    with _opened(directory, written, member) as stream:
        _header(stream, written)
    with _opened(directory, written, member) as stream:
        array = npy.read_array(stream, allow_pickle=False)
    return array.astype(_usable(array.dtype, written))


def _header(stream: IO[bytes], written: str) -> tuple[tuple[int, ...], np.dtype[Any]]:
    version = npy.read_magic(stream)
    read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    shape, _, dtype = read(stream)
    if math.prod(shape) > MAX_ELEMENTS:
        raise ArrayFileError(f"the array in '{written}' has {math.prod(shape):.3g} elements, which is too large",
                             f"at most {MAX_ELEMENTS} elements")  # fmt: skip
    return shape, _usable(dtype, written)


def _usable(dtype: np.dtype[Any], written: str) -> np.dtype[Any]:
    if dtype.kind in "iub" and not (dtype.kind == "u" and dtype.itemsize == 8):
        return np.dtype(np.int64)
    if dtype.kind == "f" and dtype.itemsize <= 8:
        return np.dtype(np.float64)
    raise ArrayFileError(f"the array in '{written}' is of type {dtype}", "save it as float64 or int64")


@contextmanager
def _opened(directory: Path, written: str, member: str | None) -> Iterator[IO[bytes]]:
    import zipfile  # here, because most cases name no file
    import zlib

    path = find_file(directory, written)
    try:
        if path.suffix == ".npy":
            if member is not None:
                raise ArrayFileError(f"an .npy file holds one array, without a name: '{member}'", f"write {written}")
            with path.open("rb") as stream:
                yield stream
        else:
            with zipfile.ZipFile(path) as archive:
                names = [name.removesuffix(".npy") for name in archive.namelist() if name.endswith(".npy")]
                if member not in names:
                    asked = f"no array '{member}'" if member else "several arrays; which one?"
                    known = ", ".join(names[:8]) or "none"
                    hint = did_you_mean(member or "", names, f"its arrays are: {known}; write {written}:name")
                    raise ArrayFileError(f"the file '{written}' holds {asked}", hint)
                with archive.open(f"{member}.npy") as inside:
                    yield inside
    except (*_DAMAGED, zipfile.BadZipFile, zlib.error) as error:
        raise ArrayFileError(
            f"the file '{written}' cannot be read as arrays", "save it again with numpy.savez"
        ) from error
