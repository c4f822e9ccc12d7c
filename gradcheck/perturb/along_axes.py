"""Ops along axes: every output sees the whole of the listed axes, so their windows are opened; the others pass."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradcheck.perturb.move import Move, Parts
from gradcheck.perturb.probes import Probes
from gradcheck.perturb.ranked import LOW, along_few_directions
from gradcheck.perturb.series import max_size
from gradcheck.perturb.site import Site
from gradcheck.perturb.telescoping import whole
from gradcheck.perturb.window import Array, Window, doubled, is_table, length, lengths, pick, places

Axes = tuple[int, ...]


def along_axes(site: Site, move: Move, probes: Probes) -> Move | Parts | None:
    """The move of the value of an op whose first argument moves."""
    axes = listed_axes(site)
    if axes == (len(move.window) - 1,) and (ranked := _along_few_directions(site, move)) is not None:
        return ranked
    if move.directions is not None:
        kept = _along_directions(site, move, axes) or _along_one_direction(site, move, axes)
        if kept is not None:
            return kept
        move = move.plain()
    x, y = site.arguments[0], site.value
    linear, rule = site.is_linear_in([0]), site.op.delta(0)
    if linear and rule is not None:  # a sum over the window is the sum over the axis: nothing moves elsewhere
        data = rule(move.data, None, x[..., None], **site.options)
        return result_along(site, data, move.window, axes, move.odd)
    window = tuple(None if axis in axes else entry for axis, entry in enumerate(move.window))
    d = move.seen_through(window, x.shape)
    probes.count_opened(d)
    if linear:
        return result_along(site, site.forward(d), window, axes, move.odd)
    if site.op.kink is not None:
        return _piecewise(site, Move(window, d, move.odd), axes, probes)
    probes.by_delta &= rule is not None
    inside, value = pick(x, window), pick(y, _output_window(site, window, axes))
    twin = site.op.twin(0)
    if move.odd and twin is not None:
        pair = twin(d, value, inside, **site.options)
        return result_along(site, np.concatenate(pair, axis=-1), doubled(window), axes, odd=False)
    both = Move(window, d, move.odd).both()
    inside, value = pick(x, both.window), pick(y, _output_window(site, both.window, axes))
    return result_along(site, site.change(0, both.data, value, [inside]), both.window, axes, odd=False)


def listed_axes(site: Site) -> Axes:
    """The option `axis` of the op, as a tuple."""
    axis = site.options["axis"]
    return tuple(axis) if isinstance(axis, tuple | list) else (axis,)


def _output_window(site: Site, window: Window, axes: Axes) -> Window:
    """The window of the output: the listed axes are whole, or gone."""
    if site.value.ndim == len(window):
        return tuple(None if axis in axes else entry for axis, entry in enumerate(window))
    return tuple(entry for axis, entry in enumerate(window) if axis not in axes)


def result_along(site: Site, data: Array, window: Window, axes: Axes, odd: bool) -> Move:
    """The move of the value, from its change; window : of the argument."""
    own = _output_window(site, window, axes)
    return Move(own, whole(data, own, site.value.shape, data.shape[-1]), odd)


def _along_directions(site: Site, move: Move, axes: Axes) -> Move | None:
    """A sum acts on the coefficients; one over the last axis, too, on what the numbers of each direction add up to."""
    w, rule = move.directions, site.op.delta(0)
    assert w is not None
    if not site.is_linear_in([0]) or rule is None:
        return None
    x = site.arguments[0][..., None]
    if len(move.window) - 1 in axes:
        totals = site.latest("totals", (w,), lambda: w.sum(axis=-2)[..., None])
        return result_along(site, rule(totals * move.data, None, x, **site.options), move.window, axes, move.odd)
    if w.ndim == 2:
        data = rule(move.data, None, x, **site.options)
        return Move(_output_window(site, move.window, axes), data, move.odd, w)
    return None


def _along_one_direction(site: Site, move: Move, axes: Axes) -> Move | Parts | None:
    """A change of rank one along the last axis, by the op's own rule for that."""
    w, rule = move.directions, site.op.factored
    if rule is None or w is None or w.ndim != 2 or w.shape[-1] != 1 or axes != (len(move.window) - 1,):
        return None
    inside, value = pick(site.arguments[0], move.window), pick(site.value, _output_window(site, move.window, axes))
    found = rule(w, move.data, value, inside, **site.options)
    if found is None:
        return None
    odd, even = found
    if not move.odd:
        return result_along(site, even + odd, move.window, axes, odd=False)
    first, second = (result_along(site, part, move.window, axes, odd=True) for part in (odd, even))
    return Parts(first, second, site.value.shape)


def _along_few_directions(site: Site, move: Move) -> Move | None:
    """A change of low rank along the last axis, by the op's own rule; a few places of it are one, too."""
    w, entry, n = move.directions, move.window[-1], site.value.shape[-1] if site.value.ndim else 1
    if site.op.ranked is None:
        return None
    if w is None:
        if is_table(entry) or length(entry, n) > n // LOW:
            return None
        w = site.latest("places", (entry,), lambda: np.eye(n)[:, places(entry, n)])
    return along_few_directions(site, move, w, (*move.window[:-1], None))


def _piecewise(site: Site, move: Move, axes: Axes, probes: Probes) -> Move:
    """An op that chooses among the elements of its axes, a largest one say: linear until another one is chosen."""
    kink = site.op.kink
    assert kink is not None
    own = _output_window(site, move.window, axes)
    margin = pick(site.margin, own)
    near = ~(max_size(move.data) < margin)  # by what moves farthest anywhere: of few places more has to be known
    is_reduction = "keepdims" in site.options  # of others, each place of the output has slopes of its own
    if is_reduction and near.any():
        here = near.any(axis=-1)
        sizes = np.abs(_listed(move.data, axes)[here.reshape(-1)])
        sizes = sizes.max(axis=tuple(range(1, sizes.ndim - 1)))
        near[here] = ~((sizes if any(map(is_table, move.window)) else sizes.max(axis=-1, keepdims=True)) < margin[here])
    if kink.curved or not is_reduction:
        both = move.both()
        data = _exact(site, both, axes, ..., bool(near.any()), probes)
        return result_along(site, data, both.window, axes, odd=False)
    linear = result_along(site, _by_slopes(site, move, axes), move.window, axes, move.odd)
    if not near.any():
        return linear
    both = linear.both()
    data = np.array(both.data) if both is linear else both.data  # what arrived belongs to others, too
    here = near.any(axis=-1)
    data[here] = _exact(site, move, axes, here, True, probes)
    return Move(both.window, data, odd=False)


def _by_slopes(site: Site, move: Move, axes: Axes) -> Array:
    """Σ slope · d along the axes; where one element has all the slope, as the largest has, it alone is read."""
    x, y = site.arguments[0], site.value
    chosen = site.once("chosen", lambda: _chosen(site, axes))
    if chosen is None:
        slopes = pick(site.slope(0, x.shape), move.window)
        return np.asarray((slopes * move.data).sum(axis=axes, keepdims=y.ndim == x.ndim))
    own = _output_window(site, move.window, axes)
    number = pick(chosen, own)
    count = move.probes
    listed = _listed(move.data, axes).reshape(-1, prod(x.shape[a] for a in axes), count)
    if number.shape[-1] == 1:
        rows = number.reshape(-1) + listed.shape[1] * np.arange(listed.shape[0])
        data = listed.reshape(-1, count).take(rows, axis=0)
    else:
        data = np.take_along_axis(listed, number.reshape(-1, 1, count), axis=1)
    return data.reshape(*lengths(own, y.shape), count)


def _chosen(site: Site, axes: Axes) -> NDArray[np.intp] | None:
    """For every place of the output the number along the axes of the element with slope 1, all others having 0.

    Places at a switch do not count, for there no slope is used. None if elements of some other place share the slope.
    """
    x, y = site.arguments[0], site.value
    slopes = _listed(site.slope(0, x.shape)[..., None], axes).reshape(y.size, -1)
    largest, total = slopes.max(axis=-1), np.abs(slopes).sum(axis=-1)
    if ((largest != 1.0) | (total != 1.0))[site.margin.reshape(-1) > 0.0].any():
        return None
    chosen: NDArray[np.intp] = slopes.argmax(axis=-1).reshape(y.shape)
    return chosen


def _exact(site: Site, move: Move, axes: Axes, here: Any, can_cross: bool, probes: Probes) -> Array:
    """The change by the op's own rule at some places of the output, for both signs; probes that cross are noted."""
    x, y, kink = site.arguments[0], site.value, site.op.kink
    assert kink is not None
    own = _output_window(site, move.window, axes)
    inside, value, branch, d = pick(x, move.window), pick(y, own), pick(site.branch, own), move.data
    options = dict(site.options)
    if here is not ...:  # each place of the output with the places of its axes, in a list
        inside, d = (_listed(a, axes)[here.reshape(-1)] for a in (inside, d))
        value, branch = (np.broadcast_to(a, (*here.shape, a.shape[-1]))[here] for a in (value, branch))
        options.update(axis=tuple(range(1, 1 + len(axes))), keepdims=False)
    if move.odd:
        d = np.concatenate([d, -d], axis=-1)
        if any(map(is_table, move.window)):
            inside, value, branch = (np.concatenate([a, a], axis=-1) for a in (inside, value, branch))
    moved = inside + d
    rule = site.op.delta(0)
    probes.by_delta &= rule is not None
    data = np.asarray(site.op.forward(moved, **options) - value if rule is None else rule(d, value, inside, **options))
    if can_cross:
        switched = np.broadcast_to(kink.branch(moved, **options) != branch, data.shape)
        probes.cross(switched.reshape(-1, data.shape[-1]).any(axis=0))
    return data


def _listed(array: Array, axes: Axes) -> Array:
    """The axes that are kept as one, then the listed ones, then the probes."""
    kept = [a for a in range(array.ndim - 1) if a not in axes]
    moved = array.transpose(*kept, *axes, array.ndim - 1)
    return moved.reshape(-1, *moved.shape[len(kept) :])
