"""Networks of case files: layers in order, residual blocks, a loss and a penalty → a graph with named parameters.

What a layer computes is said in `layers`, what a loss means in `losses`; arrays are drawn by whoever asks for the
network, and handwritten layers are made into ops by the callback.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gradcheck.casefile.arrays import stream
from gradcheck.errors import FieldError, GradcheckError, NotationError, ShapeError, did_you_mean, raise_all
from gradcheck.graph.builder import Builder, Traced
from gradcheck.graph.layers import Formula
from gradcheck.graph.plan import Block, Plan, Step, read_plan
from gradcheck.graph.terms import add_terms
from gradcheck.graph.tracer import Ref, trace_inside
from gradcheck.location import SourceText
from gradcheck.model.case import NetworkBody
from gradcheck.model.problem import Array
from gradcheck.notation import Call
from gradcheck.ops.registry import Op
from gradcheck.record import dataclass

# (name, shape, default initialiser as a text of the array notation) → the parameter's array
Initialise = Callable[[str, tuple[int, ...], str], NDArray[Any]]
# (the call `code("layers.py:LeakyReLU", alpha=0.1)`, its text) → an op of kind "unknown" with one argument
Custom = Callable[[Call, SourceText], Op]


def trace_network(
    body: NetworkBody,
    inputs: Mapping[str, ArrayLike],
    *,
    sizes: Mapping[str, int | float],
    initialise: Initialise,
    custom: Custom | None = None,
    seed: int = 0,
) -> Traced:
    """The graph of a network; leaves are its inputs and, after them, its parameters.

    inputs : `x`, and `target` where there is a loss; x becomes float64 unless the first layer takes whole numbers
    sizes : what names stand for in layers, loss and penalty
    initialise : called once per parameter, in order (W1, b1, W2, …)
    seed : of the random constants of layers, one stream each (the masks of dropout)

    Returns: Traced with `parameters` and `statistics`; `names` has the inputs, these arrays and `output`, the last
    layer's value. The graph's output is the loss plus the penalty, or the last layer's value where there is no loss.
    Raises NotationError (with its place), FieldError (with the path of the field), or SeveralErrors.
    """
    plan = read_plan(body, sizes)
    raise_all([*plan.errors, *_wrong_fields(body, inputs, plan)])
    assembly = _Assembly(Builder(), {}, custom, seed)
    whole = takes_whole(plan)
    for name, value in inputs.items():
        is_float = name == "x" and not whole
        assembly.names[name] = assembly.builder.leaf(name, np.asarray(value, np.float64) if is_float else value)
    parameters: dict[str, Array] = {}
    statistics: dict[str, Array] = {}
    for step in plan.steps:
        for parameter in step.parameters:
            name = step.name_of(parameter)
            array = np.asarray(initialise(name, parameter.shape, parameter.default), dtype=np.float64)
            (parameters if parameter.learnt else statistics)[name] = array
            assembly.names[name] = assembly.builder.leaf(name, array)
    output = assembly.layers(plan.layers, assembly.names["x"])
    assembly.names.setdefault("output", output)
    total = assembly.total(plan, output)
    return assembly.builder.finish(total, assembly.names, parameters, statistics)


def takes_whole(plan: Plan) -> bool:
    """Whether x holds whole numbers: the first layer says so."""
    first = next(iter(plan.steps), None)
    return first is not None and first.kind is not None and first.kind.takes_whole


@dataclass(frozen=True, slots=True, eq=False)
class _Assembly:
    """The graph in the making; names : leaves → vertices."""

    builder: Builder
    names: dict[str, int]
    custom: Custom | None
    seed: int

    def layers(self, layers: Iterable[Step | Block], x: int) -> int:
        """The vertex of the last layer's value, x being the first one's input."""
        for layer in layers:
            x = self.layer(layer, x) if isinstance(layer, Step) else self.block(layer, x)
        return x

    def block(self, block: Block, x: int) -> int:
        after = self.layers(block.layers, x)
        shape, expected = self.builder.values[after].shape, self.builder.values[x].shape
        if shape != expected:
            raise ShapeError(
                f"the residual block adds its output, shape {shape}, to its input, shape {expected}",
                "let the block end with the width that it begins with",
                block.place.source,
                block.place.span,
            )
        return trace_inside(self.builder, "x + y", {"x": Ref(x), "y": Ref(after)}, block.place).index

    def layer(self, step: Step, x: int) -> int:
        place = step.place
        if step.kind is None:
            if self.custom is None:
                message = "handwritten layers cannot be read here"
                raise NotationError(message, "write the layers by name", place.source, place.span)
            return self.builder.apply(self.custom(step.call, place.source), [x], {}, place, step.text)
        known: dict[str, Any] = {**step.settings, "x": Ref(x)}
        known.update({p.name: Ref(self.names[step.name_of(p)]) for p in step.parameters})
        value = self.builder.values[x]
        try:
            formula = step.kind.formula(step.settings, value)
        except ShapeError as error:
            message = f"layer {step.number}: {step.text} {error.message}"
            raise ShapeError(message, error.hint, place.source, place.span) from None
        text, names = (formula.text, formula.names) if isinstance(formula, Formula) else (formula, {})
        known.update({name: self.constant(item) for name, item in names.items()})
        if step.kind.draws:
            known["uniform"] = self.constant(stream(self.seed, f"{step.kind.name} {step.number}").random(value.shape))
        return trace_inside(self.builder, text, known, place).index

    def constant(self, item: Any) -> Any:
        """A plain number as it is, an array as a vertex."""
        return Ref(self.builder.constant(item)) if isinstance(item, np.ndarray) else item

    def total(self, plan: Plan, output: int) -> int:
        """The vertex of the loss, penalty included; the output itself where there is no loss."""
        if plan.loss is None:
            return output
        weights = [self.names[step.name_of(p)] for step in plan.steps for p in step.parameters if p.penalised]
        return add_terms(self.builder, output, self.names["target"], weights, plan.loss, plan.penalties)


def _wrong_fields(body: NetworkBody, inputs: Mapping[str, ArrayLike], plan: Plan) -> list[GradcheckError]:
    """Inputs and parameters that the network does not have, or has and were not given."""
    errors: list[GradcheckError] = []
    wanted = ["x", "target"] if body.loss is not None else ["x"]
    if "x" not in inputs:
        errors.append(FieldError("the network has no input 'x'", "write x: normal(8, 3)", ("inputs",)))
    if plan.loss is not None and "target" not in inputs:
        message = f"the loss '{plan.loss.name}' needs a 'target', which is not among the inputs"
        errors.append(FieldError(message, "write what the output is compared with", ("inputs",)))
    for name in inputs:
        if name not in wanted:
            hint = (
                "'target' needs a loss"
                if name == "target"
                else did_you_mean(name, wanted, "a network reads x and target")
            )
            errors.append(FieldError(f"the network does not use the input '{name}'", hint, ("inputs", name)))
    known = [step.name_of(p) for step in plan.steps for p in step.parameters]
    if not plan.errors:  # a layer that could not be read may be the one that has the parameter
        for name in body.parameters:
            if name not in known:
                hint = did_you_mean(name, known, f"its parameters are: {', '.join(known) or 'none'}")
                errors.append(FieldError(f"the network has no parameter '{name}'", hint, ("parameters", name)))
    return errors
