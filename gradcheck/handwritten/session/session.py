"""A plan on loaded code: parameters, forward and backward on arrays, every evaluation from fresh copies.

The stages of an evaluation are `evaluation.py`'s, what the code is given in place of arrays is `wrapping.py`'s; here is
the order of it all, and what is noticed on the way.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from typing import Any

from .built import Built
from .code import Code
from .errors import LackError, suggestion
from .evaluation import Evaluation, Plan
from .expressions import BUILTINS, Names, compile_expression
from .gradients import Gradients
from .interrupts import is_from_outside
from .survey import Survey, survey
from .values import Arrays, changed, numbers_of


class Session:
    """A plan on loaded code.

    plan : inputs, options, sizes, seed; setup, forward, backward: statements; outputs: [[name, expression]];
        upstream: [[output, name of its upstream gradient]]; gradients: name → expression; gradient_at, parameters_at:
        containers; parameters: name → expressions that may hold it; before: expressions kept from before backward;
        free: names the code must have; build: an expression that gives (loss, {name: (array, gradient)});
        arrays: what the inputs are wrapped in; autograd: "run" where its own backward is run and read for every float
        input and parameter, "read" where the statements run it, "" where gradients have places in the plan;
        tracked: whether inputs record what is done with them; made: names of setup with parameters inside
    wrt : names whose gradient is looked for in the wrapped objects themselves; known once it was opened
    rounded : inputs that the code holds in a coarser float type than they were given in, as it holds them
    precision : machine epsilon of a float type that is coarser than float64, as seen in the outputs; else 0
    Raises CodeError (missing, during load) where the code lacks a name that the plan needs.
    """

    def __init__(self, code: Code, plan: Plan) -> None:
        self.code, self.plan = code, plan
        module = code.names
        for name in plan["free"]:
            if name not in module and name not in BUILTINS:
                code.during = "load"
                raise code.error("missing", f"{code.name} has no '{name}'", suggestion(name, module))
        self.upstream = [name for _, name in plan["upstream"]]
        self.built: Built | None = None
        self.wrt: list[str] = []
        self.rounded: Arrays = {}
        with code.running("load"):
            self.wrapping = code.wrapping
            if isinstance(plan["arrays"], dict):
                from .engine import own_tensors  # most code computes with numpy arrays

                self.wrapping = own_tensors(code.modules, module, plan["arrays"])
            self._evaluation = Evaluation(code, plan, self.wrapping)
        self.parameters = self._evaluation.parameters
        self._before = [compile_expression(node, module) for node in plan["before"]]
        self._gradients = Gradients(plan, module, self.parameters)
        self._is_light = False  # forwards go without what only backward needs
        self._seen: set[str] = set()

    @property
    def notes(self) -> list[str]:
        return [*self.code.notes, *self.wrapping.notes]

    @property
    def precision(self) -> float:
        return self._evaluation.precision

    @property
    def output_names(self) -> tuple[str, ...]:
        return tuple(name for name, _ in self._evaluation.outputs)

    @property
    def claimed(self) -> set[str]:
        """Names of which the code is expected to give a gradient."""
        if self.built is not None:
            return set(self.built.claimed)
        return {*self._gradients.named, *self.parameters.places} - self.parameters.optional

    def open(self, arrays: Mapping[str, Any]) -> Arrays:
        """Build the objects once; returns copies of the parameters found, name → array.

        A layer that makes its parameters in its first forward is run once to have them.
        Raises CodeError (during load, or forward) where the code fails or a parameter is nowhere.
        """
        with self.code.running("load"):
            if self.plan["build"] is not None:
                return self._build()
            found = self._evaluation.open(arrays)
            self._look_at_inputs(arrays)
            return found

    def forward(self, point: Mapping[str, Any]) -> list[Any]:
        """The outputs at a point, as float64 arrays of their own shapes; the point stays as it is.

        Raises CodeError (during forward).
        """
        with self.code.running("forward"):
            if self.built is not None:
                self.code.seed(self.plan["seed"])
                outputs = [self.built.forward(point)]
            else:
                outputs = self._evaluate(point, self._is_light)
            if "forward" not in self._seen:
                self._seen.add("forward")
                self._is_light = self._can_be_light(point, outputs)
                self._evaluation.notice_globals()
        return outputs

    def survey(self, point: Mapping[str, Any]) -> Survey:
        """What takes part in forward beside what the plan names. Raises CodeError (during forward)."""
        with self.code.running("forward"):
            return survey(self._evaluation, dict(point))

    def gradients(self, point: Mapping[str, Any], upstream: list[Any] | None = None) -> Arrays:
        """Name → gradient as the code gives it, copied; shapes and values are the caller's to judge.

        upstream : one array per output that has an upstream gradient
        Raises CodeError (during forward or backward); kind missing where some gradients are None or not there,
        unfinished where all are. Of those in `wrt` some may be lacking in the answer. With tensors, to be called after
        `forward`, which finds out what of the values returned is an output.
        """
        with self.code.running("backward"):
            if self.built is not None:
                return self.built.gradients()
            if self.plan["autograd"] == "run":
                found = self._differentiate(point, upstream or [])
            else:
                found = self._call_backward(point, upstream or [])
            self._evaluation.notice_globals()
        return found

    @contextmanager
    def unnoticed(self) -> Iterator[None]:
        """For a run of changed code: it leaves no notes, and what it has changed in modules is put back."""
        notes, of_wrapping = dict(self.code.notes), dict(self.wrapping.notes)
        try:
            yield
        finally:
            self.code.notes, self.wrapping.notes = notes, of_wrapping
            self._evaluation.notice_globals()

    # -- forward --

    def _evaluate(self, point: Mapping[str, Any], is_light: bool) -> list[Any]:
        evaluation = self._evaluation
        with self.wrapping.light() if is_light else nullcontext():
            names = evaluation.begin(point)
            evaluation.go_forward(names)
            if self.plan["autograd"] == "run" and "forward" not in self._seen:
                self._choose_outputs(names)
            return evaluation.read_outputs(names)

    def _choose_outputs(self, names: Names) -> None:
        """Of what forward returns, only what the library can differentiate is an output; the rest is dropped."""
        values = [(name, read, read(names)) for name, read in self._evaluation.outputs]
        chosen = [(name, read) for name, read, value in values if self.wrapping.is_output(value)]
        if not chosen:
            name, _, value = values[0]
            text = f"forward gives one {type(value).__name__} as '{name}', which has no gradient"
            raise LackError(text, "return what was computed from the inputs, as it is", kind="invalid")
        self._evaluation.outputs = chosen
        self.upstream = [f"d{name}" for name, _ in chosen]

    def _can_be_light(self, point: Mapping[str, Any], outputs: list[Any]) -> bool:
        """Whether forward gives the same where nothing is recorded for a backward."""
        if not (self.wrapping.has_light_forward and self.plan["tracked"]):
            return False
        try:
            light = self._evaluate(point, is_light=True)
        except BaseException as error:  # it differentiates on its way, say
            if is_from_outside(error):
                raise
            return False
        return not any(changed(a, b) for a, b in zip(light, outputs, strict=True))

    # -- backward --

    def _differentiate(self, point: Mapping[str, Any], upstream: list[Any]) -> Arrays:
        """Gradients by the library's own backward, or by the engine's."""
        evaluation = self._evaluation
        names: Names = {}

        def run(values: Mapping[str, Any]) -> tuple[list[Any], dict[str, Any]]:
            nonlocal names
            others = {name: value for name, value in evaluation.wrapped(point).items() if name not in values}
            given = {**others, **values}
            names = evaluation.begin(point, {**point, **given})
            evaluation.go_forward(names)
            self._note_overwritten("forward", given, names, point)
            self.code.during = "backward"
            holders = {name: place.get(names) for name, place in self.parameters.places.items()}
            return [read(names) for _, read in evaluation.outputs], holders

        found = self.wrapping.gradients(run, {name: point[name] for name in self.wrt}, upstream)
        if not self.wrapping.takes_upstream:
            self.upstream = []
        found.update(self._gradients.read_named(names))
        return _present(found)

    def _call_backward(self, point: Mapping[str, Any], upstream: list[Any]) -> Arrays:
        """Gradients by the statements of backward."""
        evaluation = self._evaluation
        names = evaluation.begin(point)
        given = {name: names[name] for name in self.plan["inputs"]}
        evaluation.go_forward(names)
        for name in self._note_overwritten("forward", given, names, point):
            given[name] = names[name] = self.wrapping.wrap(point[name], self.plan["tracked"])
        after_forward = dict(names)
        found = self._go_back(names, upstream, given)
        if "backward" not in self._seen:
            self._seen.add("backward")
            for name, value in given.items():
                if names[name] is value and self.wrapping.is_changed(value, point[name]):
                    self.code.note(f"backward overwrites the input '{name}'")
            # An update moves the parameters, and a library forgets its graph: then a second one differs by right.
            if not self._before and not self.plan["tracked"]:
                # From the names as forward left them: `dscores = 2 * dscores` in a statement is not the code's doing.
                self._note_second_backward(after_forward, upstream, found)
        return found

    def _go_back(self, names: Names, upstream: list[Any], given: Names) -> Arrays:
        """Run backward and collect the gradients."""
        self.code.during = "backward"
        names["before()"] = [copy.deepcopy(read(names)) for read in self._before]
        outputs = [read(names) for _, read in self._evaluation.outputs]
        arrays = dict(zip(self.upstream, upstream, strict=True))
        passed = {
            name: self.wrapping.upstream(array, output)
            for (name, array), output in zip(arrays.items(), outputs, strict=False)
        }
        names.update(passed)
        self._evaluation.go_back(names)
        for name, array in arrays.items():
            if self.wrapping.is_changed(passed[name], array):
                self.code.note(f"backward overwrites {name}")
        holders = {}
        if self.plan["autograd"] == "read":
            places = self.parameters.places
            holders = {name: given[name] if name in given else places[name].get(names) for name in self.wrt}
        return self._gradients.collect(names, holders)

    # -- what is noticed on the way --

    def _look_at_inputs(self, arrays: Mapping[str, Any]) -> None:
        """Which inputs have a gradient of their own, and which of them the code holds more coarsely than they came."""
        if self.plan["arrays"] is None:
            return
        floats = [name for name in self.plan["inputs"] if arrays[name].dtype.kind == "f"]
        if self.plan["autograd"]:
            places = [name for name in self.parameters.places if name not in floats]
            self.wrt = [name for name in (*floats, *places) if name not in self._gradients.named]
        for name in floats:
            held = self.wrapping.array(self.wrapping.wrap(arrays[name], has_gradient=False))
            kind = getattr(held, "dtype", arrays[name].dtype)
            if kind.kind == "f" and kind.itemsize < arrays[name].dtype.itemsize and held.shape == arrays[name].shape:
                self.rounded[name] = held.copy()

    def _note_overwritten(self, during: str, given: Names, names: Names, point: Mapping[str, Any]) -> list[str]:
        """Inputs that the code has overwritten, which is no mistake of a gradient."""
        found = []
        for name in self.plan["inputs"]:
            if names[name] is given[name] and self.wrapping.is_changed(given[name], point[name]):
                self.code.note(f"{during} overwrites its input '{name}'")
                found.append(name)
        return found

    def _note_second_backward(self, names: Names, upstream: list[Any], first: Arrays) -> None:
        try:
            second = self._go_back(names, upstream, {})
        except BaseException as error:  # it worked once, and nobody asked for more
            if is_from_outside(error):
                raise
            self.code.note(f"a second backward raises {type(error).__name__}")
            return
        different = [name for name in first if name not in second or changed(first[name], second[name])]
        if different:
            self.code.note(f"a second backward gives another gradient of {', '.join(map(repr, different))}")

    def _build(self) -> Arrays:
        self.code.seed(self.plan["seed"])
        self.built = Built(compile_expression(self.plan["build"], self.code.names)(self._evaluation.constants))
        return {name: array.copy() for name, array in self.built.arrays.items()}


def _present(found: Arrays) -> Arrays:
    """The gradients that are there. Raises LackError where none is."""
    present = {name: numbers_of(f"d{name}", value) for name, value in found.items() if value is not None}
    if not present:
        raise LackError(f"backward gives no gradient of {', '.join(map(repr, found))}")
    return present
