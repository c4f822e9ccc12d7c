"""torch tensors in place of arrays: autograd Functions, modules, plain functions, differentiated by torch's backward.

Nothing is judged here, and torch itself is handed in: it is imported by `wrapped.py`, where a case asks for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Any

import numpy as np

from gradcheck.handwritten.session.errors import LackError
from gradcheck.handwritten.session.inside import parameters_inside
from gradcheck.handwritten.session.values import Arrays
from gradcheck.handwritten.session.wrapping import Found, Run, Steps, Wrapping

OTHER_TYPES = ("same dtype", "expected scalar type", "expected m1 and m2")  # what torch says where types do not fit
DOUBLE = float(np.finfo(np.float64).eps)


class TorchTensors(Wrapping):
    """torch : the library; dtype : of every input of floats, and torch's default for what the code makes itself

    device : where the tensors are, those that the code makes itself included
    Raises RuntimeError or AssertionError where there is no such device.
    """

    has_light_forward = True

    def __init__(self, torch: Any, dtype: str, device: str) -> None:
        super().__init__()
        self.torch, self.device = torch, device
        self.dtype = getattr(torch, dtype)
        self.epsilon = float(torch.finfo(self.dtype).eps)
        torch.empty(0, device=device)
        self._states: dict[int, Any] = {}  # of torch's generator, by seed: seeding takes a hundred times as long
        self._saved: tuple[Any, ...] = ()
        self._here = torch.device(device)

    def enter(self) -> None:
        torch = self.torch
        self._saved = (torch.get_default_dtype(), torch.get_rng_state(), torch.is_grad_enabled())
        torch.set_default_dtype(self.dtype)
        torch.set_grad_enabled(True)
        if self.device != "cpu":  # it makes every call of torch slower
            self._here.__enter__()

    def leave(self) -> None:
        dtype, generator, is_grad_enabled = self._saved
        if self.device != "cpu":
            self._here.__exit__(None, None, None)
        self.torch.set_default_dtype(dtype)
        self.torch.set_rng_state(generator)
        self.torch.set_grad_enabled(is_grad_enabled)

    def seed(self, seed: int) -> None:
        if self.device != "cpu":
            self.torch.manual_seed(seed)
        elif seed in self._states:
            self.torch.set_rng_state(self._states[seed])
        else:
            self.torch.manual_seed(seed)
            self._states[seed] = self.torch.get_rng_state()

    def hint(self, error: BaseException) -> str:
        if isinstance(error, RuntimeError) and any(words in str(error) for words in OTHER_TYPES):
            kind = "float64" if self.epsilon > DOUBLE else "float32"
            return f"the code makes tensors of another type; write arrays: torch(dtype={kind}), or make them x.dtype"
        return ""

    def light(self) -> AbstractContextManager[Any]:
        made: AbstractContextManager[Any] = self.torch.no_grad()
        return made

    # -- arrays into tensors and back --

    def wrap(self, array: Any, has_gradient: bool) -> Any:
        kind = self.dtype if array.dtype.kind == "f" else None
        tensor = self.torch.tensor(array, dtype=kind, device=self.device)
        return tensor.requires_grad_() if has_gradient else tensor

    def handed(self, wrapped: Any) -> Any:
        # A copy: torch refuses to change a leaf in place, and relu_ on an input is nobody's mistake.
        return wrapped.clone() if isinstance(wrapped, self.torch.Tensor) else wrapped

    def upstream(self, array: Any, output: Any) -> Any:
        if not isinstance(output, self.torch.Tensor):
            return self.torch.tensor(array, dtype=self.dtype, device=self.device)
        return self.torch.tensor(array, dtype=output.dtype, device=output.device)

    def array(self, value: Any) -> Any:
        if not isinstance(value, self.torch.Tensor):
            return super().array(value)
        tensor = value.detach().cpu()
        if tensor.dtype == self.torch.bfloat16:  # numpy has none
            tensor = tensor.float()
        return tensor.resolve_conj().resolve_neg().numpy()

    def returned(self, value: Any) -> Any:
        return self.array(value)

    def gradient(self, value: Any) -> Any:
        if not isinstance(value, self.torch.Tensor):
            return super().gradient(value)
        if value.requires_grad and value.is_leaf:
            return None if value.grad is None else self._dense(value.grad)
        return self._dense(value)

    def precision(self, value: Any, array: Any) -> tuple[str, float]:
        if not isinstance(value, self.torch.Tensor) or not value.is_floating_point():
            return super().precision(value, array)
        return str(value.dtype).removeprefix("torch."), float(self.torch.finfo(value.dtype).eps)

    # -- parameters --

    def leaf(self, value: Any) -> tuple[Any, Steps]:
        if isinstance(value, self.torch.Tensor):
            return (self.array(value) if value.is_floating_point() else None), ()
        return super().leaf(value)

    def put(self, current: Any, value: Any) -> bool:
        torch = self.torch
        if not isinstance(current, torch.Tensor):
            return super().put(current, value)
        with torch.no_grad():
            current.copy_(value if isinstance(value, torch.Tensor) else torch.as_tensor(np.asarray(value)))
        if current.is_leaf:
            current.grad = None
        return True

    def parameters(self, thing: Any) -> Iterator[Found] | None:
        """Those of modules, under their own names, and tensors that require a gradient, within each other."""
        return parameters_inside(thing, self._known)

    def _known(self, value: Any) -> Iterator[Found] | None:
        if isinstance(value, self.torch.Tensor):
            is_parameter = value.requires_grad and value.is_leaf and value.is_floating_point()
            return iter([("", self.array(value), ())] if is_parameter else [])
        return self._of_module(value) if isinstance(value, self.torch.nn.Module) else None

    def _of_module(self, module: Any) -> Iterator[Found]:
        for name, parameter in module.named_parameters():
            if self.torch.nn.parameter.is_lazy(parameter):
                raise LackError(f"the parameter '{name}' has no shape before the first forward")
            if parameter.requires_grad and parameter.is_floating_point():
                yield name, self.array(parameter), tuple(("attribute", part) for part in name.split("."))

    # -- gradients --

    def is_output(self, value: Any) -> bool:
        return isinstance(value, self.torch.Tensor) and value.is_floating_point()

    def gradients(self, run: Run, arrays: Arrays, upstream: list[Any]) -> Arrays:
        torch = self.torch
        leaves = {name: self.wrap(array, has_gradient=True) for name, array in arrays.items()}
        outputs, parameters = run({name: self.handed(leaf) for name, leaf in leaves.items()})
        for output in outputs:
            if not output.requires_grad:
                text = "an output has no gradient: it was detached, or made from something else than the inputs"
                raise LackError(text, "write '_' in its place, if it is not to be differentiated")
        weights = [self.upstream(array, output) for array, output in zip(upstream, outputs, strict=True)]
        torch.autograd.backward(outputs, weights)
        return {name: self.gradient(leaf) for name, leaf in {**leaves, **parameters}.items()}

    def _dense(self, gradient: Any) -> Any:
        return self.array(gradient if gradient.layout == self.torch.strided else gradient.to_dense())
