"""Somebody's code, seen from outside: what goes in, what comes out, and the gradients it claims. Nothing is guessed."""

from __future__ import annotations

import numpy as np

from gradcheck.checking.building.drawing import Built
from gradcheck.model.case import CodeBody
from gradcheck.model.explanation import CodeFacts, Tensor


def code_facts(built: Built) -> CodeFacts:
    """The facts of a case whose body is code, at its point."""
    problem, code = built.problem, built.code
    assert code is not None
    ends = np.cumsum([int(np.prod(shape)) for shape in problem.output_shapes])[:-1]
    named = list(zip(code.output_names, problem.output_shapes, strict=True))
    outputs, weights = np.split(problem.value, ends), np.split(problem.upstream, ends)
    claim = next(claim for claim in problem.claims if claim.source == "backward")
    return CodeFacts(
        statements=_statements(built),
        inputs=tuple(Tensor(name, array) for name, array in problem.point.items()),
        outputs=tuple(Tensor(n, part.reshape(shape)) for (n, shape), part in zip(named, outputs, strict=True)),
        upstream=tuple(Tensor(f"d{n}", part.reshape(shape)) for (n, shape), part in zip(named, weights, strict=True))
        if code.takes_upstream
        else (),
        gradients=tuple(Tensor(f"d{name}", np.asarray(claim.gradients[name])) for name in problem.wrt
                        if name in claim.gradients),
    )  # fmt: skip


def _statements(built: Built) -> tuple[str, ...]:
    """The calls, as written or as a shorthand stands for them."""
    if built.statements:
        return built.statements
    body = built.code.body if built.code is not None else None
    if not isinstance(body, CodeBody):
        return ()
    fields = (("setup", body.setup), ("forward", body.forward), ("backward", body.backward), ("build", body.build))
    return tuple(f"{key}: {line}" for key, text in fields if text is not None for line in text.text.strip().split("\n"))
