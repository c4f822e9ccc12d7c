"""How the backward of somebody's own tensor engine is called: found out by trying, the soundest way first.

What its tensors are made of and where their gradients are is `engine.py`'s.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from .errors import LackError
from .values import ARRAYS, GRADIENT, Arrays, fresh
from .wrapping import Run

if TYPE_CHECKING:
    from .engine import OwnTensors

GRADIENTS = (*GRADIENT, "_grad", "derivative")
# An argument of backward that is the upstream gradient.
SEEDS = (
    "grad", "gradient", "gradients", "g", "dout", "d_out", "dy", "dz", "out_grad", "grad_out", "grad_output",
    "grad_outputs", "output_grad", "grad_tensor", "upstream", "upstream_grad", "upstream_gradient", "incoming",
    "incoming_grad", "delta", "seed", "cotangent",
)  # fmt: skip
Way = Callable[[list[Any], list[Any]], None]  # outputs, upstream gradients → runs backward
SAME_SEED = 1e-3  # relative; float32 engines included


class Backward:
    """tensors : the wrapping of the engine

    takes_upstream : whether the way that was found passes on an upstream gradient
    """

    def __init__(self, tensors: OwnTensors) -> None:
        self.tensors = tensors
        self.takes_upstream = True
        self._way: Way | None = None
        self._seeded: list[tuple[Any, Any]] = []

    def __call__(self, run: Run, arrays: Arrays, upstream: list[Any]) -> Arrays:
        """Every leaf's `.grad` after one backward from fresh tensors."""
        if self._way is None:
            self._way = self._find_way(run, arrays, upstream)
            self.takes_upstream = self._way != self._plain
        return self._gone_back(self._way, run, arrays, upstream)

    def _gone_back(self, way: Way, run: Run, arrays: Arrays, upstream: list[Any]) -> Arrays:
        leaves = {name: self.tensors.wrap(array, has_gradient=True) for name, array in arrays.items()}
        outputs, parameters = run(leaves)
        way(outputs, upstream)
        return {name: self.tensors.gradient(leaf) for name, leaf in {**leaves, **parameters}.items()}

    def _find_way(self, run: Run, arrays: Arrays, upstream: list[Any]) -> Way:
        """The first way that works; the error of theirs where none does."""
        # Not the upstream gradient that was asked for: ones would hide that an engine ignores it.
        trial = [np.linspace(0.5, 1.5, array.size).reshape(array.shape) for array in upstream]
        errors: list[Exception] = []
        for way in self._ways(run, arrays):
            try:
                found = self._gone_back(way, run, arrays, trial)
                if way == self._weighted:
                    self._trust_seed()
                if way == self._preset:
                    twice = self._gone_back(way, run, arrays, [2.0 * weight for weight in trial])
                    _trust_double(found, twice)
            except _Unsupported:
                continue
            except Exception as error:
                errors.append(error)
                continue
            if all(value is None or np.asarray(value).dtype.kind in "biufc" for value in found.values()):
                self._note(errors)
                return way
        if not errors:
            hint = "write the call under 'backward'; of several outputs, drop all but one: out, _ = …"
            raise LackError(f"a {self.tensors.kind.__name__} has no backward that can be called", hint)
        # One that could do nothing with an array was handed the wrong thing, and says nothing about the code.
        raise next((error for error in errors if not _is_about_arrays(error)), errors[0])

    def _note(self, errors: list[Exception]) -> None:
        """What a way that was not taken raised, where that is not for being handed the wrong thing."""
        for error in errors:
            if not _is_about_arrays(error):
                text = f"backward raises {type(error).__name__} when it is given an upstream gradient"
                self.tensors.notes[text] = None

    def _ways(self, run: Run, arrays: Arrays) -> list[Way]:
        """How backward may be called, the soundest way first.

        An argument passes on what it is given. A weighted sum, formed with the engine's own operations, is trusted only
        where the weights arrive, for what is checked is not the engine's product. Ones hide the most and come last.
        """
        outputs, _ = run({name: self.tensors.wrap(array, has_gradient=True) for name, array in arrays.items()})
        if len(outputs) > 1 or self.tensors.is_list(outputs[0]):
            return [self._weighted]
        name = _seed_argument(outputs[0])
        if name is None:
            return [self._weighted, self._preset, self._plain]

        def with_array(outputs: list[Any], upstream: list[Any]) -> None:
            outputs[0].backward(**{name: fresh(upstream[0])})

        def with_tensor(outputs: list[Any], upstream: list[Any]) -> None:
            outputs[0].backward(**{name: self.tensors.wrap(upstream[0], has_gradient=False)})

        wants_tensor = self.tensors.kind.__name__ in str(parameters_of(outputs[0].backward)[name].annotation)
        given = [with_tensor, with_array] if wants_tensor else [with_array, with_tensor]
        return [*given, self._weighted, self._preset, self._plain]

    def _weighted(self, outputs: list[Any], upstream: list[Any]) -> None:
        """Backward of sum(upstream · output), formed with the engine's own operations.

        Raises _Unsupported where it lacks them.
        """
        total, terms = None, list(self._terms(outputs, upstream))
        try:
            for output, weight in terms:
                term = output * (
                    float(weight) if self.tensors.is_scalar else self.tensors.wrap(weight, has_gradient=False)
                )
                if not self.tensors.is_scalar and weight.ndim:
                    term = term.sum()
                total = term if total is None else total + term
        except (TypeError, AttributeError):
            raise _Unsupported from None
        assert total is not None
        total.backward()
        self._seeded = terms

    def _trust_seed(self) -> None:
        """Raises _Unsupported where the gradients that arrived at the outputs are not the ones that were meant.

        One that is right is enough: more may arrive at an output that another one is computed from.
        """
        arrived = [(self.tensors.gradient(output), weight) for output, weight in self._seeded]
        kept = [(gradient, weight) for gradient, weight in arrived if gradient is not None and np.any(gradient)]
        if kept and not any(
            np.shape(gradient) == weight.shape and np.allclose(gradient, weight, rtol=SAME_SEED, atol=0.0)
            for gradient, weight in kept
        ):
            raise _Unsupported

    def _preset(self, outputs: list[Any], upstream: list[Any]) -> None:
        """Backward from a gradient that is there already, where an engine begins with ones only if there is none."""
        name = next((name for name in GRADIENTS if hasattr(outputs[0], name)), "grad")
        before = getattr(outputs[0], name, None)
        setattr(
            outputs[0],
            name,
            fresh(upstream[0]) if isinstance(before, ARRAYS) else self.tensors.wrap(upstream[0], False),
        )
        outputs[0].backward()

    def _plain(self, outputs: list[Any], upstream: list[Any]) -> None:
        """Backward without an upstream gradient: one is understood, for every element."""
        outputs[0].backward()

    def _terms(self, outputs: list[Any], upstream: list[Any]) -> Iterator[tuple[Any, Any]]:
        """(tensor, weight) of every output; of an engine of scalars, of every number."""
        for output, weight in zip(outputs, upstream, strict=True):
            if self.tensors.is_list(output):
                yield from self._terms(list(output), list(weight))
            else:
                yield output, np.asarray(weight)


class _Unsupported(Exception):  # noqa: N818 – nothing is wrong: another way is tried
    """The engine cannot be called this way."""


def _trust_double(once: Arrays, twice: Arrays) -> None:
    """Raises _Unsupported where twice the upstream gradient does not give twice the gradients: it was ignored."""
    pairs = [(np.asarray(once[name]), np.asarray(twice[name])) for name in once if once[name] is not None]
    if not any(np.any(a) for a, _ in pairs):
        raise _Unsupported
    for a, b in pairs:
        if a.dtype.kind != "f" or a.shape != b.shape or not np.allclose(2.0 * a, b, rtol=SAME_SEED, atol=0.0):
            raise _Unsupported


def _is_about_arrays(error: Exception) -> bool:
    about = ("ndarray", "numpy.float64", "memoryview", "truth value of an array")
    return isinstance(error, TypeError | AttributeError | ValueError) and any(word in str(error) for word in about)


def _seed_argument(tensor: Any) -> str | None:
    """The argument of backward that takes the upstream gradient; None where there is none."""
    parameters = parameters_of(tensor.backward) if hasattr(tensor, "backward") else {}
    for name, parameter in parameters.items():
        is_asked = parameter.default is parameter.empty and parameter.kind is parameter.POSITIONAL_OR_KEYWORD
        if name.lower().strip("_") in SEEDS or is_asked:
            return name
    return None


def parameters_of(function: Callable[..., Any]) -> Mapping[str, inspect.Parameter]:
    try:
        return inspect.signature(function).parameters
    except (TypeError, ValueError):  # compiled
        return {}
