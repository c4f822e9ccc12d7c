"""Somebody's own tensor engine: arrays into its tensors (or its scalars), its `.backward()`, and `.grad` out of them.

How an engine is called is found out by trying, once; whether its gradients are right is decided elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import ModuleType
from typing import Any

import numpy as np

from .backward import GRADIENTS, Backward, parameters_of
from .errors import LackError, suggestion
from .inside import parameters_inside
from .modules import Modules
from .values import ARRAYS, DATA, Arrays, changed, fresh
from .wrapping import Found, Run, Steps, Wrapping

VALUES = (*DATA, "_data", "_value", "_array", "cached_data")  # attributes that hold what a tensor stands for
FLAGS = ("requires_grad", "require_grad", "req_grad", "needs_grad", "track_grad", "autograd", "trainable")
# Whoever has none of these computes with single numbers: it is given one object per number.
OF_ARRAYS = ("shape", "__matmul__", "__getitem__", "sum", "matmul", "dot", "reshape", "mean", "transpose", "T", "size")


def own_tensors(modules: Modules, module: Mapping[str, Any], asked: Mapping[str, Any]) -> OwnTensors:
    """The wrapping of an engine.

    asked : file (relative to the code), name (of the class, or of a function that makes a tensor), keywords (for it)
    Raises LackError where the file has no such name.
    """
    names = modules.names_in(asked["file"]) or module
    if asked["name"] not in names:
        raise LackError(f"{asked['file']} has no '{asked['name']}'", suggestion(asked["name"], names))
    return OwnTensors(names[asked["name"]], asked["keywords"])


class OwnTensors(Wrapping):
    """make : the class, or a function that makes tensors; keywords : what it is given beside the numbers"""

    def __init__(self, make: Callable[..., Any], keywords: Mapping[str, Any]) -> None:
        super().__init__()
        self.make, self.keywords = make, dict(keywords)
        sample = self._sample()
        self.kind: type = make if isinstance(make, type) else type(sample)
        self.is_scalar = sample is not None and not any(hasattr(sample, word) for word in OF_ARRAYS)
        parameters = parameters_of(make)
        self.flag = next((word for word in FLAGS if word in parameters and word not in self.keywords), None)
        self._takes_dtype = "dtype" in parameters and "dtype" not in self.keywords
        self._is_wide = False  # has to be told that numbers are float64
        self._is_probed = False
        self._backward = Backward(self)

    # -- arrays into tensors and back --

    def wrap(self, array: Any, has_gradient: bool) -> Any:
        """A tensor; of an engine of scalars, one object per number, in nested lists; integers as they are."""
        if array.dtype.kind != "f":
            return fresh(array)
        if self.is_scalar:
            return _nested(array.tolist(), lambda number: self._made(number, has_gradient))
        if not self._is_probed:
            self._is_probed = True
            self._probe(array)
        return self._of_array(array, has_gradient)

    def upstream(self, array: Any, output: Any) -> Any:
        return self.wrap(array, has_gradient=False)

    def array(self, value: Any) -> Any:
        if isinstance(value, ARRAYS):
            return value
        if self._is_tensor(value):
            return _numbers(value)
        if self.is_list(value):
            return np.array([self.array(part) for part in value])
        return super().array(value)

    def returned(self, value: Any) -> Any:
        return self.array(value)

    def gradient(self, value: Any) -> Any:
        if self.is_list(value):
            parts = [self.gradient(part) for part in value]
            return None if any(part is None for part in parts) else np.array(parts)
        if not self._is_tensor(value):
            return super().gradient(value)
        found = next((getattr(value, name) for name in GRADIENTS if hasattr(value, name)), None)
        return None if found is None else self.array(found)

    # -- parameters --

    def leaf(self, value: Any) -> tuple[Any, Steps]:
        if self._is_tensor(value) or self.is_list(value):
            return self._floats(value), ()
        return super().leaf(value)

    def put(self, current: Any, value: Any) -> bool:
        value = self.array(value)
        if self.is_list(current):
            for part, number in zip(current, value, strict=True):
                self.put(part, number)
            return True
        if not self._is_tensor(current):
            return super().put(current, value)
        holder, name = _holder(current)
        inner = getattr(holder, name)
        if not super().put(inner, value):
            setattr(holder, name, super().replacement(inner, np.asarray(value)))
        return True

    def parameters(self, thing: Any) -> Iterator[Found] | None:
        return parameters_inside(thing, self._known)

    def _known(self, value: Any) -> Iterator[Found] | None:
        if not (self._is_tensor(value) or self.is_list(value)):
            return None
        first = value
        while isinstance(first, list | tuple):
            first = first[0]
        array = self._floats(value)
        is_fixed = any(getattr(first, flag, True) is False for flag in FLAGS)
        return iter([] if array is None or is_fixed else [("", array, ())])

    def _floats(self, value: Any) -> Any:
        """The numbers of a parameter; None for integers, which single numbers are not: `Value(0)` is a bias."""
        array = self.array(value)
        if self.is_scalar and array.dtype.kind in "iu":
            array = array.astype(np.float64)
        return array if array.dtype.kind == "f" else None

    # -- gradients --

    def is_output(self, value: Any) -> bool:
        return self._is_tensor(value) or self.is_list(value)

    def gradients(self, run: Run, arrays: Arrays, upstream: list[Any]) -> Arrays:
        found = self._backward(run, arrays, upstream)
        self.takes_upstream = self._backward.takes_upstream
        return found

    # -- what the engine is like --

    def _made(self, numbers: Any, has_gradient: bool) -> Any:
        words = dict(self.keywords)
        if self.flag is not None:
            words[self.flag] = has_gradient
        if self._is_wide:
            words["dtype"] = numbers.dtype
        return self.make(numbers, **words)

    def _of_array(self, array: Any, has_gradient: bool) -> Any:
        try:
            return self._made(fresh(array), has_gradient)
        except (TypeError, AttributeError, AssertionError):
            if array.ndim:
                raise
            return self._made(np.array(array), has_gradient)  # it takes no bare number

    def _probe(self, array: Any) -> None:
        """Whether the engine has to be told that its numbers are float64."""
        held = _numbers(self._of_array(array, has_gradient=False))
        kind = getattr(held, "dtype", array.dtype)
        if not self._takes_dtype or kind.kind != "f" or kind.itemsize >= array.dtype.itemsize:
            return
        self._is_wide = True
        try:
            self._is_wide = not changed(_numbers(self._of_array(array, has_gradient=False)), array)
        except Exception:  # it calls its types otherwise: then it keeps its own
            self._is_wide = False

    def _sample(self) -> Any:
        """What is made of one number; of an array where it takes no number, and None where neither will do."""
        for number in (1.0, np.ones(1)):
            try:
                return self.make(number, **self.keywords)
            except Exception:  # why it does not is seen when it is given what the case has
                continue
        return None

    def _is_tensor(self, value: Any) -> bool:
        if isinstance(value, self.kind):
            return True
        if isinstance(value, (*ARRAYS, type, ModuleType)) or not any(hasattr(value, name) for name in GRADIENTS):
            return False
        return any(isinstance(getattr(value, name, None), (*ARRAYS, int, float)) for name in VALUES)

    def is_list(self, value: Any) -> bool:
        """A list of scalars, or of such lists."""
        if not isinstance(value, list | tuple) or not value or not self.is_scalar:
            return False
        return all(self._is_tensor(part) or self.is_list(part) for part in value)


def _nested(numbers: Any, make: Callable[[float], Any]) -> Any:
    return [_nested(part, make) for part in numbers] if isinstance(numbers, list) else make(numbers)


def _holder(value: Any, depth: int = 0) -> tuple[Any, str]:
    """The object and the attribute that hold the numbers of a tensor."""
    inner = {name: getattr(value, name) for name in VALUES if hasattr(value, name)}
    for name, held in inner.items():
        if isinstance(held, (*ARRAYS, int, float)):
            return value, name
    for held in inner.values():
        if depth < 2 and held is not value:
            try:
                return _holder(held, depth + 1)
            except LackError:
                continue
    known = ", ".join(VALUES)
    raise LackError(f"a {type(value).__name__} shows no numbers", f"its array should be one of: {known}", "invalid")


def _numbers(value: Any) -> Any:
    """What a tensor holds, as an array."""
    method = getattr(value, "numpy", None)
    if callable(method):
        found = method()
        if isinstance(found, (*ARRAYS, int, float)):
            return np.asarray(found)
    holder, name = _holder(value)
    return np.asarray(getattr(holder, name))
