"""Layer objects: how their methods are called, and where they leave outputs, gradients and the parameters.

Which kind of class it is was told in `classes.py`.
"""

from __future__ import annotations

from dataclasses import replace

from gradcheck.handwritten.conventions.arguments import backward_arguments, forward_arguments
from gradcheck.handwritten.conventions.reading import STARTS, Found, Reading, line
from gradcheck.handwritten.conventions.tables import (
    GRADIENT_LISTS,
    INPUT_GRADIENTS,
    LOCAL,
    LOSSES,
    OUTPUT_ATTRIBUTES,
    OUTPUT_WORDS,
    PARAMETER_METHODS,
    RATES,
    TARGETS,
)
from gradcheck.handwritten.outline import ClassOutline, FunctionOutline


def layer_object(reading: Reading, outline: ClassOutline, forward: FunctionOutline, backward: FunctionOutline) -> Found:
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
        kept = _kept_output(reading, outline, forward, backward)
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


def _kept_output(
    reading: Reading, outline: ClassOutline, forward: FunctionOutline, backward: FunctionOutline
) -> str | None:
    """The attribute with the output of a forward that returns nothing; None where none is called like one.

    `backward(self, dA)` says that it is A. Raises FieldError where it may be one or the other.
    """
    found = [name for name in OUTPUT_ATTRIBUTES if name in outline.set_by.get(forward.name, ())]
    told = [name for name in found if f"d{name}" in backward.parameters]
    if len(told) == 1 or len(found) < 2 or found[0] in OUTPUT_WORDS:
        return next(iter(told or found), None)
    names = ", ".join(f"'{name}'" for name in found)
    message = f"cannot tell which of {names} is the output of '{outline.name}.{forward.text}', which returns nothing"
    raise reading.question("output", message, f"output: layer.{found[-1]}")


def _layer_backward(
    reading: Reading,
    found: Found,
    outline: ClassOutline,
    backward: FunctionOutline,
    returns: list[str],
    passed: tuple[str, ...],
) -> None:
    method = replace(backward, name=f"layer.{backward.name}")
    if _is_loss(reading, outline):
        # It is the end of a network: an upstream gradient of one is understood, and `dout=1` is there for the form.
        left_out = [name for name in backward.parameters[backward.required :] if name in backward.unread]
        method = replace(method, parameters=tuple(name for name in backward.parameters if name not in left_out))
    arguments, has_upstream = backward_arguments(reading, method, returns, None)
    call = f"{method.name}({arguments})"
    kept = [name for name in INPUT_GRADIENTS if name in outline.attributes]
    if backward.gives_value or not kept:
        is_local = backward.name in LOCAL and not has_upstream and len(passed) == 1
        targets = _layer_targets(reading, outline, method, passed)
        found.lines["backward"] = line(targets, f"d{returns[0]} * {call}" if is_local else call)
    else:
        found.lines["backward"] = call
        if passed:
            found.gradient_at[passed[0]] = f"layer.{kept[0]}"


def _layer_targets(
    reading: Reading, outline: ClassOutline, backward: FunctionOutline, passed: tuple[str, ...]
) -> list[str]:
    """What backward returns: gradients of what forward was given, and behind them perhaps those of the parameters.

    Those come one by one, `return dX, dW, db`, or within each other, `return dX, [dW, db]`.
    """
    returned = backward.returns
    if returned is None or len(returned) <= len(passed):
        return reading.targets(backward, passed)
    own = {f"{start}{name}": f"d{name}" for name in outline.set_by.get("__init__", ()) for start in STARTS}

    def target(name: str | None) -> str | None:
        return reading.gradient_name(name) or own.get(name or "")

    found: list[str | None] = []
    for name, inside in zip(returned, backward.inner, strict=True):
        each = [target(part) or "" for part in inside]
        found.append(target(name) if not inside else f"[{', '.join(each)}]" if all(each) else None)
    known = [text for text in found if text is not None]
    if len(set(known)) == len(found):
        return known
    return reading.targets(backward, reading.floats if len(returned) == len(reading.floats) else passed)


def _is_loss(reading: Reading, outline: ClassOutline) -> bool:
    """Whether a class is called like a loss, or is given targets."""
    named = any(word in outline.name.lower() for word in LOSSES)
    return named or any(name.lower() in TARGETS for name in reading.bound.values())


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
    elif not names and not found.gradient_at:
        for first, second in PARAMETER_METHODS:
            if all(name in outline.methods and not outline.methods[name].required for name in (first, second)):
                found.lines.update(parameters_at=f"layer.{first}()", gradient_at=f"layer.{second}()")
                break


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
    wanted = (
        f"d{attribute}", f"d_{attribute}", f"grad_{attribute}", f"{attribute}_grad", f"g{attribute}",
        f"dLd{attribute}", f"dL_d{attribute}", f"dl_d{attribute}", f"{attribute}_gradient", f"{attribute}_grads",
        f"{attribute}_gradients", f"gradient_{attribute}", f"grads_{attribute}", f"dloss_d{attribute}",
    )  # fmt: skip
    return next((name for name in wanted if name in attributes), None)
