"""What a function of the code is given: its arguments, recognised by their names, as the text of a call.

What it returns is named in `reading.py`; nothing is guessed where two readings are left.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from gradcheck.handwritten.conventions.reading import Reading
from gradcheck.handwritten.conventions.tables import (
    CACHES,
    OPTION_DICTS,
    OUTPUTS,
    RATES,
    TRAINING,
    UPSTREAM,
    UPSTREAM_PARTS,
    UPSTREAM_UNLESS_KNOWN,
)
from gradcheck.handwritten.outline import FunctionOutline


def forward_arguments(reading: Reading, function: FunctionOutline, key: str) -> str:
    """The arguments of a forward or a constructor, as `chosen_arguments` finds them."""
    return call_text(function, chosen_arguments(reading, function, key))


def chosen_arguments(reading: Reading, function: FunctionOutline, key: str) -> dict[str, str]:
    """Argument → what it is given: by name, then (if as many are left) by position, options as a dict.

    Takes them out of what the reading has to spare.
    Raises FieldError where it cannot be told what an argument is given.
    """
    chosen: dict[str, str] = {}
    lower = {name.lower(): name for name in reading.spare}
    for name in function.parameters:
        if name in reading.spare or name in reading.free_options:
            chosen[name] = name
        elif lower.get(name.lower()) in reading.spare:
            chosen[name] = lower[name.lower()]
        reading.take(chosen.get(name))
    required = function.parameters[: function.required]
    for name in function.parameters:
        if name in chosen:
            continue
        if kept := _kept_in(reading, function, name):
            for value in kept:
                reading.take(value)
            if reading.spare and sum(key not in chosen for key in required) == 1:  # it hands the dict on to others
                kept = (*kept, *reading.spare)
                reading.spare.clear()
            chosen[name] = reading.made[name] = _as_dict(kept)
        elif name.endswith(OPTION_DICTS) and reading.free_options:
            chosen[name] = _as_dict(reading.free_options)
            reading.free_options.clear()
        elif name in required and name in TRAINING:
            chosen[name] = "True"
    unknown = [name for name in required if name not in chosen]
    if unknown and len(unknown) == len(reading.spare):
        chosen.update(zip(unknown, reading.spare, strict=True))
        reading.spare.clear()
    _refuse_unknown(reading, function, key, chosen)
    reading.bound.update({name: value for name, value in chosen.items() if value in reading.case.inputs})
    return chosen


def backward_arguments(
    reading: Reading, backward: FunctionOutline, returns: list[str], forward: FunctionOutline | None
) -> tuple[str, bool]:
    """The arguments of a backward and whether an upstream gradient is among them.

    returns : names of what forward returned, the output first
    Raises FieldError where it cannot be told what an argument is given.
    """
    case = reading.case
    known = {name.lower(): name for name in (*case.inputs, *case.options, *case.sizes)}
    extras = list(returns[1:])
    chosen: dict[str, str] = {}
    upstream: list[str] = []
    one_to_one = forward is not None and len(forward.parameters) == 1 and len(backward.parameters) == 1
    optional = backward.parameters[backward.required :]
    for name in backward.parameters:
        low = name.lower()
        output = next((o for o in returns if low == f"d{o.lower()}"), None)
        is_upstream = output is not None or low in UPSTREAM or (low in UPSTREAM_UNLESS_KNOWN and low not in known)
        # `retain_grads=True` behind the upstream gradient is a switch.
        is_upstream |= any(part in low for part in UPSTREAM_PARTS) and not (upstream and name in optional)
        if name in extras and name not in chosen.values():
            chosen[name] = name
            extras.remove(name)
        elif is_upstream:
            output = output or next((o for o in returns if f"d{o}" not in upstream), returns[0])
            chosen[name] = f"d{output}"
            upstream.append(chosen[name])
        elif name in reading.made or (kept := _kept_in(reading, backward, name)):
            chosen[name] = reading.made.get(name) or _as_dict(kept)
        elif name in returns or (one_to_one and low in OUTPUTS):
            chosen[name] = name if name in returns else returns[0]
        elif low in known and not one_to_one:
            chosen[name] = known[low]
        elif low in RATES:
            chosen[name] = "1.0"
        elif (low in CACHES or low.endswith("cache")) and extras:
            chosen[name] = extras.pop(0)
        elif name.endswith(OPTION_DICTS) and (case.options or case.sizes):
            chosen[name] = _as_dict(case.options)
    unknown = [name for name in backward.parameters[: backward.required] if name not in chosen]
    if len(unknown) == 1 and len(extras) == 1:
        chosen[unknown[0]] = extras[0]
    elif len(unknown) == 1 and not upstream and any(part in backward.name.lower() for part in ("backward", "prop")):
        upstream.append(f"d{returns[0]}")  # a backward that is given one more thing is given the upstream gradient
        chosen[unknown[0]] = upstream[0]
    elif unknown and one_to_one:
        only = next(iter(case.inputs), "x")
        message = f"cannot tell whether '{backward.text}' is given the input '{only}' or the output '{returns[0]}'"
        line = f"backward: d{only} = d{returns[0]} * {backward.name}({returns[0]})"
        raise reading.question("backward", message, line)
    _refuse_unknown(reading, backward, "backward", chosen)
    return call_text(backward, chosen), bool(upstream)


def _kept_in(reading: Reading, function: FunctionOutline, name: str) -> tuple[str, ...]:
    """The keys of an argument that is a dict of arrays, `params["W1"]`, where the case has a value for each of them."""
    keys, case = function.keys.get(name, ()), reading.case
    has_all = all(key in case.inputs or key in case.options or key in case.sizes for key in keys)
    return keys if has_all and any(key in case.inputs for key in keys) else ()


def _as_dict(options: Iterable[str]) -> str:
    return f"dict({', '.join(f'{name}={name}' for name in options)})"


def _refuse_unknown(reading: Reading, function: FunctionOutline, key: str, chosen: Mapping[str, str]) -> None:
    required = function.parameters[: function.required]
    unknown = [name for name in required if name not in chosen]
    if unknown:
        names = ", ".join(f"'{name}'" for name in unknown)
        shown = ", ".join(chosen.get(name, "…") for name in required)
        message = f"cannot tell what '{function.text}' is given for {names}"
        raise reading.question(key, message, f"{key}: … = {function.name}({shown})")


def call_text(function: FunctionOutline, chosen: Mapping[str, str]) -> str:
    """Positional while nothing is left out, by keyword behind the first gap."""
    parts, is_gap = [], False
    for name in function.parameters:
        if name not in chosen:
            is_gap = True
        else:
            parts.append(f"{name}={chosen[name]}" if is_gap else chosen[name])
    return ", ".join(parts)
