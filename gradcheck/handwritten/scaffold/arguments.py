"""What the arguments of a subject are: arrays, sizes, settings, option dicts; with values for all that are no arrays.

By the names and defaults of the arguments; the shapes of the arrays are guessed in `shapes.py`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from gradcheck.handwritten.scaffold.facts import FileFacts, FunctionFacts, Parameter
from gradcheck.handwritten.scaffold.subjects import Subject
from gradcheck.handwritten.scaffold.uses import COMPUTED, NO_DEFAULT
from gradcheck.handwritten.scaffold.vocabulary import (
    LABELS,
    SIZE_ARGUMENT,
    SWEPT_DEFAULTS,
    Setting,
    family_of,
    is_option_dict,
    is_training_flag,
    loss_family,
    role_of,
    setting_of,
    size_role,
)

BY_ANNOTATION = {"int": 2, "float": 0.5, "bool": True, "str": "mean"}
MADE_ROLES = ("weight", "bias", "wx", "wh", "scale", "shift")  # arrays that a constructor may be given
LISTS_OF_SIZES = r"(hidden|layers?)_?(dims|sizes|layers)|dims|sizes|architecture"
IMAGE = ["C", "H", "W"]
OBJECTS = (
    r"(.*_)?(func(tion)?s?|fn|derivative|deriv|prime|optimi[sz]er|initiali[sz]er|rng|layers?|modules?|network|model)"
)
UNKNOWN = "…"


@dataclass
class Arguments:
    """arrays : names of arrays, those of forward first; made : those that the constructor is given

    sizes : names of sizes → the role that the name gives them; options : setting → value
    dicts : option dict → key → the name of its value; sweeps : setting or size → values to sweep
    unknown : arguments that take a function or another object, which only the author of the case can name
    """

    arrays: list[str] = field(default_factory=list)
    made: list[str] = field(default_factory=list)
    sizes: dict[str, str] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)
    dicts: dict[str, dict[str, str]] = field(default_factory=dict)
    sweeps: dict[str, tuple[Any, ...]] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)

    @property
    def text(self) -> Mapping[str, str]:
        """Option dict → the call that makes it; what is unknown → `…`."""
        found = dict.fromkeys(self.unknown, UNKNOWN)
        for name, keys in self.dicts.items():
            found[name] = f"dict({', '.join(f'{key}={value}' for key, value in keys.items())})"
        return found


def read_arguments(subject: Subject, facts: FileFacts) -> Arguments:
    """Sort the arguments of the constructor and of forward."""
    found = Arguments()
    parameters = list(subject.forward.parameters)
    if subject.kind == "function" or (parameters and parameters[0].name in ("ctx", "context")):
        parameters = parameters[1:]
    for parameter in parameters:
        _forward_argument(parameter, subject, facts, found)
    made = subject.constructor.parameters if subject.constructor is not None else ()
    required = [parameter.name for parameter in made if parameter.is_required]
    found.unknown = [name for name in required if re.fullmatch(OBJECTS, name.lower())]
    if found.unknown and "activation" in required:
        found.unknown.insert(0, "activation")  # beside its derivative it is a function, elsewhere often a word
    for parameter in made:
        if parameter.name not in found.unknown:
            _constructor_argument(parameter, subject, found)
    return found


def _forward_argument(parameter: Parameter, subject: Subject, facts: FileFacts, found: Arguments) -> None:
    name, default = parameter.name, parameter.default
    setting = _chosen(subject.forward, name) or setting_of(name, family_of(subject.title))
    keys = _keys_of(name, subject, facts)
    if keys is not None:
        if parameter.is_required:
            _option_dict(name, keys, subject, found)
    elif is_training_flag(name):
        if default is False:
            found.options[name] = True
    elif not parameter.is_required:
        if name.lower() in LABELS and default is None and _is_loss(subject):
            found.arrays.append(name)
        elif name.lower() in SWEPT_DEFAULTS and setting is not None and isinstance(default, int | float):
            _set(name, setting, subject, found)
        elif default in subject.forward.choices.get(name, ()) and _is_shared(name, subject) and setting is not None:
            found.options[name], found.sweeps[name] = default, setting.sweep
    elif name in subject.forward.choices and setting is not None:
        _set(name, setting, subject, found)
    elif name in subject.forward.documented:
        found.arrays.append(name)
    elif parameter.annotation in BY_ANNOTATION:
        _set(name, setting or Setting(BY_ANNOTATION[parameter.annotation]), subject, found)
    elif setting is not None and _is_setting(name, subject):
        _set(name, setting, subject, found)
    elif re.fullmatch(SIZE_ARGUMENT, name.lower()) and name not in subject.forward.ranks:
        found.sizes[name] = size_role(name)
    else:
        found.arrays.append(name)


def _chosen(forward: FunctionFacts, name: str) -> Setting | None:
    """What a forward that tells texts apart can be given: each of them."""
    choices = forward.choices.get(name, ())
    return Setting(choices[0], choices if len(choices) > 1 else ()) if choices and "test" not in choices else None


def _is_shared(name: str, subject: Subject) -> bool:
    """Whether backward is told, too, which of several things forward did."""
    return subject.backward is not None and any(p.name == name for p in subject.backward.parameters)


def _is_setting(name: str, subject: Subject) -> bool:
    """Whether a required argument of forward is a setting; a single letter is one only where its family says so."""
    family = family_of(subject.title)
    if name.lower() in ("p", "keep") and "drop" in subject.title.lower():
        return True
    if name in ("G", "g") and family == "group_norm":
        return True
    if name == "l" and _is_loss(subject):  # λ of a penalty
        return True
    if name.lower() in ("k", "f", "n") and family in ("pool", "conv"):
        return True
    return len(name) > 1 and role_of(name) == "data"


def _constructor_argument(parameter: Parameter, subject: Subject, found: Arguments) -> None:
    name, default = parameter.name, parameter.default
    if name in found.arrays or name in found.options:
        return
    low, setting, role = name.lower(), setting_of(name, family_of(subject.title)), size_role(name)
    is_number = isinstance(default, int | float) and not isinstance(default, bool)
    if re.fullmatch(LISTS_OF_SIZES, low):
        found.options[name] = [4, 3]
    elif parameter.is_required and _is_made(parameter, subject):
        found.arrays.append(name)
        found.made.append(name)
    elif parameter.is_required:
        kind = parameter.annotation
        if is_training_flag(name):
            found.options[name] = True
        elif setting is not None and (role in ("", "kernel") or (kind != "int" and role == "in" and len(low) > 1)):
            _set(name, setting, subject, found)
        elif kind in ("float", "bool", "str"):
            found.options[name] = BY_ANNOTATION[kind]
        else:
            found.sizes[name] = role
    elif isinstance(default, tuple | list) and len(default) == 3 and role == "in":
        found.options[name] = [3, 4, 6]
    elif low == "dtype":
        found.options[name] = "float64"  # a network that computes in float32 hides what is small
    elif low in SWEPT_DEFAULTS and setting is not None and is_number:
        _set(name, setting, subject, found)
    elif isinstance(default, int) and is_number and role and (setting is None or role == "kernel"):
        if role == "kernel":
            found.options[name] = 3
        else:
            found.sizes[name] = role


def _is_made(parameter: Parameter, subject: Subject) -> bool:
    """Whether the constructor is given an array."""
    low = parameter.name.lower()
    if parameter.annotation in BY_ANNOTATION or low in ("filters", "kernel", "kernels", "embedding", "embeddings"):
        return False
    constructor = subject.constructor
    is_documented = constructor is not None and parameter.name in constructor.documented
    return is_documented or (role_of(parameter.name) in MADE_ROLES and low not in ("scale", "shift", "g"))


def _set(name: str, setting: Setting, subject: Subject, found: Arguments) -> None:
    found.options[name] = setting.value
    if setting.sweep and _may_sweep(name, setting.sweep, subject):
        found.sweeps[name] = setting.sweep


def _may_sweep(name: str, sweep: tuple[Any, ...], subject: Subject) -> bool:
    """Training and testing are both swept only where backward tells them apart."""
    if "test" not in sweep:
        return True
    words = subject.backward.words if subject.backward is not None else frozenset()
    return bool(words & {"test", "mode", name})


def _keys_of(name: str, subject: Subject, facts: FileFacts) -> dict[str, Any] | None:
    """The keys that an option dict is asked for, here, in backward, or by what it is handed on to; None for no dict."""
    own = subject.forward.keys.get(name)
    if own is None and not is_option_dict(name):
        return None
    keys: dict[str, Any] = dict(own or {})
    for other in facts.functions.values():  # it hands the dict on, under the same name
        if own and other.name in subject.forward.words and other is not subject.forward:
            keys |= {key: default for key, default in other.keys.get(name, {}).items() if key not in keys}
    others = list(facts.functions.values()) if own is None else [subject.backward] if subject.backward else []
    for other in others:
        for key, default in other.keys.get(name, {}).items() if other is not None else ():
            keys.setdefault(key, default)
    return keys


def _option_dict(name: str, keys: Mapping[str, Any], subject: Subject, found: Arguments) -> None:
    found.dicts[name] = {}
    for key, default in keys.items():
        setting = setting_of(key, family_of(subject.title))
        is_swept = key.lower() in SWEPT_DEFAULTS
        if (default is not NO_DEFAULT and not is_swept) or not key.isidentifier():
            continue
        value_name = key if key not in found.options and key not in found.arrays else _prefixed(name, key)
        found.dicts[name][key] = value_name
        if role_of(key) in MADE_ROLES and (setting is None or len(key) > 1):
            found.arrays.append(value_name)
        elif default is COMPUTED or setting is None:
            found.options[value_name] = 1.0
        else:
            _set(value_name, setting, subject, found)


def _prefixed(name: str, key: str) -> str:
    return f"{re.sub('_?(params?|options|config)$', '', name) or name}_{key}"


def _is_loss(subject: Subject) -> bool:
    return subject.kind in ("loss", "model") or bool(loss_family(subject.title))


def facts_of(subject: Subject) -> FunctionFacts:
    """The facts of forward, with the shapes that the constructor documents."""
    if subject.constructor is None:
        return subject.forward
    return replace(subject.forward, documented={**subject.constructor.documented, **subject.forward.documented})
