"""Drafts tried for real: forward and backward are run once, as a check would run them, and what happened is told.

Right or wrong is no question here; only whether the call works, and with which arrays.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path
from typing import Any

import numpy as np

from gradcheck.casefile.arrays import build_array, names_in_shapes
from gradcheck.errors import GradcheckError, NotationError, UserCodeError
from gradcheck.handwritten.opening import open_handwritten
from gradcheck.handwritten.runner import Handwritten
from gradcheck.handwritten.scaffold.calls import OpenCallError, written_out
from gradcheck.handwritten.scaffold.draft import Draft
from gradcheck.handwritten.scaffold.vocabulary import loss_family
from gradcheck.handwritten.session import CodeError
from gradcheck.handwritten.session.interrupts import watched
from gradcheck.model.case import Case
from gradcheck.model.problem import Array

MAX_ELEMENTS = 12  # of a tensor, moved one by one

Limit = Callable[[], AbstractContextManager[None]]


class Level(IntEnum):
    """How far a draft came."""

    QUESTION = 0  # its calls could not be written
    FORWARD = 1  # forward did not run, or gave no finite numbers
    BACKWARD = 2  # backward did not run
    SHAPES = 3  # a gradient has another shape than its tensor, or is not finite
    RUNS = 4


@dataclass(frozen=True)
class Trial:
    """draft : with its statements, where they are known

    cause : what was in the way; kind : of the error, as in CodeError; place : file and line
    shapes : tensor → shape, of every tensor that was found; still : tensors that forward does not depend on
    is_deaf : the gradient of a single number does not depend on the upstream gradient
    agrees : whether a difference agrees with the gradient; only where that was asked
    flat : how many elements forward does not depend on, among the first of each tensor; only of losses
    """

    draft: Draft
    level: Level
    cause: str = ""
    kind: str = ""
    place: str = ""
    shapes: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    still: tuple[str, ...] = ()
    is_deaf: bool = False
    agrees: bool = False
    flat: int = 0

    @property
    def lacks_library(self) -> bool:
        """Whether a library that is not installed was in the way."""
        return self.cause.startswith("ModuleNotFoundError")


def attempt(
    draft: Draft, path: Path, bound: Mapping[str, Any] | None = None, limit: Limit = nullcontext, may_run: bool = True
) -> Trial:
    """Run forward and backward of a draft once.

    bound : sizes and settings in place of the draft's own; limit : makes a context that ends what takes too long
    may_run : where not, only the statements are written out
    """
    bound = bound or {}
    try:
        if not draft.lines:
            draft = written_out(draft, path)
        case = draft.case(path, bound, draft.body(path))
        sizes = names_in_shapes(case)
        arrays = {
            name: build_array(spec, name=name, seed=0, sizes=sizes, directory=path.parent)
            for name, spec in case.inputs.items()
        }
        if not may_run:
            return Trial(draft, Level.FORWARD)
        with watched(), limit():
            return _run(draft, case, arrays)
    except OpenCallError as error:
        readings = [attempt(reading, path, bound, limit, may_run) for reading in error.readings]
        # Of two readings the one that differences agree with; where neither does, the first is as wrong as the other.
        agreeing = [trial for trial in readings if trial.agrees]
        return max(
            agreeing or readings, key=lambda t: t.level, default=Trial(error.draft, Level.QUESTION, error.message)
        )
    except CodeError as error:
        level = Level.BACKWARD if error.during == "backward" else Level.FORWARD
        place = "" if error.file is None else f"{error.file}:{error.line}" if error.line else error.file
        return Trial(draft, level, error.text, error.kind, place)
    except UserCodeError as error:  # the limit
        return Trial(draft, Level.FORWARD, error.message, error.kind)
    except NotationError as error:
        return Trial(draft, Level.FORWARD, error.message)
    except GradcheckError as error:
        return Trial(draft, Level.QUESTION, f"{error.message} – {error.hint}" if error.hint else error.message)


def _run(draft: Draft, case: Case, arrays: Mapping[str, Any]) -> Trial:
    code = open_handwritten(case, arrays)
    shapes = {name: array.shape for name, array in code.point.items()}
    if not np.isfinite(code.value).all():
        bad = code.value[~np.isfinite(code.value)][0]
        return Trial(draft, Level.FORWARD, f"forward gives {bad}", shapes=shapes)
    upstream = np.random.default_rng(0).uniform(0.5, 1.5, code.value.shape)
    gradients = code.vjp(upstream)
    for name in code.wrt:
        came = np.shape(gradients.get(name, ()))
        if name not in gradients or _bare(came) != _bare(shapes[name]):
            cause = f"the gradient of '{name}' has shape {came}, expected {shapes[name]}"
            return Trial(draft, Level.SHAPES, cause, shapes=shapes)
    doubled = code.vjp(2 * upstream) if code.takes_upstream and code.value.size == 1 else {}
    is_deaf = bool(doubled) and all(np.array_equal(doubled[name], gradients[name]) for name in doubled)
    still = _still(code)
    agrees = bool(draft.note) and _agrees(code, upstream, gradients)
    flat = _flat(code) if loss_family(draft.subject.title) else 0
    return Trial(draft, Level.RUNS, shapes=shapes, still=still, is_deaf=is_deaf, agrees=agrees, flat=flat)


def _agrees(code: Handwritten, upstream: Array, gradients: Mapping[str, Any]) -> bool:
    """Whether the gradient along a random direction is about that of a central difference: within 1 in 10,000."""
    random, step = np.random.default_rng(2), 1e-5
    for name in code.wrt:
        along = random.standard_normal(code.point[name].shape)
        ahead, behind = (code.outputs({**code.point, name: code.point[name] + h * along}) for h in (step, -step))
        numeric = float(upstream @ (ahead - behind)) / (2 * step)
        claimed = float(np.sum(np.asarray(gradients[name]).reshape(along.shape) * along))
        if not abs(claimed - numeric) <= 1e-4 * max(abs(claimed), abs(numeric)):
            return False
    return True


def _flat(code: Handwritten) -> int:
    """How many of the first elements of each tensor leave the output as it is: clipped, where a loss has no value."""
    count = 0
    for name in code.wrt:
        for index in range(min(MAX_ELEMENTS, code.point[name].size)):
            moved = np.array(code.point[name])
            moved.flat[index] += 1e-3
            count += np.array_equal(code.outputs({**code.point, name: moved}), code.value)
    return count


def _bare(shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(n for n in shape if n != 1)


def _still(code: Handwritten) -> tuple[str, ...]:
    """Tensors that forward does not depend on: whatever is claimed of their gradients proves nothing there."""
    random = np.random.default_rng(1)
    found = []
    for name in code.wrt:
        moved = {**code.point, name: code.point[name] + 0.1 * random.standard_normal(code.point[name].shape)}
        change = np.abs(code.outputs(moved) - code.value)
        if not (change > 1e-9 * (1 + np.abs(code.value))).any():
            found.append(name)
    return tuple(found)
