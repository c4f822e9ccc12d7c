"""The problem of a pair of Python functions at given arrays: what their backward claims, and forward as a function.

Beside `build_code.py`, which has a file and a case in place of functions and arrays.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from gradcheck.checking.building.drawing import Built, draw_upstream
from gradcheck.checking.building.translate import translated, translating
from gradcheck.errors import FieldError, NonFiniteError
from gradcheck.handwritten.calls import make_plan
from gradcheck.handwritten.live import LiveCode, place_of
from gradcheck.handwritten.pair import Pair
from gradcheck.handwritten.runner import Handwritten
from gradcheck.handwritten.session import Session
from gradcheck.location import SourceText
from gradcheck.model.case import Case, CodeBody
from gradcheck.model.problem import Array, Claim, Problem


def build_live(
    case: Case, pair: Pair, arrays: Mapping[str, NDArray[Any]], upstream: str | Sequence[Any] = "random"
) -> Built:
    """Call the pair once at the point and collect its claims.

    case : its body names the file of forward; inputs and statements are filled in here
    arrays : the inputs that come from the point, by name
    upstream : random, ones, or one array per output

    Raises FieldError where what was asked for does not fit the functions, UserCodeError where those break,
    NonFiniteError where forward has no finite value.
    """
    case, names = _with_statements(case, pair, arrays)
    files = [place_of(function)[0] for function in (pair.forward, pair.backward) if function is not None]
    with translated():
        session = Session(LiveCode(names, files), make_plan(case, cast(CodeBody, case.body)))
        code = Handwritten(case, session, arrays, ())
    if not np.isfinite(code.value).all():
        bad = code.value[~np.isfinite(code.value)][0]
        raise NonFiniteError(f"forward returns {bad} at the point", "choose inputs where the function is defined")
    weights = _upstream(case, code, upstream)

    @translating
    def vjp(weights: Array) -> Mapping[str, NDArray[Any]]:
        return code.vjp(weights if code.takes_upstream else None)

    claim = Claim("backward", vjp(weights), vjp=vjp if code.takes_upstream else None, epsilon=code.claim_epsilon)
    problem = Problem(
        point=code.point, wrt=code.wrt, function=translating(code.outputs), upstream=weights, value=code.value,
        claims=(claim,), epsilon=code.epsilon, output_shapes=code.output_shapes,
    )  # fmt: skip
    return Built(problem, (), code.notes, code.held, None, code, lambda: vjp(weights))


def _with_statements(case: Case, pair: Pair, arrays: Mapping[str, NDArray[Any]]) -> tuple[Case, dict[str, Any]]:
    """The case as a file would have it, and the functions that its statements call."""
    taken = {*arrays, *(f"d{name}" for name in arrays)}
    forward, backward, rest = _free("forward", taken), _free("backward", taken), _free("rest", taken)
    word = "loss" if pair.backward is None else "out"
    outputs = [_free(word if pair.outputs == 1 else f"{word}{i + 1}", taken) for i in range(pair.outputs)]
    gradients = [f"d{name}" for name in pair.differentiable]
    call = f"{forward}({', '.join(arrays)})"
    body = replace(
        cast(CodeBody, case.body),
        forward=SourceText.of(f"{', '.join([*outputs, *(gradients if pair.backward is None else [rest])])} = {call}"),
    )
    if pair.backward is not None:
        given = ", ".join([*(f"d{name}" for name in outputs), rest])
        body = replace(body, backward=SourceText.of(f"{', '.join(gradients)} = {backward}({given})"))
    inputs = {name: SourceText.of(name) for name in arrays}
    return replace(case, body=body, inputs=inputs), {forward: pair.run_forward, backward: pair.run_backward}


def _free(word: str, taken: Iterable[str]) -> str:
    """The word, or the word with the first number that keeps it, and its gradient, apart from the names of inputs."""
    number, candidate = 1, word
    while candidate in taken or f"d{candidate}" in taken:
        number += 1
        candidate = f"{word}{number}"
    return candidate


def _upstream(case: Case, code: Handwritten, upstream: str | Sequence[Any]) -> Array:
    """The weights of all outputs, flat; ones where backward takes no upstream gradient."""
    if not code.takes_upstream:
        return np.ones(code.value.shape)
    if isinstance(upstream, str):
        case = replace(case, upstream=upstream)  # type: ignore[arg-type]  # random or ones, as the caller has seen to
        drawn = [
            draw_upstream(case, shape, case.seed, f"d{name}", scalar="random")
            for name, shape in zip(code.output_names, code.output_shapes, strict=True)
        ]
        return np.concatenate([weights.reshape(-1) for weights in drawn])
    if len(upstream) != len(code.output_shapes):
        expected = len(code.output_shapes)
        message = f"expected {expected} upstream gradient{'' if expected == 1 else 's'}, got {len(upstream)}"
        raise FieldError(message, "give a tuple with one array for each output")
    parts = []
    for given, name, shape in zip(upstream, code.output_names, code.output_shapes, strict=True):
        array = np.asarray(given)
        if array.shape != shape:
            raise FieldError(f"the upstream gradient has shape {array.shape}, expected that of '{name}': {shape}")
        parts.append(array.astype(np.float64).reshape(-1))
    return np.concatenate(parts)
