"""Handwritten code that evaluates many points in one call: `batched: true`.

Every array of the point gets one more axis in front, and so do the outputs. That each row comes out as it does alone is
not believed but tried, on two points when the case is built and on the case's own point in every batch.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradcheck.errors import FieldError, UserCodeError
from gradcheck.handwritten.runner import Handwritten
from gradcheck.handwritten.session import CodeError
from gradcheck.model.problem import Array
from gradcheck.numerical.steps import element_scales

AGREES = 1e-9  # × the size of the outputs: a product of stacked matrices may round otherwise than a single one
ROUNDINGS = 64.0  # × machine epsilon, where the code computes with less than float64
APART = 1e-2  # displacement of the second point of the trial, relative to the scale of each element
HINT = "let forward take every array with one more axis in front, or leave 'batched' out"
PATH = ("batched",)


class Batches:
    """Evaluates stacked points. Made once per case; a trial comes first.

    Raises FieldError where forward cannot do it, or does something else.
    """

    def __init__(self, code: Handwritten) -> None:
        self.code = code
        self.tolerance = max(AGREES, ROUNDINGS * code.epsilon)
        generator = np.random.default_rng(code.value.size)
        displaced = {
            name: value + APART * element_scales(value) * generator.choice([-1.0, 1.0], value.shape)
            for name, value in code.point.items()
            if value.dtype.kind == "f" and value.size
        }
        near = {name: np.asarray(displaced.get(name, value), value.dtype) for name, value in code.point.items()}
        with np.errstate(all="ignore"):
            alone = np.array([code.value, code.outputs(near)])
            together = self._trial({name: np.stack([value, near[name]]) for name, value in code.point.items()})
        if not self._agree(together, alone):
            row = 0 if not self._agree(together[0], alone[0]) else 1
            column = int(np.nanargmax(np.abs(together[row] - alone[row])))
            pair = f"{alone[row, column]:.6g} alone, {together[row, column]:.6g} beside another point"
            raise FieldError(f"the rows of a batch are not independent: forward gives {pair}", HINT, PATH)

    def __call__(self, points: Mapping[str, NDArray[Any]]) -> Array:
        """The outputs at stacked points, shape (K, m); the first of them is the point of the case.

        Raises UserCodeError where the first row is not what forward gives at that point alone.
        """
        outputs = self._outputs(points)
        if not self._agree(outputs[0], self.code.value):
            text = f"the rows of a batch of {len(outputs)} are not independent: forward at x differs from that alone"
            raise UserCodeError("invalid", "forward", text, hint=HINT)
        return outputs

    def _trial(self, points: Mapping[str, NDArray[Any]]) -> Array:
        try:
            return self._outputs(points)
        except CodeError as error:
            raise FieldError(f"forward does not take a batch of two points: {error.text}", HINT, PATH) from None

    def _outputs(self, points: Mapping[str, NDArray[Any]]) -> Array:
        """All outputs, joined. Raises CodeError where one of them has another shape than (K, …)."""
        count = next(len(values) for values in points.values())
        outputs = self.code.stacked(points)
        for output, shape in zip(outputs, self.code.output_shapes, strict=True):
            if output.shape != (count, *shape):
                text = f"it gives shape {output.shape}, expected {(count, *shape)}"
                raise CodeError("invalid", "forward", text)
        joined: Array = np.concatenate([output.reshape(count, -1) for output in outputs], axis=1)
        return joined

    def _agree(self, outputs: Array, alone: Array) -> bool:
        """Whether outputs are the same to rounding; what is not finite alone need not be anything in a batch."""
        known = np.isfinite(alone)
        size = np.abs(alone[known]) + np.sqrt(np.mean(np.square(self.code.value)))
        return bool((np.abs(outputs[known] - alone[known]) <= self.tolerance * size).all())
