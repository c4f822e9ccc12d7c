"""Handwritten layers inside networks: `code("layers.py:LeakyReLU", alpha=0.1)` becomes an op of its own.

How the layer's class or functions are called is `handwritten`'s business; where it stands in the network, `graph`'s.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from gradcheck.casefile.arrays import evaluate_number
from gradcheck.casefile.paths import PathError, find_file
from gradcheck.checking.building.drawing import numbers_of
from gradcheck.errors import FieldError, NotationError
from gradcheck.location import SourceText, Span
from gradcheck.model.case import Case
from gradcheck.notation import Call, Constant, Node, Text
from gradcheck.ops.registry import Op

if TYPE_CHECKING:
    from gradcheck.handwritten.layers import CustomLayer

HINT = 'write code("layers.py:LeakyReLU", alpha=0.1)'


class LayerReader:
    """Reads the `code(…)` layers of one network.

    Afterwards `notes` says what was noticed about them, and `held` is a context for many evaluations in a row.
    """

    def __init__(self, case: Case) -> None:
        self.case = case
        self.layers: list[CustomLayer] = []

    def __call__(self, call: Call, source: SourceText) -> Op:
        """The op of one layer. Raises NotationError at the word that is wrong, UserCodeError where the code breaks."""
        from gradcheck.checking.building.translate import translated, translating  # most networks have no such layer
        from gradcheck.handwritten.layers import custom_layer

        if len(call.arguments) != 1 or not isinstance(call.arguments[0], Text):
            raise NotationError("expected the file and the name of a layer", HINT, source, call.span)
        written = call.arguments[0]
        file, colon, entry = written.value.partition(":")
        if not colon or not entry.isidentifier():
            raise NotationError(f"expected 'file.py:name', got '{written.value}'", HINT, source, written.span)
        options = {name: self._option(value, source) for name, value in call.keywords}
        try:
            path = find_file(self.case.directory, file)
            with translated():
                layer = custom_layer(path, entry, options, self.case.seed)
        except PathError as error:
            raise NotationError(error.message, error.hint, source, written.span) from None
        except FieldError as error:
            raise NotationError(error.message, error.hint, source, _span_of(entry, written, source)) from None
        self.layers.append(layer)
        # An op that the engines call like any other; being of kind `unknown` it promises nothing about its structure.
        vjp: Callable[..., Any] = translating(layer.vjp)
        formula = f"handwritten: {written.value}"
        return Op(written.value, translating(layer.forward), "unknown", (vjp,), formula=formula)

    def notes(self) -> tuple[str, ...]:
        return tuple(note for layer in self.layers for note in layer.notes())

    @contextmanager
    def held(self) -> Iterator[None]:
        with ExitStack() as stack:
            for layer in self.layers:
                stack.enter_context(layer.held())
            yield

    def _option(self, value: Node, source: SourceText) -> Any:
        if isinstance(value, Constant | Text):
            return value.value
        return evaluate_number(value, numbers_of(self.case), source)


def _span_of(entry: str, written: Text, source: SourceText) -> Span:
    """Where the name of the layer stands; the whole text where it is spelt in escapes."""
    start = source.text.rfind(entry, written.span.start, written.span.end)
    return Span(start, start + len(entry)) if start >= 0 else written.span
