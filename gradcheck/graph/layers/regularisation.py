"""Dropout: a mask that the case's seed fixes, so that the function is the same in every evaluation."""

from __future__ import annotations

from gradcheck.graph.layers.kinds import FRACTION, TRUTH, Argument, Array, LayerKind, Settings


def dropout(settings: Settings, x: Array) -> str:
    """Kept elements grow by 1 / (1 − p), so that the mean stays (Srivastava et al. 2014, section 10; as torch does)."""
    return "x * ((uniform >= p) / (1 - p))" if settings["training"] else "x"


KINDS = (
    LayerKind(
        "dropout", dropout, "0 with probability p, else x / (1 − p); the seed fixes the mask; training=False: x itself",
        ("dropout(0.5)", "normal(4, 3)"), (Argument("p", FRACTION, 0.5), Argument("training", TRUTH, True)), draws=True,
    ),
)  # fmt: skip
