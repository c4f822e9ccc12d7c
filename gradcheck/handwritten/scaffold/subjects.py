"""What there is to check in a file: function pairs, losses with their own gradient, layers, whole models, Functions.

By the tables of conventions and from the text alone; how a subject is called is worked out in `arguments.py`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from gradcheck.handwritten.conventions.partners import forward_of, partner_of
from gradcheck.handwritten.conventions.reading import gradient_of, is_gradient
from gradcheck.handwritten.conventions.tables import GRADIENT_LISTS, METHODS, PARAMETER_LISTS, SUFFIXES
from gradcheck.handwritten.outline import ClassOutline, FunctionOutline, Outline
from gradcheck.handwritten.scaffold.facts import FileFacts, FunctionFacts
from gradcheck.handwritten.scaffold.vocabulary import loss_family
from gradcheck.record import dataclass

FUNCTION_BASES = ("Function", "torch.autograd.Function", "autograd.Function")
GRADIENT_NAMES = ("grad", "grads", "gradient", "gradients", "dx", "dw", "dtheta", "delta", "derivative")
DERIVATIVE_FLAGS = (
    "deriv", "derivative", "derivate", "derive", "der", "deri", "prime", "grad", "gradient", "diff", "is_derivative",
    "return_derivative", "d",
)  # fmt: skip
LOSS_VALUES = ("loss", "cost", "j", "total_loss", "total_cost", "objective", "error")  # names of what a loss gives
ENDINGS = tuple(dict.fromkeys(ending for ending, _ in SUFFIXES if ending))
HALF = re.compile(r"_(forward|backward)(_|$)|_([fb]wd|[fb]prop)$|(Forward|Backward)")


@dataclass(frozen=True, slots=True)
class Subject:
    """One thing to check.

    kind : pair, loss, layer, model, function (a torch.autograd.Function), rule (a function with a rule of jax),
        flag (`sigmoid(x, deriv=True)`) or engine (an operation of somebody's own tensors)
    title : what the case is called; entry : the name that the file is asked for; line : where it begins
    parts : its functions or methods, for the reader
    flag : the argument that asks for the derivative; arrays : what its inputs have to be wrapped in, or None
    """

    kind: str
    title: str
    entry: str
    line: int
    parts: tuple[str, ...]
    forward: FunctionFacts
    backward: FunctionFacts | None = None
    constructor: FunctionFacts | None = None
    flag: str = ""
    arrays: str | None = None


def find_subjects(facts: FileFacts, outline: Outline) -> tuple[list[Subject], list[str]]:
    """The subjects of a file in its order, and the names of functions that look like half of a pair."""
    found: list[Subject] = []
    taken: set[str] = set()
    # Neighbours are in the outline, too: a pair is one whose two halves stand in this file.
    pairs = {f: b for f in facts.functions if not f.startswith("_") and (b := partner_of(f, outline.functions))}
    partners = set(pairs.values())
    for name, rules in facts.rules.items():
        if name in facts.functions:
            taken |= {name, *rules}
            forward, parts = facts.functions[name], (name, *rules)
            found.append(Subject("rule", name, name, forward.line, parts, forward, arrays="jax"))
    for name, forward in facts.functions.items():
        if name in taken:
            continue
        if name in pairs and name not in partners and pairs[name] in facts.functions:
            taken |= {name, pairs[name]}
            parts = (name, pairs[name])
            found.append(
                Subject("pair", _title(name), name, forward.line, parts, forward, facts.functions[pairs[name]])
            )
        elif name not in partners and _is_loss(forward, outline.functions.get(name), outline.variables):
            taken.add(name)
            found.append(Subject("loss", name, name, forward.line, (name,), forward))
        elif name not in partners and (flag := _flag(forward)):
            taken.add(name)
            found.append(Subject("flag", name, name, forward.line, (name,), forward, forward, flag=flag))
    for name in facts.functions:
        forward_name = forward_of(name, [f for f in pairs if f in taken]) if name not in taken else None
        if forward_name is not None and not name.startswith("_"):
            taken.add(name)
            forward = facts.functions[forward_name]
            parts = (forward_name, name)
            found.append(Subject("pair", name, forward_name, forward.line, parts, forward, facts.functions[name]))
    found += [subject for name in facts.classes for subject in _class(name, facts, outline)]
    halves = [name for name in facts.functions if name not in taken and not name.startswith("_") and HALF.search(name)]
    # What computes with torch alone cannot be given an array; beside numpy either may be meant.
    if "torch" in facts.imports and "numpy" not in facts.imports:
        static = [name for name, one in outline.classes.items() if any(m.is_static for m in one.methods.values())]
        found = [replace(s, arrays="torch") if s.kind in ("pair", "loss") or s.entry in static else s for s in found]
    return sorted(_told_apart(found), key=lambda subject: subject.line), halves


def _told_apart(found: list[Subject]) -> list[Subject]:
    """Subjects of one title go by their functions: two cases of a file cannot have the same name."""
    for part in (0, -1):
        titles = Counter(subject.title for subject in found)
        found = [replace(s, title=s.parts[part]) if titles[s.title] > 1 else s for s in found]
    return found


def _flag(facts: FunctionFacts) -> str:
    """The switch of an activation or a loss that gives its derivative instead, `deriv=False`; "" where it has none."""
    named = [p.name for p in facts.parameters if p.name.lower() in DERIVATIVE_FLAGS and p.default in (False, None)]
    required = [p for p in facts.parameters if p.is_required]
    is_one = len(named) == 1 and named[0] in facts.words and 1 <= len(required) <= 2
    return named[0] if is_one and not facts.name.startswith("_") else ""


def _title(name: str) -> str:
    ending = next((ending for ending in ENDINGS if name.endswith(ending) and name != ending), "")
    return re.sub(r"(?<=[a-z0-9])_(forward|fwd|fprop|cached)(?=_|$)", "", name.removesuffix(ending))


def _is_loss(facts: FunctionFacts, outline: FunctionOutline | None, variables: tuple[str, ...]) -> bool:
    """Whether a function returns a value and behind it gradients: named like one, or of what is named like a loss.

    variables : weights may be among those that the file has at its top level
    """
    returns = outline.returns if outline is not None else None
    if facts.name.startswith("_") or not facts.parameters or returns is None or len(returns) < 2:
        return False
    dicts = outline.dicts if outline is not None and len(returns) == 2 else {}
    if any(_holds_gradients(name, keys, facts) for name, keys in dicts.items()):
        return True
    names = [parameter.name for parameter in facts.parameters]
    behind = returns[1:]
    if all(gradient_of(name, names) is not None for name in behind):
        return True
    low = [(name or "").lower() for name in behind]
    is_named = (returns[0] or "").lower() in LOSS_VALUES or bool(loss_family(facts.name))
    gradients = [name for name in behind if is_gradient(name)]
    if is_named and gradients and all(gradient_of(name, [*names, *variables]) is not None for name in gradients):
        return True
    if len(low) > 1:  # `cost, gradPred, grad`: which is which has to be asked for
        return is_named and all(not name or name.startswith(("grad", "d")) or name.endswith("grad") for name in low)
    is_one = not low[0] or low[0] in GRADIENT_NAMES or low[0].startswith(("d", "grad"))
    return is_one and is_named and returns[0] != "out"


def _holds_gradients(name: str, keys: Sequence[str], facts: FunctionFacts) -> bool:
    """Whether a dict that is returned is one of gradients: by its name, or of what it keeps all are some."""
    words = [parameter.name for parameter in facts.parameters] + [key for keys in facts.keys.values() for key in keys]
    is_named = name.lower() in (*GRADIENT_LISTS, "gradient")
    return is_named or (bool(keys) and all(gradient_of(key, words) is not None for key in keys))


def _class(name: str, facts: FileFacts, outline: Outline) -> Iterator[Subject]:
    found = outline.classes.get(name)
    if found is None or name.startswith("_"):
        return
    methods = _methods(found)
    if methods is None:
        return
    forward, backward = facts.method(name, methods[0]), methods[1] and facts.method(name, methods[1])
    if forward is None or (methods[1] and not backward):
        return
    has_heirs = any(name in other.bases for other in facts.classes.values())
    if has_heirs and (forward.is_empty or (backward and backward.is_empty)):
        return  # the base of the layers, which says what they must have
    is_function = any(base in FUNCTION_BASES for base in facts.classes[name].bases)
    has_parameters = bool(set(found.attributes) & set(PARAMETER_LISTS))
    is_model = not methods[1] or (methods == ("loss", "gradient") and has_parameters)
    kind = "function" if is_function else "model" if is_model else "layer"
    parts = tuple(f"{name}.{method}" for method in methods if method)
    constructor = None if is_function else facts.method(name, "__init__")
    line = facts.classes[name].line
    yield Subject(kind, name, name, line, parts, forward, backward or None, constructor)


def _methods(found: ClassOutline) -> tuple[str, str] | None:
    """The pair of methods; ("loss", "") for a whole model."""
    pair = next((p for p in METHODS if p[0] in found.methods and p[1] in found.methods), None)
    if pair is None and "loss" in found.methods and len(found.methods["loss"].returns or ()) == 2:
        return ("loss", "")
    return pair
