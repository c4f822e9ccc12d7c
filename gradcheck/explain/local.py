"""Local gradients: how one op passes a gradient on to one argument, written so that a person can follow.

The numbers are those of the op's own vjp rule; nothing is known here about any single op but the shape of its Jacobian.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradcheck.graph.graph import Node, Value
from gradcheck.model.explanation import Form, Way
from gradcheck.model.problem import Array

MOST_OUTPUTS = 64  # rows of a Jacobian that is written down, each one call of the rule
MOST_ENTRIES = 4096

# The products of matrices, whose Jacobians nobody writes down: g is the upstream gradient.
PRODUCTS = {(1, 1): ("g · {b}", "g · {a}"), (1, 2): ("{b} @ g", "outer({a}, g)"),
            (2, 1): ("outer(g, {b})", "{a}.T @ g"), (2, 2): ("g @ {b}.T", "{a}.T @ g")}  # fmt: skip


def ways_of(
    node: Node, values: Sequence[Value], value: Value, upstream: Array, wanted: Sequence[bool], labels: Sequence[str]
) -> tuple[Way, ...]:
    """The ways back through one op.

    values : of its arguments
    upstream : the gradient that arrives, shape of `value`
    wanted : which arguments a gradient is asked for
    labels : what the arguments are called
    """
    ways = []
    for position, to in enumerate(node.arguments):
        rule = node.op.vjp(position) if wanted[position] else None
        if rule is None:
            continue

        def back(
            g: Array, y: Value = value, arguments: Sequence[Value] = values, rule: Callable[..., Any] = rule
        ) -> Array:
            return np.asarray(rule(g, y, *arguments, **node.options), dtype=np.float64)

        with np.errstate(all="ignore"):
            downstream = back(upstream)
            form, local, summed = _local(node, position, values, value, back)
        size = (int(np.size(value)), int(np.size(values[position])))
        rule_text = _rule(node, position, values, labels)
        ways.append(Way(to, position, form, local, size, summed, rule_text, downstream))
    return tuple(ways)


def _local(
    node: Node, position: int, values: Sequence[Value], value: Value, back: Callable[..., Array]
) -> tuple[Form, Array | None, tuple[int, ...]]:
    argument = np.asarray(values[position])
    y = np.asarray(value)
    ones = np.ones(y.shape)
    if node.op.kind == "elementwise":
        if argument.shape == y.shape:
            return "slopes", back(ones), ()
        rule = node.op.vjp(position)
        assert rule is not None
        # Each element of the output has a slope of its own; the rule would sum them up.
        wide = [np.broadcast_to(v, y.shape) for v in values]
        return "slopes", np.asarray(rule(ones, value, *wide, **node.options)), _broadcast_axes(argument.shape, y.shape)
    if y.size == 1:
        return "slopes", back(ones), ()
    if y.size > MOST_OUTPUTS or y.size * argument.size > MOST_ENTRIES:
        return "unformed", None, ()
    rows: list[NDArray[Any]] = []
    for cell in range(y.size):
        g = np.zeros(y.shape)
        g.flat[cell] = 1.0
        rows.append(back(g).reshape(-1))
    return "jacobian", np.array(rows).reshape(y.size, argument.size), ()


def _broadcast_axes(narrow: tuple[int, ...], wide: tuple[int, ...]) -> tuple[int, ...]:
    """The axes of the wide shape along which the narrow one was repeated."""
    missing = len(wide) - len(narrow)
    return tuple(
        axis for axis, length in enumerate(wide) if axis < missing or (narrow[axis - missing] == 1 and length != 1)
    )


def _rule(node: Node, position: int, values: Sequence[Value], labels: Sequence[str]) -> str:
    """`outer(g, x)`; "" for an op that is no product of matrices."""
    if node.op.symbol != "@":
        return ""
    forms = PRODUCTS.get((np.ndim(values[0]), np.ndim(values[1])))
    return "" if forms is None else forms[position].format(a=labels[0], b=labels[1])
