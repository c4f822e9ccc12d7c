"""Layout ops: elements are moved, repeated or left out, never computed with – so the op itself tells where each went.

Its forward, applied to the coordinates of an argument, gives for every element of the output the place it came from.
Axes that have nothing to do with each other fall apart into groups, and a window passes through each group by itself.
"""

from __future__ import annotations

from math import prod

import numpy as np
from numpy.typing import NDArray

from gradcheck.perturb.move import Move
from gradcheck.perturb.probes import Probes
from gradcheck.perturb.site import Site
from gradcheck.perturb.window import Array, Entry, Window, as_run, is_table, length, lengths, places, simplest
from gradcheck.record import dataclass

Indices = NDArray[np.intp]
HOLE = -1  # a place of the output that shows nothing of what moves


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """Axes of the argument and axes of the output that depend on each other and on no others.

    shape : of the argument along `inputs`
    sources : per axis in `inputs` the coordinate that is shown, for every place along `outputs`
    shown : which of those places show an element of the argument at all; others are padding, or another argument's
    """

    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    shape: tuple[int, ...]
    sources: tuple[Indices, ...]
    shown: NDArray[np.bool_]

    def positions(self) -> Indices | None:
        """For every element along the inputs the one place along the outputs; None where there is not just one."""
        where = np.flatnonzero(self.shown)
        flat = np.ravel_multi_index([source.reshape(-1)[where] for source in self.sources], self.shape)
        if flat.size != prod(self.shape) or (flat.size and np.bincount(flat).max() > 1):
            return None
        result = np.empty(flat.size, np.intp)
        result[flat] = where
        return result


def read_groups(site: Site, position: int) -> tuple[Group, ...]:
    """Where every element of the output comes from in one argument, read off the op: its forward on coordinates."""
    shape, out = site.arguments[position].shape, site.value.shape
    zeros = [np.zeros(a.shape) if a.dtype.kind == "f" else a for a in site.arguments]

    def arriving(marks: Array) -> Array:
        with np.errstate(invalid="ignore"):  # padding with −inf stands still: −inf − (−inf)
            return site.forward(*(np.broadcast_to(marks, shape) if i == position else z for i, z in enumerate(zeros)))

    fixed = arriving(np.zeros(()))
    with np.errstate(invalid="ignore"):
        shown = arriving(np.ones(())) - fixed > 0
    rulers = [np.arange(size).reshape((-1,) + (1,) * (len(shape) - axis - 1)) for axis, size in enumerate(shape)]
    sources = [np.where(shown, arriving(ruler.astype(np.float64)), 0).astype(np.intp) for ruler in rulers]
    joint = _not_separable(shown)  # axes along which what is shown is no product of one choice per axis
    varies = [_varying(source, shown, joint) for source in sources]
    groups, left, covered = [], list(range(len(shape))), set[int]()
    while left or joint - covered:
        inputs = [left.pop(0)] if left else []
        outputs = set(varies[inputs[0]]) if inputs else set(joint)
        while True:
            outputs |= joint if outputs & joint else set()
            more = [a for a in left if varies[a] & outputs]
            if not more:
                break
            inputs, left = [*inputs, *more], [a for a in left if a not in more]
            outputs = outputs.union(*(varies[a] for a in more))
        groups.append((sorted(inputs), sorted(outputs)))
        covered |= outputs
    groups += [([], [b]) for b in range(len(out)) if b not in covered]
    return tuple(_group(inputs, outputs, shape, sources, shown) for inputs, outputs in groups)


def _group(
    inputs: list[int], outputs: list[int], shape: tuple[int, ...], sources: list[Indices], shown: NDArray[np.bool_]
) -> Group:
    others = tuple(b for b in range(shown.ndim) if b not in outputs)
    own = tuple(sources[a].max(axis=others) for a in inputs)  # where nothing is shown it is 0
    return Group(
        tuple(inputs), tuple(outputs), tuple(shape[a] for a in inputs), own, np.asarray(shown.any(axis=others))
    )


def _varying(source: Indices, shown: NDArray[np.bool_], joint: set[int]) -> set[int]:
    """The axes along which a coordinate differs between places that show one."""
    if shown.all():
        differing = set[int]()
        for b in range(source.ndim):
            first = source[(slice(None),) * b + (slice(1),)]
            if (source != first).any():
                differing.add(b)
            else:
                source = first  # one of equal slices tells all
        return differing
    most, least = np.where(shown, source, -1), np.where(shown, source, np.iinfo(np.intp).max)
    found = {b for b in range(source.ndim) if (most.max(axis=b) > least.min(axis=b)).any()}
    told = most.max(axis=tuple(b for b in range(source.ndim) if b not in found), keepdims=True)
    # Along the joint axes a line may show a single place, as those of a diagonal do: then no line shows a difference.
    return found if (told == source)[shown].all() else found | joint


def _not_separable(shown: NDArray[np.bool_]) -> set[int]:
    """The axes that what is shown depends on, unless every axis has a say of its own."""
    axes = range(shown.ndim)
    product = np.ones(shown.shape, bool)
    for b in axes:
        others = tuple(c for c in axes if c != b)
        product &= shown.any(axis=others).reshape([-1 if c == b else 1 for c in axes])
    return set() if (product == shown).all() else {b for b in axes if (shown != shown.take([0], axis=b)).any()}


def layout(site: Site, position: int, move: Move, probes: Probes) -> Move | None:
    """The move of a layout op's value when one of its arguments moves."""
    groups = site.once(("groups", position), lambda: read_groups(site, position))
    shape, out = site.arguments[position].shape, site.value.shape
    closed, move = move, _without_scattered_tables(site, position, groups, move, shape)
    if move is not closed:
        probes.count_opened(move.data)
    if any(map(is_table, move.window)):
        passed = _passage(groups, move.window, shape, out)
    else:
        key = ("passage", position, tuple(map(_key, move.window)))
        passed = site.once(key, lambda: _passage(groups, move.window, shape, out))
    if passed is None:
        return None
    inside = lengths(passed.window, out)
    if move.directions is not None and move.directions.ndim == 2 and prod(inside) < prod(lengths(move.window, shape)):
        flat = _few_places(move.directions, move.data, passed.rows)
    else:
        flat = move.full.reshape(-1, move.probes)
        flat = flat if passed.rows is None else flat.take(passed.rows, axis=0)
    if passed.holes is not None:
        flat[passed.holes] = 0.0
    return Move(passed.window, flat.reshape(*inside, move.probes), move.odd)


def _few_places(directions: Array, data: Array, rows: Indices | None) -> Array:
    """Some places of a factored change, without the others: Σ_r directions[column, r] · data[row, r, probe]."""
    assert rows is not None  # fewer places than there are, so they are listed
    row, column = np.divmod(rows, directions.shape[0])
    data, here = data.reshape(-1, *data.shape[-2:]), as_run(row)
    total: Array = directions[column, 0, None] * data[here, 0]
    for r in range(1, directions.shape[1]):
        total += directions[column, r, None] * data[here, r]
    return total


@dataclass(frozen=True, slots=True, eq=False)
class Passage:
    """How a window comes out of a layout.

    window : of the output
    rows : for every place inside it, the row of the data that it shows (places flat, then probes); None: all, in order
    holes : which of the places show nothing that moves; None: all show something
    """

    window: Window
    rows: Indices | None
    holes: NDArray[np.bool_] | None


def _key(entry: Entry) -> object:
    if isinstance(entry, slice):
        return entry.start, entry.stop
    return entry if entry is None else entry.tobytes()


def _without_scattered_tables(
    site: Site, position: int, groups: tuple[Group, ...], move: Move, shape: tuple[int, ...]
) -> Move:
    """Tables stay where every probe has one place in a group, and that goes to one place of the output; others open."""
    frame = list(move.window)
    for number, group in enumerate(groups):
        entries = [move.window[a] for a in group.inputs]
        if any(map(is_table, entries)):
            one_place = all(length(e, n) == 1 for e, n in zip(entries, group.shape, strict=True))
            if not one_place or site.once(("positions", position, number), group.positions) is None:
                for a in group.inputs:
                    frame[a] = None if is_table(frame[a]) else frame[a]
    if all(new is old for new, old in zip(frame, move.window, strict=True)):
        return move
    return Move(tuple(frame), move.seen_through(tuple(frame), shape), move.odd)


def _passage(groups: tuple[Group, ...], window: Window, shape: tuple[int, ...], out: tuple[int, ...]) -> Passage | None:
    """The passage of a window; None where nothing of it arrives."""
    entries: list[Entry] = [None] * len(out)
    inner = lengths(window, shape)
    parts = []
    for group in groups:
        through = _through(group, [window[a] for a in group.inputs], [inner[a] for a in group.inputs])
        if through is None:
            return None
        for b, entry in zip(group.outputs, through[0], strict=True):
            entries[b] = simplest(entry, out[b])
        parts.append((group, *through[1:]))
    inside = lengths(tuple(entries), out)
    rows: Array = np.zeros((), np.intp)
    holes: Array = np.zeros((), bool)
    for group, local, missing in parts:
        spread = [inside[b] if b in group.outputs else 1 for b in range(len(out))]
        holes = holes | missing.reshape(spread)
        for a, index in zip(group.inputs, local, strict=True):
            rows = rows + index.reshape(spread) * prod(inner[a + 1 :])
    flat = (rows if rows.shape == inside else np.broadcast_to(rows, inside)).reshape(-1)
    in_order = flat.size == prod(inner) and not holes.any() and bool((flat == np.arange(flat.size)).all())
    empty = np.broadcast_to(holes, inside).reshape(-1) if holes.any() else None
    return Passage(tuple(entries), None if in_order else flat, empty)


def _through(
    group: Group, entries: list[Entry], inner: list[int]
) -> tuple[list[Entry], list[Indices], NDArray[np.bool_]] | None:
    """Entries along the outputs, per input the place inside its own entry, and what is a hole; None: all of it is."""
    if any(map(is_table, entries)):
        own = _single_places(group, entries)
        corner = (1,) * len(own)
        return own, [np.zeros(corner, np.intp) for _ in entries], np.zeros(corner, bool)
    arrived, local = group.shown, list(group.sources)
    for number, (entry, size, count) in enumerate(zip(entries, group.shape, inner, strict=True)):
        if entry is not None:
            lookup = np.full(size, HOLE, np.intp)
            lookup[places(entry, size)] = np.arange(count)
            local[number] = lookup[local[number]]
            arrived = arrived & (local[number] != HOLE)
    if not arrived.any():
        return None
    axes = range(arrived.ndim)
    kept = [np.flatnonzero(arrived.any(axis=tuple(c for c in axes if c != b))) for b in axes]
    inside = np.ix_(*kept) if len(kept) > 1 else tuple(kept)
    missing = ~arrived[inside]
    return list(kept), [np.where(missing, 0, index[inside]) for index in local], missing


def _single_places(group: Group, entries: list[Entry]) -> list[Entry]:
    """Tables along the outputs, where every probe has one place along the inputs."""
    positions = group.positions()
    assert positions is not None
    columns = [places(entry, size).reshape(1, -1) for entry, size in zip(entries, group.shape, strict=True)]
    given = np.broadcast_arrays(*columns)
    went = positions[np.ravel_multi_index(given, group.shape)]
    sizes = group.shown.shape
    return list(np.unravel_index(went, sizes)) if sizes else []
