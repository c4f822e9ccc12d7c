"""Problems made by hand: a function of named arrays at a point, with upstream gradient and claims."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from gradcheck.checking.examine import Examination, examine
from gradcheck.model.problem import Claim, Problem
from gradcheck.model.report import Finding

SEED = 3


def problem(
    function: Callable[..., Any], upstream: Any = None, claims: Mapping[str, Any] | None = None, **point: Any
) -> Problem:
    """function takes the arrays of the point in order; the upstream gradient is 1 for scalars, else signed and random.

    claims : tensor name → gradient, one claim of a backward
    """
    arrays = {name: np.asarray(x) if hasattr(x, "dtype") else np.asarray(x, float) for name, x in point.items()}

    def flat(at: Mapping[str, Any]) -> Any:
        return np.array(function(*(at[name] for name in arrays)), dtype=np.float64).reshape(-1)

    value = flat(arrays)
    if upstream is None:
        generator = np.random.default_rng(SEED)
        signed = generator.choice([-1.0, 1.0], value.size) * generator.uniform(0.5, 1.5, value.size)
        upstream = np.ones(1) if value.size == 1 else signed
    made = () if claims is None else (Claim("backward", {name: np.asarray(g) for name, g in claims.items()}),)
    epsilon = max(float(np.finfo(x.dtype).eps) for x in arrays.values())
    return Problem(arrays, tuple(arrays), flat, np.asarray(upstream, float), value, made, epsilon=epsilon)


def examined(
    function: Callable[..., Any], claims: Mapping[str, Any], upstream: Any = None, **point: Any
) -> Examination:
    """A problem, checked."""
    return examine(problem(function, upstream, claims, **point))


def only(examination: Examination) -> Finding:
    """The one finding there is."""
    (finding,) = examination.findings
    return finding
