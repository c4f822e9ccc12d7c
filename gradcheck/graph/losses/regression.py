"""Losses that compare numbers with numbers, element by element.

Every mean is over all elements; sources are named beside the formulas.
"""

from __future__ import annotations

import numpy as np

from gradcheck.graph.composed import above, chosen, switch
from gradcheck.graph.losses.each import NUMBERS, Each, Values, alike, loss, same_shape, within

# d·c − c²/2 with c = d clipped to ±width: d²/2 inside, width·|d| − width²/2 outside. Where the two meet, the slope in c
# is 0, so that no kink is left; |d| would bring one in the middle of the parabola.
CLIPPED = """error = prediction - target
near = maximum(minimum(error, {width}), -{width})
"""


def _poisson(prediction: Values, target: Values, log_input: bool) -> Each:
    same_shape(prediction, target)
    within(target, 0.0, np.inf, "counts of at least 0 as target", "a Poisson variable counts")
    if log_input:
        return Each("exp(prediction) - target * prediction")
    within(prediction, 0.0, np.inf, "rates of at least 0", "write log_input=True for logarithms of rates")
    return Each("prediction - target * log(prediction + 1e-8)")  # as torch: no log 0


def _kl_div(prediction: Values, target: Values, log_target: bool) -> Each:
    same_shape(prediction, target)
    if log_target:
        return Each("exp(target) * (target - prediction)")
    hint = "the target holds probabilities, rows that sum to 1; write log_target=True for their logarithms"
    within(target, 0.0, 1.0, "probabilities from 0 to 1 as target", hint)
    # 0·log 0 is 0: the logarithm is taken of 1 there.
    return Each("target * (log(where(target > 0, target, 1)) - prediction)")


REGRESSION = (
    loss("mse", alike("(prediction - target)**2"), "mean of (prediction − target)², all of them", NUMBERS),
    loss("mae", alike("abs(prediction - target)"), "mean of |prediction − target|, all of them", NUMBERS),
    loss("half_squared_error", alike("0.5 * (prediction - target)**2"),
         "half the sum of (prediction − target)², all elements; no mean", NUMBERS,
         reduction=chosen("sum", "mean", "none")),
    # Huber 1964, "Robust estimation of a location parameter"
    loss("huber", alike(CLIPPED.format(width="delta") + "near * (error - 0.5 * near)"),
         "d²/2 where |d| ≤ delta, delta·(|d| − delta/2) beyond; d = prediction − target", NUMBERS,
         options={"delta": above(0, 1.0)}),
    # Girshick 2015, "Fast R-CNN", section 2.3: huber divided by beta
    loss("smooth_l1", alike(CLIPPED.format(width="beta") + "near * (error - 0.5 * near) / beta"),
         "d²/(2·beta) where |d| ≤ beta, |d| − beta/2 beyond; huber over beta", NUMBERS,
         options={"beta": above(0, 1.0)}),
    loss("poisson_nll", _poisson, "eᵖ − t·p for counts t and log-rates p; with log_input=False p − t·log(p + 1e-8)",
         {"prediction": "normal(4, 3)", "target": "integers(0, 5, size=(4, 3))"}, options={"log_input": switch(True)}),
    # Only the sum over a row is a divergence, so its mean is over rows: "mean", over elements, is torch's other choice.
    loss("kl_div", _kl_div, "t·(log t − p), summed over a row, mean over rows; p are log-probabilities",
         {"prediction": "[[-1.6, -1.2, -0.7], [-0.5, -1.2, -2.3]]", "target": "[[0.1, 0.6, 0.3], [0.3, 0.3, 0.4]]"},
         options={"log_target": switch(False)}, reduction=chosen("batchmean", "mean", "sum", "none")),
)  # fmt: skip
