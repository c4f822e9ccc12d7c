"""What there is to check in a file: function pairs, losses with their own gradient, layers, whole models, Functions.

By the tables of conventions and from the text alone; how a subject is called is worked out in `arguments.py`.
"""

from __future__ import annotations

from collections.abc import Iterator

from gradcheck.handwritten.conventions.tables import METHODS, PARAMETER_LISTS, PREFIXES, SUFFIXES
from gradcheck.handwritten.outline import ClassOutline, FunctionOutline, Outline
from gradcheck.handwritten.scaffold.facts import FileFacts, FunctionFacts
from gradcheck.handwritten.scaffold.vocabulary import loss_family
from gradcheck.record import dataclass

FUNCTION_BASES = ("Function", "torch.autograd.Function", "autograd.Function")
GRADIENT_NAMES = ("grad", "grads", "gradient", "gradients", "dx", "dw", "dtheta", "delta", "derivative")
ENDINGS = tuple(dict.fromkeys(ending for ending, _ in SUFFIXES if ending))
BACKWARD_ENDINGS = ("_backward", "_bwd", "_bprop", "_backward_pass")


@dataclass(frozen=True, slots=True)
class Subject:
    """One thing to check.

    kind : pair, loss, layer, model or function (a torch.autograd.Function)
    title : what the case is called; entry : the name that the file is asked for; line : where it begins
    parts : its functions or methods, for the reader
    """

    kind: str
    title: str
    entry: str
    line: int
    parts: tuple[str, ...]
    forward: FunctionFacts
    backward: FunctionFacts | None = None
    constructor: FunctionFacts | None = None


def find_subjects(facts: FileFacts, outline: Outline) -> tuple[list[Subject], list[str]]:
    """The subjects of a file in its order, and the names of functions that look like half of a pair."""
    found: list[Subject] = []
    taken: set[str] = set()
    pairs = {f: b for f in facts.functions if (b := _partner(f, outline)) and not f.startswith("_")}
    partners = set(pairs.values())
    for name, forward in facts.functions.items():
        if name in pairs and name not in partners and pairs[name] in facts.functions:
            taken |= {name, pairs[name]}
            parts = (name, pairs[name])
            found.append(
                Subject("pair", _title(name), name, forward.line, parts, forward, facts.functions[pairs[name]])
            )
        elif name not in partners and _is_loss(forward, outline.functions.get(name)):
            taken.add(name)
            found.append(Subject("loss", name, name, forward.line, (name,), forward))
    found += [subject for name in facts.classes for subject in _class(name, facts, outline)]
    halves = [
        name
        for name in facts.functions
        if name not in taken and not name.startswith("_") and name.endswith((*ENDINGS, *BACKWARD_ENDINGS))
    ]
    return sorted(found, key=lambda subject: subject.line), halves


def _partner(name: str, outline: Outline) -> str | None:
    """The backward of a function, by the tables; the same order as where bare names are read."""
    if name == "fwd" and "bwd" in outline.functions:
        return "bwd"
    for end, partner_end in SUFFIXES:
        if name.endswith(end) and (found := name.removesuffix(end) + partner_end) in outline.functions:
            return found if found != name else None
    for start, partner_start in PREFIXES:
        if name.startswith(start) and (found := partner_start + name.removeprefix(start)) in outline.functions:
            return found if found != name else None
    return None


def _title(name: str) -> str:
    ending = next((ending for ending in ENDINGS if name.endswith(ending) and name != ending), "")
    return name.removesuffix(ending)


def _is_loss(facts: FunctionFacts, outline: FunctionOutline | None) -> bool:
    """Whether a function returns a value and behind it gradients: named like one, or of what is named like a loss."""
    returns = outline.returns if outline is not None else None
    if facts.name.startswith("_") or not facts.parameters or returns is None or len(returns) < 2:
        return False
    names = [p.name.lower() for p in facts.parameters]
    known = {*(f"d{n}" for n in names), *(f"d_{n}" for n in names), *(f"grad_{n}" for n in names)}
    behind = [(name or "").lower() for name in returns[1:]]
    if all(name in known for name in behind):
        return True
    is_gradient = all(not name or name in GRADIENT_NAMES or name.startswith(("d", "grad")) for name in behind)
    return is_gradient and len(behind) == 1 and bool(loss_family(facts.name)) and returns[0] != "out"


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
