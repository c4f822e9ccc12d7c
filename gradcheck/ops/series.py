"""Coefficients of the power series of gated activations, x·s(x), around every element."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import count

import numpy as np

from gradcheck.ops.registry import Array


def gated(x: Array, gate: Sequence[Array]) -> list[Array]:
    """Of x·s(x), from the value of s and its coefficients."""
    return [x * gate[k] + gate[k - 1] for k in range(1, len(gate))]


def sigmoid_of(z: Sequence[Array], s: Array, rest: Array, terms: int) -> list[Array]:
    """The value and the coefficients of sigmoid(z₀ + z₁d + z₂d² + …), from s′ = s·(1 − s)·z′.

    s, rest : sigmoid(z₀) and 1 − sigmoid(z₀), each to its last digit
    """
    found, slopes = [s], [s * rest]
    for k in range(1, terms + 1):
        found.append(np.asarray(sum((j / k) * z[j] * slopes[k - j] for j in range(1, min(k, len(z) - 1) + 1))))
        slopes.append(found[k] * (rest - s) - sum(found[i] * found[k - i] for i in range(1, k)))
    return found


def normal(x: Array, density: Array) -> Iterator[Array]:
    """The coefficients of the normal distribution, one after the other; those of its density are e_(m+1) =
    −(x·e_m + e_(m−1)) / (m + 1)."""
    before, here = np.zeros_like(x), density
    for k in count(1):
        yield here / k
        before, here = here, -(x * here + before) / k
