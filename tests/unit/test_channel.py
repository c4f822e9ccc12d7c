"""Frames: what is sent arrives as it was; what never was a frame of ours is refused before anything is made of it."""

from __future__ import annotations

import json
import os
import threading
import tracemalloc
from typing import Any

import numpy as np
import pytest

from gradcheck.sandbox import channel
from gradcheck.sandbox.channel import ANSWER, HEAD, MAGIC, MalformedError

ARRAYS = [
    np.arange(6.0).reshape(2, 3), np.float64(2.5), np.zeros((0, 4)), np.array([True, False]), np.arange(3, dtype="i1"),
    np.array([np.nan, -np.inf, -0.0]), np.array([1 + 2j]), np.ones(2, np.float16), np.arange(8.0)[::-2],
    np.asfortranarray(np.arange(6.0).reshape(2, 3)), np.arange(3, dtype=np.uint64),
]  # fmt: skip


def read(pieces: list[bytes]) -> tuple[channel.Head, dict[str, Any], channel.Named]:
    data = b"".join(pieces)
    head = channel.read_head(data[: HEAD.size])
    header = channel.read_header(data[HEAD.size : HEAD.size + head.header])
    return head, header, channel.read_arrays(header, data[HEAD.size + head.header :])


def test_what_is_sent_arrives_as_it_was() -> None:
    head, header, named = read(channel.frame(ANSWER, 7, {"ask": "open"}, [(f"a{i}", a) for i, a in enumerate(ARRAYS)]))
    assert (head.kind, head.number, header["ask"]) == (ANSWER, 7, "open")
    assert [name for name, _ in named] == [f"a{i}" for i in range(len(ARRAYS))]
    for (_, found), sent in zip(named, ARRAYS, strict=True):
        assert type(found) is np.ndarray
        assert (found.dtype, found.shape) == (sent.dtype, sent.shape)
        assert found.tobytes() == np.ascontiguousarray(sent).tobytes()
        assert found.flags.writeable
        assert found.flags.owndata or found.base.flags.owndata


@pytest.mark.parametrize(
    ("array", "dtype"),
    [(np.arange(3, dtype=">f8"), "<f8"), (np.ones(2, np.longdouble), "<f8"), (np.ones(2, np.clongdouble), "<c16"),
     (np.arange(2, dtype=">i4"), "<i4")],
    ids=["big-endian", "longdouble", "clongdouble", "big-endian integers"],
)  # fmt: skip
def test_other_types_of_numbers_become_one_that_travels(array: Any, dtype: str) -> None:
    ((_, found),) = read(channel.frame(ANSWER, 0, {}, [("a", array)]))[2]
    assert found.dtype.str == dtype
    np.testing.assert_array_equal(found, array.astype(dtype))


class Lying(np.ndarray[Any, Any]):
    def __array_finalize__(self, obj: Any) -> None:
        self.is_right = True

    def tobytes(self, order: Any = "C") -> bytes:
        return b"\x00" * 8 * self.size


def test_a_subclass_travels_as_its_numbers() -> None:
    ((_, found),) = read(channel.frame(ANSWER, 0, {}, [("a", np.full(3, 7.0).view(Lying))]))[2]
    assert type(found) is np.ndarray
    np.testing.assert_array_equal(found, np.full(3, 7.0))


@pytest.mark.parametrize(
    "array",
    [np.array([object()]), np.array(["text"]), np.zeros(2, [("a", "f8")]), np.array(["2020"], "M8[Y]"),
     np.zeros(1, "V8")],
    ids=["objects", "text", "records", "dates", "void"],
)  # fmt: skip
def test_what_is_no_number_does_not_travel(array: Any) -> None:
    with pytest.raises(TypeError, match="cannot travel"):
        channel.frame(ANSWER, 0, {}, [("a", array)])


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"\x80\x04\x95" + b"x" * (HEAD.size - 3), "does not begin like a frame"),
        (b"\x93NUMPY" + b"\0" * (HEAD.size - 6), "does not begin like a frame"),
        (HEAD.pack(MAGIC, 200, 2, 0, 0), "does not begin like a frame"),
        (HEAD.pack(MAGIC, ANSWER, 2**32 - 1, 0, 0), "announces a header of 4294967295 bytes"),
    ],
    ids=["pickle", "npy", "unknown kind", "a long header"],
)
def test_a_head_that_is_none_is_refused(data: bytes, text: str) -> None:
    with pytest.raises(MalformedError, match=text):
        channel.read_head(data)


@pytest.mark.parametrize(
    "data",
    [b"", b"{", b"[]", b"7", b"\xff\xfe", b"[" * 10**6, b'{"a":' * 10**5, b"1" * 10**6, b"{}{}"],
    ids=["empty", "open", "list", "number", "no utf-8", "brackets", "nested", "digits", "two"],
)
def test_a_header_that_is_none_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedError):
        channel.read_header(data)


@pytest.mark.parametrize(
    "listed",
    [
        None, {}, [None], [["a", "<f8"]], [["a", "<f8", [1], 0]], [[7, "<f8", [1]]], [["a", 7, [1]]],
        [["n" * 201, "<f8", [1]]], [["a", "|O", [1]]], [["a", "<U1000000", [1]]], [["a", "|V8", [1]]],
        [["a", "f8,f8", [1]]], [["a", ">f8", [1]]], [["a", "<f8", None]], [["a", "<f8", [-1]]], [["a", "<f8", [1.0]]],
        [["a", "<f8", [True]]], [["a", "<f8", ["1"]]], [["a", "<f8", [2**62]]], [["a", "<f8", [2**47, 2**47, 0]]],
        [["a", "<f8", [1] * 33]], [["a", "<f8", [2]]], [["a", "<f8", []], ["b", "<f8", []]], [["a", "|b1", [0]]] * 5000,
        [["a", "<f8", [2**40]]], [["a", "<f8", [10**30]]],
    ],
)  # fmt: skip
def test_arrays_that_do_not_fill_the_body_are_refused(listed: Any) -> None:
    """Eight bytes are there; whatever is announced, nothing larger is ever allocated."""
    tracemalloc.start()
    try:
        with pytest.raises(MalformedError):
            channel.read_arrays({"arrays": listed}, bytes(8))
        assert tracemalloc.get_traced_memory()[1] < 5_000_000
    finally:
        tracemalloc.stop()


def test_a_frame_goes_through_a_pipe_of_any_size() -> None:
    there, here = os.pipe()
    pieces = channel.frame(ANSWER, 9, {"note": "ä" * 1000}, [("a", np.arange(200_000.0))])
    sender = threading.Thread(target=channel.send, args=(here, pieces))
    sender.start()
    received = channel.receive(there)
    sender.join()
    assert received is not None
    head, header, ((name, array),) = received
    assert (head.number, header["note"], name, array.sum()) == (9, "ä" * 1000, "a", np.arange(200_000.0).sum())
    os.close(here)
    assert channel.receive(there) is None
    os.close(there)


def test_the_header_is_plain_json() -> None:
    header = channel.frame(ANSWER, 0, {"a": 1}, [("x", np.zeros((2, 1)))])[1]
    assert json.loads(header) == {"a": 1, "arrays": [["x", "<f8", [2, 1]]]}
