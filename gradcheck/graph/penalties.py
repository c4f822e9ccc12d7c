"""Penalties: terms over the weights of a network that are added to its loss; formulas over ops, like the losses.

As in Keras' regularizers: the strength times the plain sum, no half. Weights only – biases, gammas, betas stay out.
"""

from __future__ import annotations

from collections.abc import Mapping

from gradcheck.graph.composed import Composed, at_least

WEIGHT = ("W",)  # what a network supplies, one weight after another

PENALTIES: Mapping[str, Composed] = {
    penalty.name: penalty
    for penalty in (
        Composed("l2", WEIGHT, "strength * sum(W**2)", "strength · Σ W² over all weights; no half, no biases",
                 options={"strength": at_least(0)}),
        Composed("l1", WEIGHT, "strength * sum(abs(W))", "strength · Σ |W| over all weights; no biases",
                 options={"strength": at_least(0)}),
        # Zou, Hastie 2005, "Regularization and variable selection via the elastic net"
        Composed("elastic", WEIGHT, "l1 * sum(abs(W)) + l2 * sum(W**2)",
                 "l1 · Σ |W| + l2 · Σ W² over all weights; both of the above",
                 options={"l1": at_least(0), "l2": at_least(0)}),
    )
}  # fmt: skip

# Names in other libraries → ours.
OTHER_NAMES: Mapping[str, str] = {
    "elastic_net": "elastic", "l1_l2": "elastic", "L1L2": "elastic", "ridge": "l2", "weight_decay": "l2", "lasso": "l1",
}  # fmt: skip
