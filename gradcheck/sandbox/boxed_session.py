"""A session whose code runs in a box: asked like `handwritten/session/session.py`, every call a request to the child.

What comes back is arrays and bounded descriptions; a plan and its point are all that goes in.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck.handwritten.session.survey import Survey
from gradcheck.sandbox.channel import Named
from gradcheck.sandbox.descriptions import State, survey_of

if TYPE_CHECKING:
    from gradcheck.sandbox.box import Box

Arrays = dict[str, Any]


class BoxedSession:
    """The surface of `Session` that `Handwritten` uses, brought up to date by every answer.

    plan, file : what is run
    built : something other than None where the code has built the problem itself
    parameters.optional, wrapping.epsilon, code.during, code.name, code.note, code.held, code.modules.relative : as of
        a session here, and no more of them than that
    Every method raises CodeError, rebuilt from what the child says of it, or BoxError.
    """

    def __init__(self, box: Box, plan: Mapping[str, Any], file: str) -> None:
        """Load the file. Raises CodeError (during load), BoxError."""
        self.box, self.plan, self.file = box, dict(plan), file
        self.rounded: Arrays = {}
        self._own_notes: dict[str, None] = {}
        reply, _ = box.request("load", {"plan": self.plan, "file": file})
        self._number = reply.get("session") if type(reply.get("session")) is int else -1
        self.code = _Code(self)
        self._become(State.of(reply.get("state")))

    def open(self, arrays: Mapping[str, Any]) -> Arrays:
        """Build the objects once; returns the parameters found, name → array."""
        named, last = self._ask("open", arrays.items())
        self.rounded = {name: array for name, array in named[len(named) - last :] if name in arrays}
        return dict(named[: len(named) - last])

    def forward(self, point: Mapping[str, Any]) -> list[Any]:
        """The outputs at a point, as float64 arrays of the shapes that they came in."""
        named, _ = self._ask("forward", point.items())
        outputs = [array for _, array in named]
        if not outputs or any(array.dtype != np.float64 for array in outputs):
            raise self.box.refuse("it gives no outputs, or other than float64", "forward")
        return outputs

    def gradients(self, point: Mapping[str, Any], upstream: list[Any] | None = None) -> Arrays:
        """Name → gradient as the code gives it; names, shapes and values are the caller's to judge."""
        weights = [(f"upstream {i}", weight) for i, weight in enumerate(upstream or [])]
        named, _ = self._ask("gradients", [*point.items(), *weights], last=len(weights))
        return dict(named)

    def survey(self, point: Mapping[str, Any]) -> Survey:
        """What takes part in forward beside what the plan names, as far as the box says so."""
        reply, _ = self.box.request("survey", {"session": self._number}, point.items())
        self._become(State.of(reply.get("state")))
        return survey_of(reply.get("survey"))

    def cpu_seconds(self) -> float:
        """Processor time of the box: see there."""
        return self.box.cpu_seconds()

    @property
    def notes(self) -> list[str]:
        return [*self._own_notes, *self._state.notes]

    def note(self, text: str) -> None:
        """Remember something worth knowing, once."""
        self._own_notes[text] = None

    def _ask(self, ask: str, arrays: Iterable[tuple[str, Any]], last: int = 0) -> tuple[Named, int]:
        """The arrays of an answer, and how many at their end are of the second kind."""
        reply, named = self.box.request(ask, {"session": self._number, "last": last}, arrays)
        self._become(State.of(reply.get("state")))
        count = reply.get("last")
        return named, count if type(count) is int and 0 <= count <= len(named) else 0

    def _become(self, state: State) -> None:
        self._state = state
        self.output_names, self.upstream, self.wrt = state.output_names, list(state.upstream), list(state.wrt)
        if not self.plan.get("autograd"):  # then the plan says it, and nobody else is asked
            self.output_names = tuple(name for name, _ in self.plan["outputs"])
            self.upstream = [name for _, name in self.plan["upstream"]]
        self.claimed, self.precision = {*state.claimed, *self.plan["gradients"]} - state.optional, state.precision
        self.built = state if state.built else None
        self.parameters = SimpleNamespace(optional=set(state.optional))
        self.wrapping = SimpleNamespace(epsilon=0.0)  # no library is in reach that computes in a type of its own


class _Code:
    """What a caller asks of the loaded code."""

    def __init__(self, session: BoxedSession) -> None:
        self._session = session
        self.name = session.file.rpartition("/")[2]
        self.modules = SimpleNamespace(relative=lambda path: path if path in session.box.files else None)
        self.note = session.note

    @property
    def during(self) -> str:
        return self._session._state.during

    def held(self) -> AbstractContextManager[None]:
        """Nothing of the caller's is disturbed by a box, so there is nothing to put aside."""
        return nullcontext()
