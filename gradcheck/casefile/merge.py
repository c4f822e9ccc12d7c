"""A file's mapping → its cases' mappings, with `defaults` merged in; `fields` reads them one by one.

Works on the tree, so that a merged value keeps the place where it was written.
"""

from __future__ import annotations

from gradcheck.casefile.nodes import Fields, Node, Scalar


def merged(defaults: Fields, case: Fields) -> Fields:
    """The case with everything from `defaults` that it does not say itself.

    One level deep: of `inputs` in both, the entries are merged, and the case's win. `null` in the case removes what the
    defaults say.
    """
    return Fields(case.page, case.span, _pairs(defaults, case, deeper=True), case.flow)


def _pairs(defaults: Fields, case: Fields, deeper: bool) -> tuple[tuple[Scalar, Node], ...]:
    pairs: list[tuple[Scalar, Node]] = []
    for key, value in case.pairs:
        default = defaults.get(key.text)
        if default is not None and _is_null(value):
            continue
        if deeper and isinstance(default, Fields) and isinstance(value, Fields):
            value = Fields(value.page, value.span, _pairs(default, value, deeper=False), value.flow)
        pairs.append((key, value))
    said = {key.text for key, _ in case.pairs}
    return (*((key, value) for key, value in defaults.pairs if key.text not in said), *pairs)


def _is_null(node: Node) -> bool:
    return isinstance(node, Scalar) and node.value is None
