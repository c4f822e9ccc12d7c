"""From a subject to a draft that runs: guesses are tried in order until one works, or there is no hope.

What a trial is, and what it can end with, is `trial.py`'s; what follows once one works, `finishing.py`'s.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from gradcheck.handwritten.outline import Outline
from gradcheck.handwritten.scaffold.arguments import IMAGE, Arguments, facts_of, read_arguments
from gradcheck.handwritten.scaffold.draft import Draft, numbers_for
from gradcheck.handwritten.scaffold.facts import FileFacts
from gradcheck.handwritten.scaffold.finishing import Finding, finished, with_other_setting, without_statistics
from gradcheck.handwritten.scaffold.shapes import Guess, Question, guesses, renamed
from gradcheck.handwritten.scaffold.subjects import Subject
from gradcheck.handwritten.scaffold.trial import Level, Limit, Trial, attempt

MAX_TRIALS = 60
MAX_TIMEOUTS = 2
MAX_QUESTIONS = 8
MAX_REPEATS = 20  # of one and the same error: no shape will mend it
LONGER = {"W": "width", "H": "height", "C": "channels", "N": "batch", "D": "features", "M": "units", "T": "steps",
          "F": "filters", "K": "window", "V": "words"}  # fmt: skip


def search(
    subject: Subject, facts: FileFacts, outline: Outline, path: Path, limit: Limit, *, may_run: bool = True
) -> Finding:
    """The draft of a subject that comes furthest, and where it runs, with its parameters and sweeps.

    may_run : where not, the first guess is written out and nothing tried
    """
    best: Trial | None = None
    timeouts, questions = 0, 0
    causes: Counter[str] = Counter()
    for number, draft in enumerate(_drafts(subject, facts, outline)):
        if best is not None and best.level >= Level.BACKWARD and not any(draft.guess.shapes.values()):
            continue  # of single numbers nearly everything has the right shape: that would hide what was seen already
        trial = attempt(draft, path, limit=limit, may_run=may_run)
        best = trial if best is None or trial.level > best.level else best
        timeouts += trial.kind == "timeout"
        questions += trial.level is Level.QUESTION
        causes[f"{trial.cause} {trial.place}"] += trial.kind != ""  # that of an exception, not NaN and the like
        # What is said in a docstring and does not work is the code's mistake, and not for us to guess around.
        is_theirs = trial.kind == "unfinished" or (trial.level >= Level.BACKWARD and draft.guess.is_said)
        is_theirs = is_theirs or trial.lacks_library
        is_hopeless = timeouts >= MAX_TIMEOUTS or questions >= MAX_QUESTIONS or max(causes.values()) >= MAX_REPEATS
        is_enough = is_hopeless or number >= MAX_TRIALS
        if not may_run or trial.level is Level.RUNS or is_theirs or is_enough:
            break
    assert best is not None
    best = with_other_setting(without_statistics(best, outline, path, limit), path, limit)
    if best.level < Level.RUNS:
        return Finding(best)
    found = finished(best, path, limit)
    # The logarithm of what is clipped to probabilities runs anywhere.
    is_clipped = best.flat > 0 and "log" in subject.forward.words
    if found.is_out_of_domain or is_clipped:
        kinds = {name: "unit" if kind == "normal" else kind for name, kind in best.draft.guess.kinds.items()}
        inside = replace(best.draft, guess=replace(best.draft.guess, kinds=kinds))
        trial = attempt(inside, path, limit=limit)
        if trial.level is Level.RUNS and (found.is_out_of_domain or trial.flat < best.flat):
            return finished(trial, path, limit)
    return found


def _drafts(subject: Subject, facts: FileFacts, outline: Outline) -> Iterator[Draft]:
    arguments = read_arguments(subject, facts)
    reserved = _reserved(subject, outline, arguments)
    for sizes in _namings(arguments):
        question = Question(arguments.arrays, facts_of(subject), subject.title, subject.kind, sizes)
        for found in guesses(question):
            guess = _without_collisions(found, reserved - set(arguments.sizes))
            fixed = _fixed(arguments, guess)
            names = dict.fromkeys((*_sizes_of(guess), *arguments.sizes))
            taken = [value for value in arguments.options.values() if type(value) is int]
            numbers = numbers_for(names, guess.customary, subject.title, fixed, taken)
            yield Draft(subject, arguments, guess, numbers)


def _namings(arguments: Arguments) -> list[dict[str, str]]:
    """Role → the constructor's name for a size of it; a single one that says nothing may be the output or the input.

    Without a vocabulary the size of an embedding is that of the data: `d_model`.
    """
    named: dict[str, str] = {}
    for name, role in arguments.sizes.items():
        if role:
            named.setdefault(role, name)
    if "embedding" in named and not {"in", "vocabulary"} & set(named):
        named["in"] = named["embedding"]
    unnamed = [name for name, role in arguments.sizes.items() if not role]
    orders = (("out", "in"), ("in", "out")) if len(unnamed) == 1 else (("in", "out", "hidden", "classes"),)
    return [{**dict(zip((r for r in order if r not in named), unnamed, strict=False)), **named} for order in orders]


def _fixed(arguments: Arguments, guess: Guess) -> dict[str, int]:
    """Sizes that a setting has chosen: those of the image that a constructor expects, and what its heads divide."""
    heads = next((v for n, v in arguments.options.items() if "head" in n.lower() and type(v) is int), None)
    width = next((name for name, role in arguments.sizes.items() if role in ("embedding", "in")), None)
    if heads is not None and width is not None:
        return {width: 2 * heads}
    images = [value for value in arguments.options.values() if isinstance(value, list) and len(value) == len(IMAGE)]
    is_image = any(len(shape) == 4 for shape in guess.shapes.values())
    return dict(zip(IMAGE, images[0], strict=True)) if images and is_image else {}


def _sizes_of(guess: Guess) -> list[str]:
    """Names of sizes in shapes and bounds, in order."""
    dims = [dim for shape in guess.shapes.values() for dim in shape]
    used = [*dims, guess.bound] if "ids" in guess.kinds.values() else dims
    return list(dict.fromkeys(name for dim in used if (name := dim.rpartition("*")[2]).isidentifier()))


def _reserved(subject: Subject, outline: Outline, arguments: Arguments) -> set[str]:
    """Names that the statements use for something else."""
    owner, _, method = subject.parts[0].rpartition(".")
    functions = outline.classes[owner].methods if owner else outline.functions
    returned = {name for name in functions[method].returns or () if name}
    taken = {*arguments.arrays, *arguments.options, *arguments.dicts, *returned, "out", "cache", "layer", "net", "loss"}
    taken |= set(outline.classes[owner].attributes) if owner else set()  # a parameter may become an input
    return taken | {name for keys in arguments.dicts.values() for name in keys.values()}


def _without_collisions(guess: Guess, reserved: set[str]) -> Guess:
    """The guess with other names for sizes that are called like an array or a setting."""
    clashes = {name: LONGER.get(name, f"{name}_size") for name in _sizes_of(guess) if name in reserved}
    if not clashes:
        return guess

    shapes = {name: tuple(renamed(dim, clashes) for dim in shape) for name, shape in guess.shapes.items()}
    customary = {clashes.get(name, name): usual for name, usual in guess.customary.items()}
    customary |= {new: guess.customary.get(old, old) for old, new in clashes.items()}
    return replace(guess, shapes=shapes, bound=renamed(guess.bound, clashes), customary=customary)
