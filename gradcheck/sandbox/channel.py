"""What goes through the pipes between the grader and a box: a head, a JSON header, and the bytes of arrays.

Head: magic, kind, lengths of header and body, number of the request. The header lists the arrays of the body in order,
as [name, dtype, shape]. Nothing here is ever unpickled or evaluated, and no length is believed before it is bounded:
what comes out of a box was written by a stranger. Standard library and numpy only; both ends use it.
"""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Iterable, Mapping
from math import prod
from typing import Any, NamedTuple

import numpy as np

MAGIC = b"gcbx"
HEAD = struct.Struct("<4sBxxxIQQ")  # magic, kind, bytes of the header, bytes of the body, number

# What a keeper says on its own line: the process number of the box; its wait status and seconds of processor time.
STARTED, ENDED = struct.Struct("<i"), struct.Struct("<id")

READY, REQUEST, ANSWER, ERROR = range(4)
OUT_OF_MEMORY = 71  # exit code of a box that has not even the memory for an answer; EX_OSERR of sysexits.h

MAX_HEADER = 1 << 20
MAX_ARRAYS, MAX_NAME, MAX_AXES = 4096, 200, 32
NUMBERS = ("i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8", "c8", "c16", "b1")
DTYPES = {("|" if kind[1:] == "1" else "<") + kind for kind in NUMBERS}

Named = list[tuple[str, Any]]  # name, array


class MalformedError(Exception):
    """Bytes that are no frame of ours; the text says why and holds none of them."""


class Head(NamedTuple):
    kind: int
    header: int
    body: int
    number: int


def frame(kind: int, number: int, header: Mapping[str, Any], arrays: Iterable[tuple[str, Any]] = ()) -> list[bytes]:
    """The pieces of a frame, to be written one after another."""
    listed, body = [], []
    for name, array in arrays:
        plain = _plain(array)
        listed.append([name, plain.dtype.str, list(plain.shape)])
        body.append(plain.tobytes())
    text = json.dumps({**header, "arrays": listed}).encode()
    return [HEAD.pack(MAGIC, kind, len(text), sum(map(len, body)), number), text, *body]


def read_head(data: bytes) -> Head:
    """Raises MalformedError. The length of the body is for the caller to bound."""
    magic, *words = HEAD.unpack(data)
    head = Head(*words)
    if magic != MAGIC or head.kind not in (READY, REQUEST, ANSWER, ERROR):
        raise MalformedError("it does not begin like a frame")
    if head.header > MAX_HEADER:
        raise MalformedError(f"it announces a header of {head.header} bytes")
    return head


def read_header(data: bytes) -> dict[str, Any]:
    """Raises MalformedError."""
    try:
        header = json.loads(data)
    except (ValueError, RecursionError):
        raise MalformedError("its header is no JSON") from None
    if not isinstance(header, dict):
        raise MalformedError("its header is no object")
    return header


def read_arrays(header: Mapping[str, Any], body: bytes | bytearray) -> Named:
    """The arrays of a frame, each a plain array of its own. Raises MalformedError unless they fill the body exactly."""
    listed = header.get("arrays")
    if not isinstance(listed, list) or len(listed) > MAX_ARRAYS:
        raise MalformedError("its list of arrays is none")
    layouts = [_layout(entry) for entry in listed]
    if sum(size for *_, size in layouts) != len(body):
        raise MalformedError("its arrays are not as long as its body")
    found, start = [], 0
    for name, dtype, shape, size in layouts:
        flat = np.frombuffer(body, np.uint8, size, start) if size else np.empty(0, np.uint8)
        try:
            found.append((name, flat.copy().view(dtype).reshape(shape)))
        except ValueError:  # no elements, and yet too long
            raise MalformedError("an array of it has no shape") from None
        start += size
    return found


def receive(descriptor: int) -> tuple[Head, dict[str, Any], Named] | None:
    """Wait for a frame of the grader's; None where it has closed its end."""
    data = _exactly(descriptor, HEAD.size)
    if not data:
        return None
    head = read_head(bytes(data))
    header = read_header(bytes(_exactly(descriptor, head.header)))
    return head, header, read_arrays(header, _exactly(descriptor, head.body))


def send(descriptor: int, pieces: Iterable[bytes]) -> None:
    """Write a whole frame, however long that takes. Raises OSError."""
    for piece in pieces:
        rest = memoryview(piece)
        while rest:
            rest = rest[os.write(descriptor, rest) :]


def _exactly(descriptor: int, size: int) -> bytearray:
    data = bytearray(size)
    rest = memoryview(data)
    while rest:
        got = os.readv(descriptor, [rest])
        if not got:
            return bytearray()
        rest = rest[got:]
    return data


def _plain(array: Any) -> Any:
    """An array of a type that may travel: in order, little-endian, no subclass, not wider than float64."""
    plain = np.array(array, order="C", subok=False)
    if plain.dtype.str in DTYPES:
        return plain
    wide = {"f": "<f8", "c": "<c16"}.get(plain.dtype.kind, plain.dtype.newbyteorder("<").str)
    if wide not in DTYPES:
        raise TypeError(f"an array of {plain.dtype} cannot travel")
    return plain.astype(wide)


def _layout(entry: Any) -> tuple[str, str, tuple[int, ...], int]:
    """(name, dtype, shape, bytes) of an entry of the header. Raises MalformedError."""
    if not (isinstance(entry, list) and len(entry) == 3):
        raise MalformedError("an array of it is not described")
    name, dtype, shape = entry
    if not (isinstance(name, str) and len(name) <= MAX_NAME and isinstance(dtype, str) and dtype in DTYPES):
        raise MalformedError("an array of it has no name or no known type")
    if not (isinstance(shape, list) and len(shape) <= MAX_AXES and all(_is_length(n) for n in shape)):
        raise MalformedError("an array of it has no shape")
    return name, dtype, tuple(shape), prod(shape) * np.dtype(dtype).itemsize


def _is_length(value: Any) -> bool:
    return type(value) is int and 0 <= value < 1 << 48
