"""The table of operations: one frozen `Op` per name, with everything that is known about it in one place.

Says what an op is and who may be registered; the ops themselves stand in the modules beside this one, and what runs
them – forwards, reverse sweeps, differences – lives in `graph`, `perturb` and `numerical`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from gradcheck.errors import InternalError
from gradcheck.ops.broadcasting import broadcast_shape
from gradcheck.record import dataclass, field

Array = NDArray[np.float64]
Rule = Callable[..., Any]
Kind = Literal["elementwise", "along_axes", "layout", "contraction", "unknown"]
Prepare = Callable[..., Mapping[str, Any]]

REQUIRED: Any = inspect.Parameter.empty  # the default of an option that has none


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """Arguments that an op is tested on, away from its kinks, and the options as a person would write them."""

    arguments: tuple[NDArray[Any], ...]
    options: Mapping[str, Any]


Samples = Sequence[Sample | tuple[NDArray[Any], ...]]


def sample(*arguments: NDArray[Any], **options: Any) -> Sample:
    """A Sample with options: `sample(MATRIX, axis=0)`."""
    return Sample(tuple(np.asarray(argument) for argument in arguments), options)


@dataclass(frozen=True, slots=True)
class Kink:
    """Where an op switches between two formulas. All three functions take `*args, **options` like the forward.

    at : what the value and our gradient are exactly at a switch, one sentence
    branch : integer array of the output's shape: which piece each output element is on
    margin : float array of the output's shape: while no argument element moves by as much, `branch` stays as it is;
        0 exactly at a switch
    slopes : per argument (left, right): the output's slope as one element of the argument falls, or rises, all else
        standing still; arrays that broadcast with the argument and the output. None: the argument is not
        differentiated. Away from switches left and right are the same. Empty where the value itself jumps. Where an
        element may stand in several places of the output (sort), one more axis, the last, counts these places
    curved : whether a piece is curved, or a product of two arguments (elu below 0, prelu), so that slopes hold at the
        point only; otherwise changes within the margin are exactly the sum of slope · step
    """

    at: str
    branch: Callable[..., NDArray[np.integer[Any]]]
    margin: Callable[..., Array]
    slopes: tuple[Callable[..., tuple[Any, Any]] | None, ...] = ()
    curved: bool = False


def _as_given(options: Mapping[str, Any], *arguments: NDArray[Any]) -> Mapping[str, Any]:
    return options


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Op:
    """One operation. All functions are pure; none changes what it is given.

    forward : `forward(*args, **options)`. With axes as `prepare` left them, an op that is no contraction lets an extra
        last axis of every float argument pass to its output
    kind : how a change in a window of an argument passes
    vjps : per argument `rule(g, y, *args, **options)` → the gradient, of the argument's shape, for the upstream
        gradient g (shape of y). None: not differentiated
    linear : positions in which y is affine while the other arguments stand still
    additive : y is affine in all arguments of `linear` together, and no rule of theirs looks at another of them
    deltas : per argument `rule(d, y, *args, **options)` → f(…, x + d, …) − y, exact for a finite d of any size; all
        arrays have an extra last axis for the probes. None, or no entries at all: forward(x + d) − y serves
    twins : per argument the same for d and for −d at once, a pair, where both signs share work; or no entries at all
    factored : for an op of one argument, `rule(w, u, y, x, **options)` → the change for w·u in two parts, one that is
        odd in u and one that is even: w a direction along the last axis, shape (n, 1), u a number per row and probe,
        shape (…, 1, K). It answers None where steps are too long for it. None: there is no such rule
    series : for a smooth elementwise op of one argument, `rule(x, size, **options)` → the coefficients of d, d², … in
        f(x + d) − f(x), arrays of x's shape, so many that no more of them show for |d| ≤ size; at least three. None
        where these are too many. None: there is no such rule
    ranked : for an op of one argument that keeps its shape, `rule(w, x, **options)` for changes w·u along the last
        axis, w of shape (…, n, r), u (…, r, K): the directions of the value's change, (…, n, s), and a function that
        gives their numbers, (…, s, K), for u – or None where steps are too long for it. It answers None where s would
        be large. None: there is no such rule
    kink : where it switches; None for an op that is smooth wherever it is defined
    arguments : names of the array arguments
    variadic : the last name stands for any number of arguments. Its entry in `vjps`, `deltas` and `linear` serves them
        all; as a rule it is also told `position=`, counted among them
    whole : positions that take whole numbers (indices, class numbers), which a text leaves whole
    options : name → default, in the order in which they may be written without a name
    order : names of arguments and options in the order in which they are written, where the arguments do not
        come first (`gather(x, axis, index)`)
    collects : the last of them, an option or a variadic argument, that takes all remaining positions
        (`reshape(x, 2, 3)`, `einsum(subscripts, a, b)`), or ""
    outputs : for an op that gives several arrays: `outputs(options, *args)` → how many. Each is a node of its own, told
        `output=` among its options
    prepare : `prepare(options, *args)` → options with axes made non-negative. Raises ShapeError whose message goes on
        from the op's name ("has no axis 2 …")
    symbol : how it is written where it is not called by its name ("+"), or ""
    formula : the value, one line for people
    samples : what the tests use; an op cannot be registered untested
    """

    name: str
    forward: Rule
    kind: Kind
    vjps: tuple[Rule | None, ...]
    linear: frozenset[int] = frozenset()
    additive: bool = False
    deltas: tuple[Rule | None, ...] = ()
    twins: tuple[Rule | None, ...] = ()
    factored: Rule | None = None
    series: Rule | None = None
    ranked: Rule | None = None
    kink: Kink | None = None
    arguments: tuple[str, ...] = ("x",)
    whole: frozenset[int] = frozenset()
    options: Mapping[str, Any] = field(default_factory=dict)
    order: tuple[str, ...] = ()
    collects: str = ""
    outputs: Callable[..., int] | None = None
    prepare: Prepare = _as_given
    variadic: bool = False
    symbol: str = ""
    formula: str = ""
    samples: tuple[Sample, ...] = ()

    def __repr__(self) -> str:
        return f"<op {self.signature}>"

    @property
    def signature(self) -> str:
        """How it is called: "sum(x, axis=None, keepdims=False)"."""
        if self.symbol == "[]":
            return "x[index]"
        parts = []
        for name in self.places:
            default = self.options.get(name, REQUIRED)
            if name == self.collects:
                parts.append(f"*{name}")
            elif self.variadic and name == self.arguments[-1]:
                parts.append(f"[{name}, …]")
            else:
                parts.append(name if default is REQUIRED else f"{name}={default!r}")
        return f"{self.name}({', '.join(parts)})"

    @property
    def places(self) -> tuple[str, ...]:
        """The names of arguments and options in the order in which they are written."""
        return self.order or (*self.arguments, *self.options)

    def vjp(self, position: int) -> Rule | None:
        """The rule of one argument, called `rule(g, y, *args, **options)`."""
        return self._rule(self.vjps, position)

    def delta(self, position: int) -> Rule | None:
        """The exact change for one argument, called `rule(d, y, *args, **options)`; None if there is no such rule."""
        return self._rule(self.deltas, position) if self.deltas else None

    def twin(self, position: int) -> Rule | None:
        """The exact changes for d and −d together; None if there is no such rule."""
        return self._rule(self.twins, position) if self.twins else None

    def entry(self, position: int) -> int:
        """Which entry of `vjps`, `deltas` and `linear` serves the argument in that position."""
        return min(position, len(self.vjps) - 1) if self.variadic else position

    def _rule(self, rules: tuple[Rule | None, ...], position: int) -> Rule | None:
        entry = self.entry(position)
        rule = rules[entry]
        shared = self.variadic and entry == len(rules) - 1
        return partial(rule, position=position - entry) if shared and rule is not None else rule


_table: dict[str, Op] = {}


def define(
    name: str,
    forward: Rule,
    kind: Kind = "elementwise",
    *,
    vjps: Sequence[Rule | None],
    samples: Samples,
    formula: str,
    linear: frozenset[int] | set[int] = frozenset(),
    additive: bool = False,
    deltas: Sequence[Rule | None] = (),
    twins: Sequence[Rule | None] = (),
    factored: Rule | None = None,
    series: Rule | None = None,
    ranked: Rule | None = None,
    kink: Kink | None = None,
    arguments: str = "",
    whole: frozenset[int] | set[int] = frozenset(),
    options: Mapping[str, Any] = MappingProxyType({}),
    order: str = "",
    collects: str = "",
    outputs: Callable[..., int] | None = None,
    prepare: Prepare | None = None,
    variadic: bool = False,
    symbol: str = "",
) -> Op:
    """Register an op and return it; the parameters are the fields of `Op`, with plain tuples allowed as samples.

    arguments, order : names separated by spaces; default x, or a b; and the arguments, then the options
    prepare : default for elementwise ops: the shapes must broadcast

    Raises InternalError for an op that is registered twice, has no samples, or contradicts itself.
    """
    names = tuple(arguments.split()) or (("x",), ("a", "b"))[len(vjps) - 1]
    if name in _table:
        raise InternalError(f"the op '{name}' is defined twice")
    if not samples:
        raise InternalError(f"the op '{name}' has no samples", "give samples, so that the tests can run it")
    sides = [rules for rules in (deltas, twins) if rules]
    if any(len(rules) != len(names) for rules in (vjps, *sides)) or not linear <= set(range(len(vjps))):
        raise InternalError(f"the rules of the op '{name}' do not match its arguments: {', '.join(names)}")
    if prepare is None:
        prepare = _broadcasting if kind == "elementwise" else _as_given
    op = Op(
        name=name,
        forward=forward,
        kind=kind,
        vjps=tuple(vjps),
        linear=frozenset(linear),
        additive=additive,
        deltas=tuple(deltas),
        twins=tuple(twins),
        factored=factored,
        series=series,
        ranked=ranked,
        kink=kink,
        arguments=names,
        whole=frozenset(whole),
        options=MappingProxyType(dict(options)),
        order=tuple(order.split()),
        collects=collects,
        outputs=outputs,
        prepare=prepare,
        variadic=variadic,
        symbol=symbol,
        formula=formula,
        samples=tuple(s if isinstance(s, Sample) else sample(*s) for s in samples),
    )
    _table[name] = op
    return op


def get(name: str) -> Op:
    """The op of that name. Raises KeyError; whoever reads names from people asks `all_ops` first."""
    return _table[name]


def all_ops() -> Mapping[str, Op]:
    """Every op by name, in the order of the modules; a view, not to be changed."""
    return MappingProxyType(_table)


def _broadcasting(options: Mapping[str, Any], *arguments: NDArray[Any]) -> Mapping[str, Any]:
    broadcast_shape(*(argument.shape for argument in arguments))
    return options
