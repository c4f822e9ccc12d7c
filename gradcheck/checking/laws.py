"""Laws that every backward obeys and that need no differences: it is linear in its upstream gradient, and repeatable.

They are tested before any number is compared, so that a mismatch is not blamed on the wrong thing. Finiteness, number
and shape of gradients are looked at where claims are compared.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradcheck.model.problem import Claim, Problem

LINEAR = 1e-6  # relative to the tensor's largest gradient; scaling by a power of two is exact but for float32 sums
LINEAR_SINGLE = 1e-3
ROUNDINGS = 16.0  # machine epsilons of a coarser type, by which gradients computed in it may miss their sum
CANCELLED = 64.0 * 2.0**-52  # relative to the largest gradient of all: a gradient of zero may be what is left of such


def broken_laws(problem: Problem, claim: Claim) -> Mapping[str, str]:
    """Tensor → the law that its gradient breaks, in a sentence; nothing where backward takes no upstream gradient."""
    if claim.vjp is None:
        return {}
    # Of the other sign and in another order, so that neither can be what a backward hangs on.
    other = -2.0 * problem.upstream[::-1]
    upstreams = (0.0 * problem.upstream, 2.0 * problem.upstream, other, problem.upstream + other)
    gradients = [claim.gradients, *(claim.vjp(upstream) for upstream in upstreams)]
    largest = max((_largest(claim.gradients.get(tensor)) for tensor in problem.wrt), default=0.0)
    broken = {}
    for tensor in problem.wrt:
        arrays = [np.asarray(each.get(tensor)) for each in gradients]
        if any(array.dtype.kind not in "fiub" for array in arrays) or len({array.shape for array in arrays}) > 1:
            continue
        law = _broken(*arrays, rounding=ROUNDINGS * claim.epsilon, rest=CANCELLED * largest)
        if law:
            broken[tensor] = law
    return broken


def _largest(gradient: NDArray[Any] | None) -> float:
    """The largest number of a gradient; 0 where it is no finite array of numbers, which is judged elsewhere."""
    array = np.asarray(gradient)
    if array.dtype.kind not in "fiu" or array.size == 0 or not np.isfinite(array).all():
        return 0.0
    return float(np.abs(array).max())


def _broken(
    once: NDArray[Any],
    at_zero: NDArray[Any],
    twice: NDArray[Any],
    other: NDArray[Any],
    together: NDArray[Any],
    *,
    rounding: float,
    rest: float,
) -> str:
    if once.size == 0 or not np.isfinite(once).all():
        return ""  # what is not finite is found where claims are compared
    single = once.dtype.kind == "f" and once.dtype.itemsize < 8
    allowed = max(LINEAR_SINGLE if single else LINEAR, rounding)
    size = float(np.abs(once).max())
    limit = allowed * max(size, float(np.finfo(np.float64).tiny))
    if once.any() and np.array_equal(twice, once) and np.array_equal(at_zero, once):
        return "the gradient does not depend on the upstream gradient"
    if not np.abs(at_zero).max() <= limit:  # nor may it be NaN, as 0 / 0 is
        return "for an upstream gradient of zero the gradient is not zero"
    if not np.abs(twice - 2.0 * once).max() <= limit:
        return "for twice the upstream gradient the gradient is not twice as large"
    size = max(size, float(np.abs(other).max()), float(np.abs(together).max()))
    limit = max(allowed * max(size, float(np.finfo(np.float64).tiny)), rest)
    if not np.abs(together - once - other).max() <= limit:
        return "for the sum of two upstream gradients the gradient is not the sum of theirs"
    return ""
