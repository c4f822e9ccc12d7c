"""Function pairs: `out, cache = f(x, w, b)` and its partner; a loss that returns its own gradient; f and df.

Classes, whose static methods may be such a pair, are `classes.py`'s.
"""

from __future__ import annotations

from gradcheck.handwritten.conventions.arguments import backward_arguments, forward_arguments
from gradcheck.handwritten.conventions.partners import partner_of
from gradcheck.handwritten.conventions.reading import Found, Reading, gradient_of, is_gradient, line
from gradcheck.handwritten.conventions.tables import JAX
from gradcheck.handwritten.outline import FunctionOutline
from gradcheck.handwritten.statements import lines_of
from gradcheck.location import SourceText
from gradcheck.notation import Call, Name


def function_pair(reading: Reading, forward: FunctionOutline, backward_name: str | None, prefix: str = "") -> Found:
    """The statements of a pair.

    backward_name : None where its partner is to be found by its name, if it has one
    prefix : `Relu.` for static methods
    """
    arguments = forward_arguments(reading, forward, "forward")
    backward = _partner(reading, forward.name) if backward_name is None else reading.function(backward_name)
    returns = reading.return_names(forward, backward)
    found = Found()
    if backward is None and reading.body.backward is None:
        gradients = reading.gradient_dict(forward) if len(returns) == 2 else None
        if gradients is not None:  # `grads, cost = propagate(w, b, X, Y)`: the other one is the loss
            found.lines["gradient_at"] = gradients
            if returns[0] == gradients:
                found.lines["output"] = returns[1]
        elif not _is_left_to_library(reading, returns):
            returns = _with_own_gradients(reading, forward, returns)
    found.lines["forward"] = f"{', '.join(returns)} = {prefix}{forward.name}({arguments})"
    if backward is not None:
        _add_backward(found, reading, backward, returns, forward, prefix)
    return found


def backward_only(reading: Reading, forward: SourceText, name: str) -> Found:
    """A written forward with a bare backward: the names are those of the forward."""
    backward = reading.function(name)
    _bind(reading, forward)
    last = forward.text.strip().splitlines()[-1]
    returns = [part.strip() for part in last.partition("=")[0].split(",")] if "=" in last else ["out"]
    found = Found()
    _add_backward(found, reading, backward, returns, None, "")
    return found


def _bind(reading: Reading, forward: SourceText) -> None:
    """Which argument each input is passed as, where a written forward calls a function of the file."""
    for statement in lines_of(forward).statements:
        match statement.value:
            case Call(function=Name(id=called), arguments=arguments, keywords=keywords):
                function = reading.outline.functions.get(called)
                named = zip(function.parameters if function is not None else (), arguments, strict=False)
                for argument, value in (*named, *keywords):
                    if isinstance(value, Name) and value.id in reading.case.inputs:
                        reading.bound[argument] = value.id


def _partner(reading: Reading, name: str) -> FunctionOutline | None:
    functions = reading.outline.functions
    if reading.body.backward is not None or any(word in JAX for word in functions[name].decorators):
        return None  # what is decorated by jax knows its rules itself
    partner = partner_of(name, functions)
    return None if partner is None else functions[partner]


def _is_left_to_library(reading: Reading, returns: list[str]) -> bool:
    """Whether the gradients are those that a tensor library works out: nothing that is returned is called like one."""
    return reading.has_tensors and not any(reading.gradient_name(name) for name in returns[1:])


def _with_own_gradients(reading: Reading, forward: FunctionOutline, returns: list[str]) -> list[str]:
    """`loss, dx = f(x, y)`: the values behind the first are gradients."""
    gradients = [reading.gradient_name(name) or _of_variable(reading, name) for name in returns[1:]]
    if any(gradients):  # `loss, dWx, dWh, h`: the state, too, goes on
        pairs = zip(gradients, returns[1:], strict=True)
        gradients = [found or (None if is_gradient(name) else "_") for found, name in pairs]
    if len(gradients) == 1 and gradients[0] is None:
        gradients = [f"d{reading.only_target('forward', forward)}"]
    if len(gradients) > 1 and None in gradients:
        unknown = len([name for name in gradients if name is None])
        message = f"cannot tell which inputs {unknown} of the {len(gradients)} gradients of '{forward.text}' belong to"
        shown = ", ".join([returns[0], *(name or "d…" for name in gradients)])
        raise reading.question("forward", message, f"forward: {shown} = {forward.name}(…)")
    if not gradients or None in gradients:
        message = f"nothing says where the gradients of '{forward.text}' come from"
        raise reading.question("forward", message, "backward: … = …(dout, …)")
    return [returns[0], *(name or "_" for name in gradients)]


def _of_variable(reading: Reading, name: str) -> str | None:
    """The gradient of a weight at the top level of the file; None for what is called like none."""
    variable = gradient_of(name, reading.outline.variables)
    return None if variable is None else f"d{variable}"


def _add_backward(
    found: Found,
    reading: Reading,
    backward: FunctionOutline,
    returns: list[str],
    forward: FunctionOutline | None,
    prefix: str,
) -> None:
    """The statement of a backward; with `gradient_at` where a dict of gradients is among what it returns."""
    arguments, has_upstream = backward_arguments(reading, backward, returns, forward)
    call = f"{prefix}{backward.name}({arguments})"
    gradients = reading.gradient_dict(backward)
    if gradients is not None:
        found.lines["gradient_at"] = gradients
        found.lines["backward"] = line(reading.targets_beside(backward, gradients), call)
        return
    # The derivative of a loss is about what was predicted, if it does not say otherwise.
    is_of_loss = backward.returns is None and not has_upstream
    targets = reading.targets(backward, reading.predicted if is_of_loss else None)
    if not has_upstream and forward is not None and forward.required == 1 and len(returns) == 1:
        call = f"d{returns[0]} * {call}"
    found.lines["backward"] = line(targets, call)
