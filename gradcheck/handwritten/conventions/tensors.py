"""Functions and classes on tensors, whose gradients the library works out: torch Functions and modules, jax functions.

Whether a library is meant without being named is told here, too; what else a class may be is `classes.py`'s.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from gradcheck.handwritten.conventions.arguments import forward_arguments
from gradcheck.handwritten.conventions.reading import Found, Reading
from gradcheck.handwritten.conventions.tables import JAX, METHODS, ON_TENSORS, TORCH, TORCH_MODULE
from gradcheck.handwritten.outline import ClassOutline, read_outline
from gradcheck.model.case import CodeBody


def library_of(body: CodeBody, file: Path) -> str | None:
    """`torch` or `jax` where a bare name is of one of their kinds; None where nothing tells."""
    name = body.entry if body.forward is None else body.forward.text.strip()
    if name is None or not name.isidentifier():
        return None
    outline = read_outline(file)
    if name in outline.classes:
        return "torch" if any(base in TORCH for base in outline.classes[name].bases) else None
    function = outline.functions.get(name)
    return "jax" if function is not None and any(word in JAX for word in function.decorators) else None


def tensor_class(reading: Reading, outline: ClassOutline) -> Found | None:
    """The statements of a class on tensors; None for one that has a backward of its own."""
    methods = outline.methods
    if any(base in TORCH and base != TORCH_MODULE for base in outline.bases):
        return _torch_function(reading, outline)
    is_module = TORCH_MODULE in outline.bases
    if any(first in methods and second in methods for first, second in METHODS) and not is_module:
        return None
    forward = next((methods[name] for name in ON_TENSORS if name in methods), None)
    if forward is None:
        return None
    is_called = forward.name == "__call__" or (is_module and forward.name == "forward")
    call = "net" if is_called else f"net.{forward.name}"
    found = Found({"setup": f"net = {outline.name}({forward_arguments(reading, outline.constructor, 'setup')})"})
    arguments = forward_arguments(reading, replace(forward, name=call), "forward")
    found.lines["forward"] = f"{', '.join(reading.return_names(forward, None))} = {call}({arguments})"
    return found


def _torch_function(reading: Reading, outline: ClassOutline) -> Found:
    """`out = MyFunction.apply(x, w)`; the first argument of forward is torch's, unless setup_context takes it."""
    if "forward" not in outline.methods:
        message = f"the class '{outline.name}' has no forward"
        raise reading.question("code", message, f"forward: out = {outline.name}.apply(…)")
    forward = outline.methods["forward"]
    if "setup_context" not in outline.methods:
        forward = replace(forward, parameters=forward.parameters[1:], required=max(0, forward.required - 1))
    call = f"{outline.name}.apply"
    arguments = forward_arguments(reading, replace(forward, name=call), "forward")
    return Found({"forward": f"{', '.join(reading.return_names(forward, None))} = {call}({arguments})"})
