"""What is done once a draft runs: its parameters are drawn, its sweeps tried, what has no gradient is left aside.

Each step is a trial of its own and kept only where it runs; how the draft was found is `search.py`'s.
"""

from __future__ import annotations

import linecache
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from pathlib import Path
from typing import Any

from gradcheck.handwritten.conventions.tables import PARAMETER_LISTS
from gradcheck.handwritten.outline import Outline
from gradcheck.handwritten.scaffold.draft import Draft
from gradcheck.handwritten.scaffold.trial import Level, Limit, Trial, attempt
from gradcheck.handwritten.scaffold.vocabulary import BATCH, TIME, family_of

STATISTICS = r"(running|moving|global|batch)_\w+|\w*(mean|var|variance|momentum)"


@dataclass(frozen=True)
class Finding:
    """What became of a subject.

    trial : the best one; sweeps : name → values; left_out : sentences about values that were not swept
    is_out_of_domain : with some of those, forward was not finite
    """

    trial: Trial
    sweeps: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()
    is_out_of_domain: bool = False


def finished(trial: Trial, path: Path, limit: Limit) -> Finding:
    """A draft that runs, with its parameters and its sweeps."""
    return _with_sweeps(_without_upstream(_with_parameters(trial, path, limit), path, limit), path, limit)


def without_statistics(trial: Trial, outline: Outline, path: Path, limit: Limit) -> Trial:
    """A layer that keeps running statistics among its parameters has no gradient of them: the others are asked for."""
    lacking = re.findall(r"'(\w+)'", trial.cause) if trial.kind == "missing" and trial.level is Level.BACKWARD else []
    if not lacking or not all(re.fullmatch(STATISTICS, name) for name in lacking):
        return trial
    keys = outline.classes[trial.draft.subject.entry].keys if trial.draft.subject.kind == "layer" else {}
    kept = [key for attribute in PARAMETER_LISTS for key in keys.get(attribute, ())]
    wrt = tuple(dict.fromkeys(name for name in (*trial.draft.floats, *kept) if name not in lacking))
    note = f"There is no gradient of {', '.join(lacking)}, which the layer keeps among its parameters."
    asked = attempt(replace(trial.draft, wrt=wrt, note=note), path, limit=limit)
    return asked if asked.level is Level.RUNS else trial


def with_other_setting(trial: Trial, path: Path, limit: Limit) -> Trial:
    """A backward that breaks at the friendliest setting, a padding of 0, and runs at another: the sweep shows both."""
    if trial.level is not Level.BACKWARD:
        return trial
    for name, values in trial.draft.arguments.sweeps.items():
        for value in values:
            if value != trial.draft.arguments.options.get(name):
                other = attempt(_settled(trial.draft, name, value), path, limit=limit)
                if other.level is Level.RUNS:
                    return other
    return trial


def _with_parameters(trial: Trial, path: Path, limit: Limit) -> Trial:
    """Random values for parameters that an object makes itself: small weights and zeros hide mistakes."""
    draft = trial.draft
    names = _names_of_numbers(draft)
    found = {
        name: _parameter_text(shape, names)
        for name, shape in trial.shapes.items()
        if name not in draft.inputs and name.isidentifier() and shape and name in (draft.wrt or trial.shapes)
    }
    if not found:
        return trial
    filled = attempt(replace(draft, parameters=found), path, limit=limit)
    return filled if filled.level is Level.RUNS and set(filled.still) <= set(trial.still) else trial


def _names_of_numbers(draft: Draft) -> dict[int, str]:
    """Number → the size or setting that has it, for those that may stand in the shape of a parameter."""
    settings = {n: v for n, v in draft.arguments.options.items() if type(v) is int and n not in draft.arguments.sweeps}
    sizes = {n: v for n, v in draft.sizes.items() if n.lower() not in BATCH | TIME or n in draft.arguments.sizes}
    names: dict[int, str] = {}
    for name, number in {**sizes, **settings}.items():
        names.setdefault(number, name)
    return names


def _parameter_text(shape: Sequence[int], names: Mapping[int, str]) -> str:
    dims = ", ".join(names.get(n, str(n)) if n > 1 else str(n) for n in shape)
    return f"normal({dims})" if len(shape) == 1 else f"0.5*normal({dims})"


def _without_upstream(trial: Trial, path: Path, limit: Limit) -> Trial:
    """The layer of a loss that leaves its upstream gradient aside: it is called without it."""
    draft = trial.draft
    backward, line = draft.subject.backward, draft.lines.get("backward", "")
    call = re.fullmatch(r"(.* = \w+\.\w+)\((d\w+)\)", line)
    if not trial.is_deaf or call is None or backward is None or any(p.is_required for p in backward.parameters):
        return trial
    note = f"backward is called without {call[2]}, which it leaves aside."
    quiet = attempt(replace(draft, lines={**draft.lines, "backward": f"{call[1]}()"}, note=note), path, limit=limit)
    return quiet if quiet.level is Level.RUNS else trial


def _with_sweeps(trial: Trial, path: Path, limit: Limit) -> Finding:
    """Sweeps of settings, of the batch and of time, each value tried; what forward or backward refuse is left out.

    A backward that breaks where forward runs, or gives another shape, is a mistake that the sweep is there to show.
    """
    draft = trial.draft
    wanted = dict(draft.arguments.sweeps)
    batch, time = _swept_sizes(draft)
    if time:
        wanted[time] = (1, 3)
    if batch and len(wanted) < 2:
        is_statistic = family_of(draft.subject.title) in ("batch_norm", "spatial")  # of two samples nothing is left
        wanted = {batch: (1, 3, 5) if is_statistic else (1, 3) if wanted else (1, 2, 5), **wanted}
    sweeps: dict[str, tuple[Any, ...]] = {}
    told: list[str] = []
    is_out_of_domain = False
    for name, values in wanted.items():
        kept = []
        for value in values:
            # Beside every value that is kept already: a stride may run at one padding and not at another.
            others = [dict(zip(sweeps, combination, strict=True)) for combination in product(*sweeps.values())]
            outcomes = [attempt(draft, path, {**other, name: value}, limit) for other in others]
            failed = next((o for o in outcomes if o.level < Level.RUNS or set(o.still) - set(trial.still)), None)
            is_kept = failed is None or (failed.level < Level.RUNS and not _is_refused(failed, value, path))
            if is_kept:
                kept.append(value)
            if failed is not None:
                told.append(_sentence(name, value, failed, is_kept))
                is_out_of_domain |= failed.level is Level.FORWARD and not failed.kind
        if len(kept) > 1:
            sweeps[name] = tuple(kept)
        elif kept:
            draft = _settled(draft, name, kept[0])
    return Finding(replace(trial, draft=draft), sweeps, tuple(told), is_out_of_domain)


def _settled(draft: Draft, name: str, value: Any) -> Draft:
    if name in draft.sizes:
        return replace(draft, sizes={**draft.sizes, name: value})
    options = {**draft.arguments.options, name: value}
    return replace(draft, arguments=replace(draft.arguments, options=options))


def _swept_sizes(draft: Draft) -> tuple[str, str]:
    """The names of the batch and of time among the sizes of the data; "" where there is none."""
    own = set(draft.arguments.sizes)
    sizes = [name for name in draft.sizes if name not in own]
    dims = {dim for shape in draft.guess.shapes.values() for dim in shape}
    usual = {name: draft.guess.customary.get(name, name).lower() for name in sizes if name in dims}
    batch = next((name for name, word in usual.items() if word in BATCH), "")
    return batch, next((name for name, word in usual.items() if word in TIME and name != batch), "")


def _is_refused(failed: Trial, value: Any, path: Path) -> bool:
    """Whether a combination is none that the code is made for: forward does not run, or backward says so itself.

    A layer in test mode may do without a backward; otherwise only a `raise` or `assert` of its own counts.
    """
    if failed.level < Level.BACKWARD:
        return True
    file, _, line = failed.place.rpartition(":")
    if failed.level is not Level.BACKWARD or not line.isdecimal():
        return False
    lines = linecache.getlines(str(path.parent / file))[int(line) - 1 : int(line)]
    return isinstance(value, str) or any(text.lstrip().startswith(("raise", "assert")) for text in lines)


def _sentence(name: str, value: Any, failed: Trial, is_kept: bool) -> str:
    place = f", {failed.place}" if failed.place else ""
    if failed.level is Level.RUNS:
        return f"{name} = {value} is left out: forward does not depend on {', '.join(failed.still)} there"
    during = {Level.FORWARD: "in forward, ", Level.BACKWARD: "in backward, "}.get(failed.level, "")
    what = f"{during if failed.kind else ''}{failed.cause}{place}"
    return f"At {name} = {value}, {what}" if is_kept else f"{name} = {value} is left out: {what}"
