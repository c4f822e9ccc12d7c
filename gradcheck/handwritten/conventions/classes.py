"""Classes: which kind one is; a whole model with its loss, an autograd Function with its ctx.

Layer objects are `objects.py`'s, function pairs outside a class `functions.py`'s.
"""

from __future__ import annotations

from dataclasses import replace

from gradcheck.handwritten.conventions.arguments import (
    backward_arguments,
    call_text,
    chosen_arguments,
    forward_arguments,
)
from gradcheck.handwritten.conventions.functions import function_pair
from gradcheck.handwritten.conventions.objects import layer_object
from gradcheck.handwritten.conventions.reading import Found, Reading
from gradcheck.handwritten.conventions.tables import METHODS, PARAMETER_LISTS
from gradcheck.handwritten.conventions.tensors import tensor_class
from gradcheck.handwritten.outline import ClassOutline, FunctionOutline


def class_statements(reading: Reading, outline: ClassOutline) -> Found:
    """The statements of a class, whichever of the kinds it is.

    Raises FieldError where it has no pair of methods that is known, or one that can be read in two ways.
    """
    methods = outline.methods
    found = tensor_class(reading, outline) if reading.has_tensors else None
    if found is not None:
        return found
    pair = next((p for p in METHODS if p[0] in methods and p[1] in methods), None)
    if pair is None:
        if "loss" in methods and len(methods["loss"].returns or ()) == 2:
            return _model(reading, outline, methods["loss"])
        message = f"the class '{outline.name}' has no pair of methods that is known, such as forward and backward"
        raise reading.question("code", message, f"setup: layer = {outline.name}(…), forward: …, backward: …")
    forward, backward = methods[pair[0]], methods[pair[1]]
    gradients = reading.gradient_dict(backward)
    if not forward.is_static and gradients is not None and backward.returns == (gradients,):
        return _model_with_gradient(reading, outline, forward, backward)
    if not forward.is_static:
        return layer_object(reading, outline, forward, backward)
    if forward.parameters and forward.parameters[0] in ("ctx", "context", "self", "cls"):
        return _autograd_function(reading, outline, forward, backward)
    reading.outline.functions.update({forward.name: forward, backward.name: backward})
    return function_pair(reading, forward, backward.name, prefix=f"{outline.name}.")


def _model(reading: Reading, outline: ClassOutline, loss: FunctionOutline) -> Found:
    """A whole model: `loss, grads = net.loss(X, y)`, gradients under the names of the parameters."""
    found = Found({"setup": f"net = {outline.name}({forward_arguments(reading, outline.constructor, 'setup')})"})
    arguments = forward_arguments(reading, replace(loss, name="net.loss"), "forward")
    found.lines["forward"] = f"loss, grads = net.loss({arguments})"
    kept = [name for name in PARAMETER_LISTS if name in outline.attributes]
    found.lines["parameters_at"] = f"net.{kept[0]}" if kept else "net"
    found.lines["gradient_at"] = "grads"
    return found


def _model_with_gradient(
    reading: Reading, outline: ClassOutline, loss: FunctionOutline, gradient: FunctionOutline
) -> Found:
    """`grads = net.gradient(x, t)` beside `loss = net.loss(x, t)`: a dict under the names of the parameters."""
    found = Found({"setup": f"net = {outline.name}({forward_arguments(reading, outline.constructor, 'setup')})"})
    returns = reading.return_names(loss, gradient)
    arguments = forward_arguments(reading, replace(loss, name=f"net.{loss.name}"), "forward")
    found.lines["forward"] = f"{', '.join(returns)} = net.{loss.name}({arguments})"
    again = {name: reading.bound[name] for name in gradient.parameters if name in reading.bound}
    given = call_text(gradient, again)
    if len(again) < gradient.required:
        given, _ = backward_arguments(reading, gradient, returns, loss)
    found.lines["backward"] = f"grads = net.{gradient.name}({given})"
    kept = [name for name in PARAMETER_LISTS if name in outline.attributes]
    found.lines["parameters_at"] = f"net.{kept[0]}" if kept else "net"
    found.lines["gradient_at"] = "grads"
    return found


def _autograd_function(
    reading: Reading, outline: ClassOutline, forward: FunctionOutline, backward: FunctionOutline
) -> Found:
    """Static methods whose first argument is a ctx."""
    inner = replace(forward, parameters=forward.parameters[1:], required=forward.required - 1)
    chosen = chosen_arguments(reading, inner, "forward")
    given = [chosen.get(name, "") for name in inner.parameters]
    passed = tuple(name for name in reading.floats if name in given)
    outputs = reading.return_names(forward, None)
    upstream = [f"d{output}" for output, _ in zip(outputs, backward.parameters[1:], strict=False)]
    if backward.returns is not None and len(backward.returns) == len(passed):
        targets = reading.targets(backward, passed)
    else:  # one value for every argument of forward, None for what has no gradient
        targets = [f"d{name}" if name in passed else "_" for name in given]
    return Found(
        {
            "setup": "ctx = context()",
            "forward": f"{', '.join(outputs)} = {outline.name}.{forward.name}(ctx, {call_text(inner, chosen)})",
            "backward": f"{', '.join(targets)} = {outline.name}.{backward.name}(ctx, {', '.join(upstream)})",
        }
    )
