"""Classes: a layer object with its pair of methods, a whole model with its loss, an autograd Function with its ctx.

Function pairs outside a class are `functions.py`'s.
"""

from __future__ import annotations

from dataclasses import replace

from gradcheck.handwritten.conventions.arguments import backward_arguments, forward_arguments
from gradcheck.handwritten.conventions.functions import function_pair
from gradcheck.handwritten.conventions.reading import Found, Reading
from gradcheck.handwritten.conventions.tables import (
    GRADIENT_LISTS,
    INPUT_GRADIENTS,
    LOCAL,
    METHODS,
    OUTPUT_ATTRIBUTES,
    PARAMETER_LISTS,
    RATES,
)
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
    if not forward.is_static:
        return _layer(reading, outline, forward, backward)
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


def _autograd_function(
    reading: Reading, outline: ClassOutline, forward: FunctionOutline, backward: FunctionOutline
) -> Found:
    """Static methods whose first argument is a ctx."""
    inner = replace(forward, parameters=forward.parameters[1:], required=forward.required - 1)
    arguments = forward_arguments(reading, inner, "forward")
    out = reading.return_names(forward, backward)[0]
    upstream = ", ".join(f"d{out}" for _ in backward.parameters[1:2])
    order = tuple(name for name in reading.floats if name not in reading.spare)
    targets = reading.targets(backward, order)
    return Found(
        {
            "setup": "ctx = context()",
            "forward": f"{out} = {outline.name}.{forward.name}(ctx, {arguments})",
            "backward": f"{', '.join(targets)} = {outline.name}.{backward.name}(ctx, {upstream})",
        }
    )


def _layer(reading: Reading, outline: ClassOutline, forward: FunctionOutline, backward: FunctionOutline) -> Found:
    """A layer object: its constructor, its pair of methods, and where it leaves its gradients."""
    found = Found({"setup": f"layer = {outline.name}({forward_arguments(reading, outline.constructor, 'setup')})"})
    given = [name for name in reading.case.inputs if name not in reading.spare]
    before = tuple(reading.spare)
    call = "layer" if forward.name == "__call__" else f"layer.{forward.name}"
    arguments = forward_arguments(reading, replace(forward, name=call), "forward")
    passed = tuple(name for name in before if name not in reading.spare and name in reading.floats)
    returns = reading.return_names(forward, backward)
    if forward.gives_value:
        found.lines["forward"] = f"{', '.join(returns)} = {call}({arguments})"
    else:
        set_by_forward = outline.set_by.get(forward.name, ())
        kept = next((name for name in OUTPUT_ATTRIBUTES if name in set_by_forward), None)
        if kept is not None:
            found.lines.update(forward=f"{call}({arguments})", output=f"layer.{kept}")
            returns = [kept]
        elif set_by_forward:
            message = f"'{outline.name}.{forward.text}' returns nothing"
            raise reading.question("output", message, "output: layer.Z")
        else:
            found.lines["forward"] = f"out = {call}({arguments})"
            returns = ["out"]
    _layer_backward(reading, found, outline, backward, returns, passed)
    _layer_gradients(reading, found, outline, backward, given)
    return found


def _layer_backward(
    reading: Reading,
    found: Found,
    outline: ClassOutline,
    backward: FunctionOutline,
    returns: list[str],
    passed: tuple[str, ...],
) -> None:
    method = replace(backward, name=f"layer.{backward.name}")
    arguments, has_upstream = backward_arguments(reading, method, returns, None)
    call = f"{method.name}({arguments})"
    kept = [name for name in INPUT_GRADIENTS if name in outline.attributes]
    if backward.gives_value or not kept:
        is_local = backward.name in LOCAL and not has_upstream and len(passed) == 1
        targets = reading.targets(method, passed)
        found.lines["backward"] = f"{', '.join(targets)} = {f'd{returns[0]} * ' if is_local else ''}{call}"
    else:
        found.lines["backward"] = call
        if passed:
            found.gradient_at[passed[0]] = f"layer.{kept[0]}"


def _layer_gradients(
    reading: Reading, found: Found, outline: ClassOutline, backward: FunctionOutline, given: list[str]
) -> None:
    """Where the gradients of parameters are: attributes, a dict, a list in their order, or only their update."""
    attributes = outline.attributes
    names = [name for name in given if name in reading.floats]
    if not names:
        names = [a for a in attributes if _gradient_attribute(a, attributes) and a not in reading.case.inputs]
    containers = [name for name in GRADIENT_LISTS if name in attributes]
    for name in names:
        place = _gradient_place(outline, name, names, containers)
        if place is not None:
            found.gradient_at[name] = f"layer.{place}"
    for name in outline.graded:
        found.gradient_at.setdefault(name, f"layer.{name}.grad")
    rate = next((name for name in backward.parameters if name.lower() in RATES), None)
    if rate is not None:
        is_scaled = rate in reading.case.options or rate in reading.case.sizes
        made = outline.set_by.get("__init__", ())
        for name in outline.set_by.get(backward.name, ()):
            if name in made:
                change = f"before(layer.{name}) - layer.{name}"
                found.gradient_at.setdefault(name, f"({change}) / {rate}" if is_scaled else change)
    parameters = next((name for name in ("params", "parameters") if name in attributes), None)
    if not names and containers and parameters is not None:
        found.lines.update(parameters_at=f"layer.{parameters}", gradient_at=f"layer.{containers[0]}")


def _gradient_place(outline: ClassOutline, name: str, names: list[str], containers: list[str]) -> str | None:
    """The attribute or the item of one with the gradient of a parameter; of several containers, the last that fits."""
    attribute = _gradient_attribute(name, outline.attributes)
    if attribute is not None:
        return attribute
    order = outline.lists.get("params", outline.lists.get("parameters", ()))
    for container in reversed(containers):
        keys = outline.keys.get(container, ())
        key = next((k for k in (name, f"d{name}") if k in keys), None)
        if key is not None:
            return f"{container}['{key}']"
        if order and len(order) >= len(names):
            return f"{container}[{order.index(name) if name in order else names.index(name)}]"
    return None


def _gradient_attribute(attribute: str, attributes: tuple[str, ...]) -> str | None:
    """The attribute that holds the gradient of another: W and dW, weights and dweights, W and grad_W."""
    wanted = (f"d{attribute}", f"d_{attribute}", f"grad_{attribute}", f"{attribute}_grad", f"g{attribute}")
    return next((name for name in wanted if name in attributes), None)
