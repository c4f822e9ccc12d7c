"""The problem of a case with handwritten code: what its backward claims, and a function to take differences of.

That function is its own forward, or a reference's. How the code is called is `handwritten`'s business.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradcheck.casefile.arrays import evaluate_number
from gradcheck.checking.building.drawing import (
    Built,
    Mistakes,
    draw,
    draw_upstream,
    expected_claims,
    numbers_of,
    placing,
)
from gradcheck.checking.building.translate import translated, translating
from gradcheck.errors import FieldError, NonFiniteError, raise_all
from gradcheck.handwritten.opening import open_handwritten, telling
from gradcheck.handwritten.runner import Handwritten
from gradcheck.location import SourceText
from gradcheck.model.case import Case, CodeBody
from gradcheck.model.problem import Array, Claim, Point, Problem
from gradcheck.notation import parse_expression


def build_code(case: Case, body: CodeBody, seed: int) -> Built:
    """Open the code, call backward once and collect the claims.

    Raises NotationError, FieldError or SeveralErrors for the file's mistakes, UserCodeError for the code's,
    NonFiniteError where the forward has no finite value.
    """
    mistakes = Mistakes()
    arrays = draw(case, case.inputs, "inputs", seed, mistakes)
    raise_all(mistakes.found)
    with translated():
        code = open_handwritten(case, arrays)
        if case.variant is not None and case.variant.name == "nonzero_bias":
            case, arrays = _with_own_biases(case, arrays, code, seed)
            code = open_handwritten(case, arrays)
        trusted = code if body.reference is None else open_handwritten(case, arrays, body.reference)
    if not np.isfinite(trusted.value).all():
        bad = trusted.value[~np.isfinite(trusted.value)][0]
        with telling(code.statements):
            raise NonFiniteError(f"forward returns {bad} at the point", "choose inputs where the function is defined")
    upstream = _upstream(case, code, seed)
    factors = _factors(case, code)

    @translating
    def vjp(weights: Array) -> dict[str, NDArray[Any]]:
        gradients = code.vjp(weights if code.takes_upstream else None)
        return {name: _unscaled(gradient, factors.get(name)) for name, gradient in gradients.items()}

    with telling(code.statements):
        gradients = vjp(upstream)
    if trusted is not code:
        gradients["out"] = _output(code, trusted)
    claims = [Claim("backward", gradients, vjp=vjp if code.takes_upstream else None, epsilon=code.claim_epsilon)]
    value = trusted.value.reshape(trusted.output_shapes[0]) if len(trusted.output_shapes) == 1 else trusted.value
    claims += expected_claims(case, code.point, value, mistakes)
    raise_all(mistakes.found)
    problem = Problem(
        point=code.point,
        wrt=code.wrt,
        function=translating(trusted.outputs),
        upstream=upstream,
        value=trusted.value,
        claims=tuple(claims),
        epsilon=code.epsilon,
        output_shapes=trusted.output_shapes,
        batch=_batches(trusted) if case.batched else None,
    )
    return Built(problem, code.statements, code.notes, trusted.held, code.body, code, lambda: vjp(upstream))


def _batches(code: Handwritten) -> Callable[[Point], Array]:
    """Raises FieldError where forward does not take batches."""
    from gradcheck.checking.building.batches import Batches  # most code takes one point at a time

    with translated(), telling(code.statements):
        return translating(Batches(code).__call__)


def _with_own_biases(
    case: Case, arrays: Mapping[str, NDArray[Any]], code: Handwritten, seed: int
) -> tuple[Case, dict[str, NDArray[Any]]]:
    """The parameters of the code's own that are all zeros or all ones, as further inputs with 0.1·normal added."""
    from gradcheck.casefile.stress import is_constant, with_noise

    own = {
        name: with_noise(array, name, seed)
        for name, array in code.point.items()
        if name not in case.inputs and array.dtype.kind == "f" and is_constant(array)
    }
    assert case.variant is not None
    if not own and not case.variant.tensors:
        raise FieldError("nothing given and no parameter is all zeros or all ones")
    stand_ins = {name: SourceText.of(name) for name in own}  # never read: the arrays are here
    return replace(case, inputs={**case.inputs, **stand_ins}), {**arrays, **own}


def _upstream(case: Case, code: Handwritten, seed: int) -> Array:
    """Random signed weights for every output that backward takes an upstream gradient of, else ones."""
    if not code.takes_upstream:
        return np.ones(code.value.shape)
    drawn = [
        draw_upstream(case, shape, seed, f"d{name}", scalar="random")
        for name, shape in zip(code.output_names, code.output_shapes, strict=True)
    ]
    return np.concatenate([weights.reshape(-1) for weights in drawn])


def _factors(case: Case, code: Handwritten) -> dict[str, float]:
    """`scale`: by convention the code's gradient is the true one times this factor."""
    factors = {}
    for name, text in case.scale.items():
        path = ("scale", name)
        with placing(case, path):
            if name not in code.wrt:
                raise FieldError(f"there is no gradient of '{name}' to scale", f"known: {', '.join(code.wrt)}", path)
            factors[name] = float(evaluate_number(parse_expression(text), numbers_of(case), text))
            if factors[name] == 0.0:
                raise FieldError("a gradient cannot be scaled by zero", "", path)
    return factors


def _unscaled(gradient: NDArray[Any], factor: float | None) -> NDArray[Any]:
    return gradient if factor is None else np.asarray(gradient) / factor


def _output(code: Handwritten, trusted: Handwritten) -> NDArray[Any]:
    """What the checked forward returns, in the form of the reference's where the sizes agree."""
    same = code.value.shape == trusted.value.shape and code.output_shapes == trusted.output_shapes
    return code.value if same else code.value.reshape(code.output_shapes[0])
