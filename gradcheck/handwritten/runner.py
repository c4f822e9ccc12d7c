"""Handwritten code at a point: the function and the gradients that the engines and the verdict see.

How a case is opened is `opening`'s, how statements run `session`'s; nothing is judged here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradcheck.errors import FieldError, did_you_mean
from gradcheck.handwritten.doubled import in_double, widened
from gradcheck.handwritten.session import CodeError, Session
from gradcheck.handwritten.session.statements import assigned
from gradcheck.handwritten.unclaimed import unclaimed_notes
from gradcheck.model.case import Body, Case
from gradcheck.model.problem import Array, Point


class Handwritten:
    """Handwritten code at a point.

    point : inputs and parameters by name; treat as read-only
    wrt : tensors whose gradient is in question, in report order
    value : what forward gives at the point, shape (m,)
    output_names, output_shapes : the differentiated outputs, in the order in which they are joined
    takes_upstream : whether backward is given an upstream gradient; if not, all outputs have the weight one
    statements : the calls that a shorthand stood for, ready to paste
    epsilon : machine epsilon of the coarsest float type that `outputs` computes with
    claim_epsilon : of the float type that the gradients are computed in
    """

    def __init__(
        self,
        case: Case,
        session: Session,
        arrays: Mapping[str, NDArray[Any]],
        statements: tuple[str, ...],
        doubled: Callable[[], Session] | None = None,
    ) -> None:
        """doubled : loads the same code in float64, where the session is of a coarser type"""
        self._case, self._session, self.statements = case, session, statements
        given = {name: np.array(arrays[name]) for name in case.inputs}
        parameters = session.open(given)
        self._refuse_homeless_inputs(parameters)
        given.update(session.rounded)
        twin = None if doubled is None else in_double(doubled, session, given, parameters)
        self._evidence = twin or session
        self.point: dict[str, NDArray[Any]] = {**parameters, **given}
        order = (*given, *(name for name in parameters if name not in given))
        self.point = {name: self.point[name] for name in order}
        if twin is not None:
            self.point = {name: widened(array) for name, array in self.point.items()}
        outputs = self._evaluated(self.point)
        self.output_names = session.output_names or ("loss",)
        self.output_shapes = tuple(output.shape for output in outputs)
        self.value: Array = _joined(outputs)
        self.wrt = self._choose()
        self.takes_upstream = bool(session.upstream)
        kinds = [self.point[name].dtype for name in self.wrt]
        self.epsilon = max([float(np.finfo(kind).eps) for kind in kinds] + [self._evidence.precision])
        self.claim_epsilon = max(self.epsilon, session.wrapping.epsilon)

    @property
    def body(self) -> Body:
        """The statements, those included that a shorthand stood for."""
        return self._case.body

    def outputs(self, point: Point) -> Array:
        """All differentiated outputs at a point, joined in order: float64, shape (m,).

        Raises CodeError (during forward); its text says whether that was at x or at x + h.
        """
        outputs = self._evaluated(point)
        if tuple(output.shape for output in outputs) != self.output_shapes:
            shapes = ", ".join(str(output.shape) for output in outputs)
            expected = ", ".join(str(shape) for shape in self.output_shapes)
            text = f"forward gives shape {shapes} at {self._where(point)}, and {expected} at x"
            raise CodeError("invalid", "forward", text)
        return _joined(outputs)

    def stacked(self, points: Mapping[str, NDArray[Any]]) -> list[Array]:
        """Every output as forward gives it where all arrays of the point have one more axis in front.

        Raises CodeError (during forward).
        """
        return self._evidence.forward(points)

    def vjp(self, upstream: Array | None = None, point: Point | None = None) -> dict[str, NDArray[Any]]:
        """The gradients that the code claims, as it gives them: wrong shapes, NaN and other dtypes are kept.

        upstream : float64, shape (m,); None weighs every output with one. Ignored where backward takes none
        point : None for the case's own
        Raises CodeError (missing where some gradient is None, unfinished where all are, or what the code raises).
        """
        weights = np.ones(self.value.shape) if upstream is None else np.asarray(upstream, dtype=np.float64)
        parts = []
        if self.takes_upstream:
            ends = np.cumsum([int(np.prod(shape)) for shape in self.output_shapes])
            pieces = np.split(weights.reshape(-1), ends[:-1])
            parts = [piece.reshape(shape) for piece, shape in zip(pieces, self.output_shapes, strict=True)]
        found = self._session.gradients(self.point if point is None else point, parts)
        return {name: found[name] for name in self.wrt if name in found}

    @property
    def during(self) -> str:
        """What is run just now, or was run last: load, forward or backward."""
        return self._session.code.during

    def relative(self, path: str) -> str | None:
        """The name of one of the user's files, as they know it; None for any other."""
        return self._session.code.modules.relative(path)

    def notes(self) -> tuple[str, ...]:
        """What is worth knowing and no mistake of the gradient, as seen so far."""
        summed = []
        if not self.takes_upstream and self.value.size > 1:
            what = f"'{self.output_names[0]}' has {self.value.size} elements and backward takes no upstream gradient"
            summed = [f"{what}: the gradient of their sum is checked"]
        if self._evidence is not self._session:
            summed.append("gradients as asked for, differences of the same code in float64")
        return (*summed, *self._session.notes, *self._unclaimed)

    @cached_property
    def _unclaimed(self) -> tuple[str, ...]:
        """What is not checked. Of a variant nothing is said: its case has said it."""
        if self._session.built is not None or self._case.variant is not None:
            return ()
        is_loss = self.value.size == 1 or not self.takes_upstream
        return tuple(
            unclaimed_notes(
                self._case, self._evidence, self.point, self.wrt, is_loss=is_loss, depends_on=self._depends_on
            )
        )

    @contextmanager
    def held(self) -> Iterator[None]:
        """For many evaluations in a row: the caller's random generators are put aside once instead of every time."""
        with self._session.code.held(), self._evidence.code.held():
            yield

    def unnoticed(self) -> AbstractContextManager[None]:
        """For a run of changed code: its notes are dropped, and what it leaves behind in modules is put back."""
        return self._session.unnoticed()

    def _evaluated(self, point: Point) -> list[Any]:
        try:
            return self._evidence.forward(point)
        except CodeError as error:
            if error.during == "forward":
                error.text += f" (forward at {self._where(point)})"
            raise

    def _where(self, point: Point) -> str:
        return "x" if all(np.array_equal(point[name], value) for name, value in self.point.items()) else "x + h"

    def _refuse_homeless_inputs(self, parameters: Mapping[str, Any]) -> None:
        for name in self._session.plan["unread"]:
            if name not in parameters and self._session.plan["build"] is None:
                message = f"no statement uses the input '{name}', and no object has a parameter of that name"
                raise FieldError(message, "pass it on, or leave it out", ("inputs", name))

    def _choose(self) -> tuple[str, ...]:
        """The tensors in question: those of the case, or every float one that the code gives a gradient of."""
        session, case = self._session, self._case
        claimed, optional = session.claimed, session.parameters.optional
        if case.wrt is not None:
            optional |= claimed - set(case.wrt)  # what nobody asks for may be missing
        if optional or session.wrt:
            weights = [np.ones(shape) for shape in self.output_shapes] if session.upstream else []
            found = set(session.gradients(self.point, weights))
            self._explain([name for name in session.wrt if name not in found and name in (case.wrt or session.wrt)])
            claimed = (claimed - set(session.wrt)) | found
        for name in case.wrt or ():
            self._refuse_unknown(name, claimed)
        wrt = case.wrt if case.wrt is not None else tuple(name for name in self.point if name in claimed)
        wrt = tuple(name for name in wrt if case.wrt is not None or self.point[name].dtype.kind == "f")
        if not wrt:
            raise self._no_gradient()
        return wrt

    def _explain(self, lacking: list[str]) -> None:
        """Tensors that no gradient arrived at: right where forward does not depend on them, and then a note.

        Raises CodeError (missing) for the others.
        """
        needed = [name for name in lacking if self._depends_on(name)]
        if needed:
            text = f"backward gives no gradient of {', '.join(map(repr, needed))}, which forward depends on"
            made = [name for line in self._session.plan["setup"] for name in assigned(line["target"])]
            hint = f"say where it is: gradient_at: {{{needed[0]}: {made[0]}.{needed[0]}.grad}}" if made else ""
            raise CodeError("missing", "backward", text, self._session.code.name, None, hint)
        for name in lacking:
            self._session.code.note(f"'{name}' has no gradient, and forward does not depend on it")

    def _depends_on(self, name: str) -> bool:
        """Whether forward gives anything else when a tensor is moved, a little or far."""
        here = self.point[name]
        signs = np.random.default_rng(0).choice([-1.0, 1.0], here.shape)
        for distance in (1e-2, 1.0):
            moved = here + signs * distance * np.maximum(np.abs(here), 1.0)
            with np.errstate(all="ignore"):
                outputs = self.outputs({**self.point, name: moved.astype(here.dtype)})
            if not np.array_equal(outputs, self.value, equal_nan=True):
                return True
        return False

    def _refuse_unknown(self, name: str, claimed: set[str]) -> None:
        message, hint = "", ""
        if name not in self.point:
            message, hint = f"unknown tensor '{name}'", did_you_mean(name, self.point, "name an input or a parameter")
        elif self.point[name].dtype.kind != "f":
            message, hint = f"'{name}' holds integers and has no gradient", "take it out of 'wrt'"
        elif name not in claimed:
            message, hint = f"the code gives no gradient of '{name}'", f"let backward assign to 'd{name}'"
        if message:
            raise FieldError(message, hint, ("wrt",))

    def _no_gradient(self) -> FieldError:
        key = "backward" if self._case.where.get(("backward",)) else "forward"
        floats = [name for name, value in self.point.items() if value.dtype.kind == "f"]
        hint = f"let it assign to 'd{floats[0]}'" if floats else "write an input with decimals, or draw it: normal(3)"
        return FieldError("the statements give no gradient of any float tensor", hint, (key,))


def _joined(outputs: list[Any]) -> Array:
    """One vector of all outputs; a copy, since `ravel` of one array may be the array itself."""
    joined: Array = outputs[0].reshape(-1) if len(outputs) == 1 else np.concatenate([o.reshape(-1) for o in outputs])
    return joined
