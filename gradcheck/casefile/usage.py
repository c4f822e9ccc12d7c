"""Which of a case's sizes and options its texts use: a name that stands there for nothing was meant to be passed on.

Reads texts that were found good before; what is said about a name that is not used is decided by those who ask.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from gradcheck.casefile.arrays import file_of
from gradcheck.location import SourceText
from gradcheck.model.case import Body, Case, CodeBody, FunctionBody, Layer, Residual
from gradcheck.notation import Attribute, Subscript, names_in, parse_expression, parse_statements


def unused_names(case: Case, body: Body) -> tuple[str, ...]:
    """Names under `sizes`, `options` and `sweep` that no text of the case reads, in their order.

    body : the case's own, or the one with every statement written out
    """
    used: set[str] = set()
    for source in texts_of(body):
        for statement in parse_statements(source):
            used.update(names_in(statement.value))
            if isinstance(statement.target, Attribute | Subscript):  # `layer.W[:N] = W` reads layer and N
                used.update(names_in(statement.target))
    specs = [*case.inputs.values(), *case.constants.values(), case.upstream]
    specs += [] if isinstance(body, FunctionBody | CodeBody) else body.parameters.values()
    arrays = [spec for spec in specs if isinstance(spec, SourceText) and file_of(spec.text) is None]
    for source in (*arrays, *case.gradient.values(), *case.scale.values()):
        used.update(names_in(parse_expression(source)))
    return tuple(name for name in {**case.sizes, **case.options} if name not in used)


def texts_of(body: Body) -> Iterator[SourceText]:
    """Every text of a body, those of residual blocks included."""
    if isinstance(body, FunctionBody):
        yield body.text
        return
    if isinstance(body, CodeBody):
        for at in (body.gradient_at, body.parameters_at):
            yield from at.values() if isinstance(at, Mapping) else [at] if at is not None else []
        found = [body.setup, body.forward, body.backward, body.output, body.build]
    else:
        found = [*_layers(body.layers), body.loss, body.penalty]
    yield from (text for text in found if text is not None)


def _layers(layers: tuple[Layer, ...]) -> Iterator[SourceText]:
    for layer in layers:
        if isinstance(layer, Residual):
            yield from _layers(layer.layers)
        else:
            yield layer
