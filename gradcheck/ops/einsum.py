"""einsum: products summed over the letters that the output does not name (Einstein's convention, as numpy writes it).

The gradient of one operand is an einsum too: the upstream gradient takes its place, and the output's letters and its
own change sides. Not spoken here: `...`, and axes of length 1 that stand for longer ones.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from string import ascii_letters
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradcheck.errors import ShapeError
from gradcheck.ops.broadcasting import MAX_AXES, limited
from gradcheck.ops.registry import REQUIRED, Array, define, sample
from gradcheck.ops.samples import BLOCK, EMPTY, MATRIX, OTHER, ROW, SQUARE

MAX_TERMS = 1_000_000_000  # products of one einsum, about a second of them
FEW_TERMS = 10_000  # below, a plain loop is faster than looking for an order of contractions
WRITE = 'write einsum("ij,jk->ik", a, b)'


def letters(subscripts: Any) -> tuple[list[str], str]:
    """The letters of each operand and of the output; without "->" those that occur once, in alphabetical order."""
    if not isinstance(subscripts, str):
        raise ShapeError(f"expected a text of subscripts, got {subscripts!r}", WRITE)
    text = subscripts.replace(" ", "")
    left, arrow, output = text.partition("->")
    if "." in text:
        raise ShapeError(f"does not take '...' in {subscripts!r}", "write a letter for every axis")
    if "->" in output or any(not (c.isascii() and c.isalpha()) for c in left.replace(",", "") + output):
        raise ShapeError(f"cannot read {subscripts!r}", f"subscripts are letters, ',' and one '->'; {WRITE}")
    operands = left.split(",")
    if not arrow:
        output = "".join(sorted(c for c in set("".join(operands)) if left.count(c) == 1))
    for c in output:
        if output.count(c) > 1:
            raise ShapeError(f"names '{c}' twice in the output of {subscripts!r}", "diag(x) makes a matrix of a vector")
        if c not in left:
            raise ShapeError(f"has no '{c}' in the operands of {subscripts!r}", "the output keeps letters of theirs")
    return operands, output


def lengths(operands: Sequence[str], arrays: Sequence[NDArray[Any]]) -> dict[str, int]:
    """The length that each letter stands for."""
    if len(operands) != len(arrays):
        shapes = ", ".join(str(array.shape) for array in arrays)
        raise ShapeError(
            f"has subscripts for {len(operands)} arrays, '{','.join(operands)}', and got {len(arrays)}: {shapes}", WRITE
        )
    found: dict[str, int] = {}
    for axes, array in zip(operands, arrays, strict=True):
        if len(axes) != array.ndim:
            raise ShapeError(f"has the letters '{axes}' for shape {array.shape}", "write one letter per axis")
        for c, length in zip(axes, array.shape, strict=True):
            if found.setdefault(c, length) != length:
                shapes = ", ".join(f"{axes} {array.shape}" for axes, array in zip(operands, arrays, strict=True))
                raise ShapeError(
                    f"has two lengths for '{c}', {found[c]} and {length}: {shapes}", "one letter stands for one length"
                )
    return found


def check_subscripts(options: Mapping[str, Any], *arrays: NDArray[Any]) -> Mapping[str, Any]:
    """Subscripts with their output written out, and the order of the contractions, chosen once."""
    operands, output = letters(options["subscripts"])
    found = lengths(operands, arrays)
    limited(tuple(found[c] for c in output))
    if len(found) > MAX_AXES or len(arrays) > MAX_AXES:
        message = f"has {len(found)} letters and {len(arrays)} arrays"
        raise ShapeError(message, f"at most {MAX_AXES} of each are allowed; multiply in several steps")
    terms = prod(found.values())
    if terms > MAX_TERMS:
        raise ShapeError(f"would add up {terms:.2g} products", f"at most {MAX_TERMS} are allowed")
    complete = f"{','.join(operands)}->{output}"
    order = np.einsum_path(complete, *arrays, optimize="greedy")[0] if terms > FEW_TERMS else False
    return {"subscripts": complete, "order": order}


def einsum(*operands: Array, subscripts: str, order: Any) -> Array:
    return np.asarray(np.einsum(subscripts, *operands, optimize=order))


def einsum_vjp(g: Array, y: Array, *operands: Array, subscripts: str, order: Any, position: int) -> Array:
    """The upstream gradient times all other operands, summed over what this one does not have.

    A letter that nothing else has was summed alone: its gradient is the same all along. A letter that this operand has
    twice walks along a diagonal: the gradient stands there, and is 0 elsewhere.
    """
    left, output = subscripts.split("->")
    x, axes = operands[position], left.split(",")
    own = axes[position]
    distinct = "".join(dict.fromkeys(own))
    others = [(a, o) for p, (a, o) in enumerate(zip(axes, operands, strict=True)) if p != position]
    reached = "".join(c for c in distinct if c in output or any(c in a for a, _ in others))
    text = ",".join([output, *(a for a, _ in others)])
    part = np.einsum(f"{text}->{reached}", g, *(o for _, o in others), optimize=order is not False)
    size = dict(zip(own, x.shape, strict=True))
    part = part.reshape([size[c] if c in reached else 1 for c in distinct])
    if own == distinct:
        return np.array(np.broadcast_to(part, x.shape))
    gradient = np.zeros(x.shape)
    np.einsum(f"{own}->{distinct}", gradient)[...] = part  # a view of the diagonals
    return gradient


def einsum_change(d: Array, y: Array, *operands: Array, subscripts: str, order: Any, position: int) -> Array:
    """The same sum with d in the place of one operand. Probes, the axis behind, are a letter that nobody has used."""
    left, output = subscripts.split("->")
    probes = next(c for c in ascii_letters if c not in left)
    terms, arrays = [], []
    for number, (axes, operand) in enumerate(zip(left.split(","), operands, strict=True)):
        array = d if number == position else operand
        moves = number == position or (array.ndim > len(axes) and array.shape[-1] > 1)
        terms.append(axes + probes if moves else axes)
        arrays.append(array if moves or array.ndim == len(axes) else array[..., 0])
    return einsum(*arrays, subscripts=f"{','.join(terms)}->{output}{probes}", order=order)


define("einsum", einsum, "contraction", linear={0}, arguments="operands", variadic=True,
       formula='Einstein\'s sum: einsum("ij,jk->ik", a, b) is the matrix product', options={"subscripts": REQUIRED},
       order="subscripts operands", collects="operands", prepare=check_subscripts,
       vjps=[einsum_vjp], deltas=[einsum_change],
       samples=[sample(MATRIX, SQUARE, subscripts="ij,jk->ik"), sample(MATRIX, OTHER, subscripts="ij, ij"),
                sample(MATRIX, subscripts="ij->ji"), sample(BLOCK, subscripts="ijk->j"),
                sample(SQUARE, subscripts="ii"), sample(SQUARE, subscripts="ii->i"),
                sample(SQUARE, ROW, subscripts="ii,k->i"),
                sample(BLOCK, MATRIX, SQUARE, subscripts="bij,bj,jk->ik"), sample(MATRIX, ROW, subscripts="ij,k->ki"),
                sample(ROW, ROW + 1.0, subscripts="a,b"), sample(ROW, ROW, subscripts="i,i->i"),
                sample(EMPTY, SQUARE, subscripts="nd,de->ne"), sample(EMPTY, subscripts="nd->d"),
                sample(BLOCK[:, :, :2], subscripts="ijj->ij"), sample(BLOCK[:1], MATRIX[:1], subscripts="nij,nj->ni"),
                ])  # fmt: skip
