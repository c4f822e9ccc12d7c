"""The operations: importing this package fills the table in `registry`."""

from gradcheck.ops import contraction, elementwise, layout, normalising, piecewise, reductions

__all__ = ["contraction", "elementwise", "layout", "normalising", "piecewise", "reductions"]
