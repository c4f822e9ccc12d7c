"""One evaluation of a plan, stage by stage: everything fresh, setup or a copy of what it made, forward, the outputs.

In which order the stages are asked for, and what is noticed on the way, is `session.py`'s.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import numpy as np

from .code import Code
from .errors import LackError, is_unfinished
from .expressions import Evaluate, Names, compile_expression
from .globals import Globals
from .interrupts import is_from_outside
from .parameters import Parameters
from .statements import assigned, compile_statement
from .values import Arrays, numbers_of
from .wrapping import Wrapping

Plan = dict[str, Any]


class Evaluation:
    """What every evaluation of a plan begins with and goes through.

    outputs : (name, reader) of those that are differentiated
    precision : machine epsilon of a float type that is coarser than float64, as seen in the outputs; else 0
    is_lazy : the parameters are made by the first forward
    is_rerun : the setup is run for every evaluation, where a copy of what it made would not do
    is_dirty : evaluations change what the modules keep at top level
    """

    def __init__(self, code: Code, plan: Plan, wrapping: Wrapping) -> None:
        self.code, self.plan, self.wrapping = code, plan, wrapping
        module = code.names
        self.parameters = Parameters(plan, module, wrapping)
        self.outputs = [(name, compile_expression(node, module)) for name, node in plan["outputs"]]
        self.precision = 0.0
        self.is_lazy = self.is_dirty = False
        self.is_rerun = bool(plan["setup_reads"])
        self._constants = {**plan["options"], **plan["sizes"], "seed": plan["seed"]}
        self._mutable = [name for name, value in plan["options"].items() if isinstance(value, dict | list)]
        self._setup, self._forward, self._backward = (
            [compile_statement(line, module) for line in plan[phase]] for phase in ("setup", "forward", "backward")
        )
        self._objects: dict[str, Any] = {}  # what the setup made, copied for every evaluation
        self._declared = 0.0  # machine epsilon of the coarsest float type that the code is given
        self._globals = Globals(code.modules.each())

    @property
    def constants(self) -> Names:
        """Options, sizes and the seed: fresh, where the code could change them."""
        names = dict(self._constants)
        for name in self._mutable:
            names[name] = copy.deepcopy(names[name])
        return names

    def open(self, arrays: Mapping[str, Any]) -> Arrays:
        """Build the objects once; returns copies of the parameters found, name → array."""
        kinds = [np.asarray(array).dtype for array in arrays.values()]
        self._declared = max(
            [self.wrapping.epsilon, *(float(np.finfo(kind).eps) for kind in kinds if kind.kind == "f")]
        )
        names = {**self.wrapped(arrays), **self.constants}
        self._run_setup(names, arrays)
        try:
            found, are_lacking = self.parameters.find(names), False
        except LackError:
            found, are_lacking = {}, True
        if are_lacking or (not found and self.parameters.are_expected) or self._adds_parameters(arrays, found):
            self.is_lazy = True
            self._warm_up(names, arrays)
            found = self.parameters.find(names)
        made = [name for line in self.plan["setup"] for name in assigned(line["target"])]
        self._objects = {name: names[name] for name in made if name in names}
        self.is_dirty = self.parameters.are_global
        self.notice_globals()
        self.is_rerun = self.is_rerun or self.is_dirty or not _can_copy(self._objects)
        return found

    def wrapped(self, arrays: Mapping[str, Any]) -> Names:
        """Fresh objects for all inputs."""
        is_tracked = self.plan["tracked"]
        names = {
            name: self.wrapping.wrap(arrays[name], is_tracked and arrays[name].dtype.kind == "f")
            for name in self.plan["inputs"]
        }
        if self.plan["autograd"] == "run":
            names = {name: self.wrapping.handed(value) for name, value in names.items()}
        return names

    def begin(self, point: Mapping[str, Any], values: Mapping[str, Any] | None = None) -> Names:
        """Everything fresh, up to the point where forward may run.

        values : inputs and parameters that are wrapped already
        """
        if self.is_dirty:
            self._globals.restore()
        if values is None:
            names, values = self.wrapped(point), point
        else:
            names = {name: values[name] for name in self.plan["inputs"]}
        names.update(self.constants)
        if self.is_rerun:
            self._run_setup(names, point)
        elif self._objects:
            names.update(copy.deepcopy(self._objects))
        self.parameters.put(names, values)
        self.code.seed(self.plan["seed"])
        return names

    def go_forward(self, names: Names) -> None:
        self._run(self._forward, names, "forward")

    def go_back(self, names: Names) -> None:
        self._run(self._backward, names, "backward")

    def read_outputs(self, names: Names) -> list[Any]:
        """The outputs as float64 arrays of their own shapes."""
        outputs = []
        for name, read in self.outputs:
            value = read(names)
            if is_unfinished(value):
                raise LackError(f"forward gives {value} as '{name}'", kind="unfinished")
            held = self.wrapping.array(value)
            if isinstance(held, tuple) and len(held) > 1 and not all(isinstance(v, int | float) for v in held):
                hint = "give each value a name: out, cache = …"
                raise LackError(f"forward gives {len(held)} values as '{name}'", hint, kind="invalid")
            array = numbers_of(name, held)
            if array.dtype.kind == "c":
                raise LackError(f"forward gives complex numbers as '{name}'", kind="invalid")
            kind, epsilon = self.wrapping.precision(value, array)
            if epsilon > np.finfo(np.float64).eps and epsilon > self.precision:
                self.precision = epsilon
                if epsilon > self._declared:
                    self.code.note(f"{kind} inside: '{name}' comes back as {kind}")
            outputs.append(array.astype(np.float64, copy=False))
        return outputs

    def notice_globals(self) -> None:
        """Look whether the modules still hold at top level what they held in the beginning."""
        if not self.is_dirty and self._globals.changed():
            self.is_dirty = self.is_rerun = True

    def _run_setup(self, names: Names, point: Mapping[str, Any]) -> None:
        # Another seed than forward's: weights and a dropout mask should not come from the same numbers.
        self.code.seed(self.plan["seed"] + 1)
        self._run(self._setup, names, "load")
        if self.is_lazy:
            self._warm_up(names, point)

    def _warm_up(self, names: Names, point: Mapping[str, Any]) -> None:
        """The first forward of a layer that makes its parameters then, on inputs that it may overwrite."""
        self.code.seed(self.plan["seed"])
        warm = {**names, **self.wrapped(point)}
        self._run(self._forward, warm, "forward")
        names.update({name: value for name, value in warm.items() if name not in self.plan["inputs"]})
        self.code.during = "load"

    def _adds_parameters(self, arrays: Mapping[str, Any], found: Arrays) -> bool:
        """Whether a first forward puts parameters into a container that holds some from the start."""
        if not self.plan["parameters_at"]:
            return False
        names = {**self.wrapped(arrays), **self.constants}
        try:
            self._run_setup(names, arrays)
            self._warm_up(names, arrays)
            return not Parameters(self.plan, self.code.names, self.wrapping).find(names).keys() <= found.keys()
        except BaseException as error:
            if is_from_outside(error):
                raise
            return False  # what is wrong will be told when forward is evaluated
        finally:
            self.code.during = "load"

    def _run(self, statements: list[Evaluate], names: Names, during: str) -> None:
        self.code.during = during
        for run in statements:
            run(names)


def _can_copy(objects: dict[str, Any]) -> bool:
    try:
        copy.deepcopy(objects)
    except Exception:  # a generator, a lock, an open file: the setup is run again for every evaluation instead
        return False
    return True
