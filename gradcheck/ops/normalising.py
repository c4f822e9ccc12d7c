"""Ops along axes that keep the shape: every element of the output sees the whole of the listed axes.

Stable forms only: exponentials are taken of x minus its largest element.
"""

from __future__ import annotations

import numpy as np

from gradcheck.ops.axes import normalised_axes
from gradcheck.ops.registry import Array, Samples, define, sample
from gradcheck.ops.samples import BLOCK, MATRIX, ROW

Axes = tuple[int, ...]
OPTIONS = {"axis": -1}
SAMPLES: Samples = [(ROW,), (MATRIX,), sample(MATRIX, axis=0), sample(BLOCK, axis=1), sample(BLOCK, axis=(0, 2))]


def softmax(x: Array, axis: Axes) -> Array:
    """eˣ / Σ eˣ along the axes."""
    e = np.exp(x - np.maximum.reduce(x, axis=axis, keepdims=True))
    return e / np.add.reduce(e, axis=axis, keepdims=True)


def softmax_vjp(g: Array, y: Array, x: Array, axis: Axes) -> Array:
    """y·(g − Σ g·y): the Jacobian diag(y) − y yᵀ, never written out."""
    return y * (g - np.add.reduce(g * y, axis=axis, keepdims=True))


define("softmax", softmax, "along_axes", formula="eˣ over the sum of eˣ", options=OPTIONS, prepare=normalised_axes,
       vjps=[softmax_vjp], samples=SAMPLES)  # fmt: skip


def log_softmax(x: Array, axis: Axes) -> Array:
    """x − log Σ eˣ along the axes, both shifted by the largest element."""
    shifted = x - np.maximum.reduce(x, axis=axis, keepdims=True)
    return shifted - np.log(np.add.reduce(np.exp(shifted), axis=axis, keepdims=True))


define("log_softmax", log_softmax, "along_axes", formula="x minus the log of the sum of eˣ", options=OPTIONS,
       prepare=normalised_axes,
       vjps=[lambda g, y, x, axis: g - np.exp(y) * np.add.reduce(g, axis=axis, keepdims=True)],
       samples=SAMPLES)  # fmt: skip
