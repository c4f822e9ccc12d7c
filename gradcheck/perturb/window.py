"""Windows: where a value moves, one entry per axis, and how arrays are read and framed inside them.

An entry is None (the whole axis), a slice (the same range for all probes), an array of shape (w,) (the same list for
all probes) or of shape (w, K) (every probe its own places: a table). No entry names a place twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Entry = Any  # None | slice | NDArray[np.intp] of one or two dimensions
Window = tuple[Entry, ...]
Shape = tuple[int, ...]
Array = NDArray[Any]


def is_table(entry: Entry) -> bool:
    """Whether every probe has its own places."""
    return isinstance(entry, np.ndarray) and entry.ndim == 2


def length(entry: Entry, size: int) -> int:
    """How many places an entry has on an axis of that size."""
    if entry is None:
        return size
    return entry.stop - entry.start if isinstance(entry, slice) else int(entry.shape[0])


def lengths(window: Window, shape: Shape) -> Shape:
    """The shape of what is inside a window."""
    return tuple([size if entry is None else length(entry, size) for entry, size in zip(window, shape, strict=True)])


def places(entry: Entry, size: int) -> NDArray[np.intp]:
    """The places of an entry, shape (w,), or (w, K) for a table."""
    if entry is None:
        return np.arange(size)
    return np.arange(entry.start, entry.stop) if isinstance(entry, slice) else entry


def simplest(entry: Entry, size: int) -> Entry:
    """The same places in the cheapest form: equal columns are a list, a run is a slice, everything is None."""
    if is_table(entry):
        if (entry[:, 0] != entry[:, -1]).any() or (entry != entry[:, :1]).any():
            return entry
        entry = entry[:, 0]
    if isinstance(entry, np.ndarray):
        entry = as_run(entry)
    return None if isinstance(entry, slice) and entry.stop - entry.start == size else entry


def as_run(listed: NDArray[np.intp]) -> slice | NDArray[np.intp]:
    """Places one after the other as a slice, others as they are."""
    if not listed.size:
        return slice(0, 0)
    first, last = int(listed[0]), int(listed[-1])
    is_run = last - first == listed.size - 1 and bool((listed == np.arange(first, last + 1)).all())
    return slice(first, last + 1) if is_run else listed


def same(one: Entry, other: Entry) -> bool:
    if isinstance(one, np.ndarray) and isinstance(other, np.ndarray):
        return one is other or (one.shape == other.shape and bool((one == other).all()))
    return not isinstance(one, np.ndarray) and not isinstance(other, np.ndarray) and one == other


def doubled(window: Window) -> Window:
    """The window of twice as many probes: each place once for the step ahead and once for the step behind."""
    return tuple(np.concatenate([entry, entry], axis=1) if is_table(entry) else entry for entry in window)


def hull(entries: Sequence[Entry]) -> Entry:
    """One entry that holds the places of several: themselves if all are the same, the range of slices, else all."""
    first, *rest = entries
    if all(same(first, entry) for entry in rest):
        return first
    if all(isinstance(entry, slice) for entry in entries):
        return slice(min(entry.start for entry in entries), max(entry.stop for entry in entries))
    return None


def pick(value: Array, window: Window) -> Array:
    """A value inside a window, with a probe axis behind its own: of length 1, or K where the window has tables."""
    tables = [axis for axis, entry in enumerate(window) if is_table(entry)]
    for axis, entry in enumerate(window):
        if entry is not None and axis not in tables:
            value = _taken(value, entry, axis)
    if not tables:
        return value[..., None]
    if len(tables) == 1 and window[tables[0]].shape[0] == 1:
        (axis,) = tables
        return _taken(value, as_run(window[axis][0]), axis)[..., None].swapaxes(axis, -1)
    inside = tuple(entry if is_table(entry) else None for entry in window)
    return value[mesh(inside, value.shape)]


def _taken(value: Array, places: slice | NDArray[np.intp], axis: int) -> Array:
    """Some places along an axis; a view where they are a run."""
    if isinstance(places, slice):
        return value[(slice(None),) * axis + (places,)]
    return value.take(places, axis=axis)


def mesh(window: Window, shape: Shape) -> tuple[NDArray[np.intp], ...]:
    """One index array per axis; together they broadcast to the window's shape and, where there are tables, K."""
    rank = len(shape)
    arrays = []
    for axis, (entry, size) in enumerate(zip(window, shape, strict=True)):
        index = places(entry, size)
        index = index if index.ndim == 2 else index[:, None]
        arrays.append(index.reshape((1,) * axis + (index.shape[0],) + (1,) * (rank - axis - 1) + (index.shape[1],)))
    return tuple(arrays)


def framed(data: Array, window: Window, frame: Window, shape: Shape) -> Array:
    """What stands in a window, seen through a wider one: zero wherever the window does not reach.

    data : shape of the window, then K
    frame : holds every place of the window, axis by axis
    shape : of the whole value
    """
    if window is frame or all(same(entry, wide) for entry, wide in zip(window, frame, strict=True)):
        return data
    result = np.zeros((*lengths(frame, shape), data.shape[-1]), data.dtype)
    inner = tuple(
        None if same(entry, wide) else _within(entry, wide, size)
        for entry, wide, size in zip(window, frame, shape, strict=True)
    )
    if not any(isinstance(entry, np.ndarray) for entry in inner):
        result[tuple(slice(None) if entry is None else entry for entry in inner)] = data
    else:
        result[(*mesh(inner, result.shape[:-1]), np.arange(data.shape[-1]))] = data
    return result


def _within(entry: Entry, wide: Entry, size: int) -> Entry:
    """The places of an entry, counted inside a wider one (None or a slice)."""
    start = wide.start if isinstance(wide, slice) else 0
    if isinstance(entry, slice):
        return slice(entry.start - start, entry.stop - start)
    return places(entry, size) - start
