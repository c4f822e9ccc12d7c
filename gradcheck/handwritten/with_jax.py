"""jax arrays in place of numpy's: plain functions, `custom_vjp` and `custom_jvp`, differentiated by `jax.vjp`.

Nothing is judged here, and jax itself is handed in: it is imported by `wrapped.py`, where a case asks for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from gradcheck.handwritten.session.inside import parameters_inside
from gradcheck.handwritten.session.values import Arrays
from gradcheck.handwritten.session.wrapping import Found, Run, Steps, Wrapping

SAME = 64  # machine epsilons, by which the values with and without differentiation may differ


class JaxArrays(Wrapping):
    """jax : the library; dtype : of every input of floats; 64-bit types are switched on where that is float64"""

    def __init__(self, jax: Any, dtype: str) -> None:
        super().__init__()
        self.jax, self.dtype = jax, getattr(jax.numpy, dtype)
        self.epsilon = float(jax.numpy.finfo(self.dtype).eps)
        self.has_64_bits = dtype == "float64"
        self._saved = False
        self._is_compared = False

    def enter(self) -> None:
        self._saved = self.jax.config.jax_enable_x64
        self.jax.config.update("jax_enable_x64", self.has_64_bits)

    def leave(self) -> None:
        self.jax.config.update("jax_enable_x64", self._saved)

    # -- arrays in and out --

    def wrap(self, array: Any, has_gradient: bool) -> Any:
        return self.jax.numpy.array(array, dtype=self.dtype if array.dtype.kind == "f" else None)

    def upstream(self, array: Any, output: Any) -> Any:
        return self.jax.numpy.array(array, dtype=getattr(output, "dtype", self.dtype))

    def array(self, value: Any) -> Any:
        if not isinstance(value, self.jax.Array):
            return super().array(value)
        array = np.asarray(value)
        # bfloat16 is no type of numpy's own.
        return array.astype(np.float32) if array.dtype.kind == "V" or str(array.dtype) == "bfloat16" else array

    def returned(self, value: Any) -> Any:
        return self.array(value)

    def gradient(self, value: Any) -> Any:
        return self.array(value) if isinstance(value, self.jax.Array) else super().gradient(value)

    def precision(self, value: Any, array: Any) -> tuple[str, float]:
        if not self.is_output(value):
            return super().precision(value, array)
        return str(value.dtype), float(self.jax.numpy.finfo(value.dtype).eps)

    def is_changed(self, value: Any, array: Any) -> bool:
        return False  # arrays of jax never change

    # -- parameters --

    def leaf(self, value: Any) -> tuple[Any, Steps]:
        if isinstance(value, self.jax.Array):
            return (self.array(value) if self.is_output(value) else None), ()
        return super().leaf(value)

    def put(self, current: Any, value: Any) -> bool:
        return not isinstance(current, self.jax.Array) and super().put(current, value)

    def replacement(self, current: Any, value: Any) -> Any:
        return value if isinstance(value, self.jax.Array) else self.wrap(np.asarray(value), has_gradient=False)

    def parameters(self, thing: Any) -> Iterator[Found] | None:
        """Every array of floats in dicts, lists, tuples and objects within each other."""
        return parameters_inside(thing, self._known)

    def _known(self, value: Any) -> Iterator[Found] | None:
        if not isinstance(value, self.jax.Array):
            return None
        return iter([("", self.array(value), ())] if self.is_output(value) else [])

    # -- gradients --

    def is_output(self, value: Any) -> bool:
        return isinstance(value, self.jax.Array) and bool(self.jax.numpy.issubdtype(value.dtype, np.floating))

    def gradients(self, run: Run, arrays: Arrays, upstream: list[Any]) -> Arrays:
        leaves = {name: self.wrap(array, has_gradient=True) for name, array in arrays.items()}
        outputs, pull = self.jax.vjp(lambda values: run(values)[0], leaves)
        if not self._is_compared:
            self._is_compared = True
            self._compare(outputs, run(leaves)[0])
        weights = [self.upstream(array, output) for array, output in zip(upstream, outputs, strict=True)]
        (found,) = pull(weights)
        return {name: self.array(gradient) for name, gradient in found.items()}

    def _compare(self, differentiated: list[Any], plain: list[Any]) -> None:
        """A custom rule has a forward of its own, which may give something else than the function it belongs to."""
        for a, b in zip(map(self.array, differentiated), map(self.array, plain), strict=True):
            size = float(np.max(np.abs(b), initial=0.0))
            if a.shape != b.shape or not np.all(np.abs(a - b) <= SAME * self.epsilon * size):
                self.notes["the forward of its own rule gives another value than the function"] = None
