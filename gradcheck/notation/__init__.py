"""The one small language of case files: Python call and arithmetic syntax, read into a tree with spans.

Reading only: nothing is evaluated here. What the names mean is said by whoever asked for the tree: expressions, layers,
arrays, calls of handwritten code.
"""

from gradcheck.notation.nodes import (
    Attribute,
    Binary,
    Call,
    Constant,
    Mapping,
    Name,
    Node,
    Number,
    Sequence,
    Slice,
    Statement,
    Subscript,
    Text,
    Unary,
    names_in,
    walk,
)
from gradcheck.notation.parser import parse_expression, parse_statements

__all__ = [
    "Attribute", "Binary", "Call", "Constant", "Mapping", "Name", "Node", "Number", "Sequence", "Slice", "Statement",
    "Subscript", "Text", "Unary", "names_in", "parse_expression", "parse_statements", "walk",
]  # fmt: skip
