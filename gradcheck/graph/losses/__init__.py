"""Losses: formulas over ops, by what they compare; the table of them all, and what others call them."""

from __future__ import annotations

from collections.abc import Mapping

from gradcheck.graph.composed import Composed
from gradcheck.graph.losses.alignment import ALIGNMENT
from gradcheck.graph.losses.classification import CLASSIFICATION
from gradcheck.graph.losses.margins import MARGINS
from gradcheck.graph.losses.regression import REGRESSION

LOSSES: Mapping[str, Composed] = {loss.name: loss for loss in (*REGRESSION, *CLASSIFICATION, *MARGINS, *ALIGNMENT)}

# Names in other libraries → ours.
OTHER_NAMES: Mapping[str, str] = {
    "l2_loss": "mse", "mean_squared_error": "mse", "squared_error": "mse", "mse_loss": "mse",
    "l1_loss": "mae", "mean_absolute_error": "mae", "absolute_error": "mae",
    "huber_loss": "huber", "smooth_l1_loss": "smooth_l1",
    "bce": "binary_cross_entropy", "bce_loss": "binary_cross_entropy",
    "binary_crossentropy": "binary_cross_entropy",
    "bce_with_logits": "binary_cross_entropy_with_logits",
    "bce_with_logits_loss": "binary_cross_entropy_with_logits",
    "sigmoid_cross_entropy": "binary_cross_entropy_with_logits",
    "cross_entropy": "softmax_cross_entropy", "cross_entropy_loss": "softmax_cross_entropy",
    "crossentropy": "softmax_cross_entropy", "categorical_cross_entropy": "softmax_cross_entropy",
    "sparse_categorical_cross_entropy": "softmax_cross_entropy", "categorical_crossentropy": "softmax_cross_entropy",
    "sparse_categorical_crossentropy": "softmax_cross_entropy", "softmax_loss": "softmax_cross_entropy",
    "nll_loss": "nll", "negative_log_likelihood": "nll", "hinge_loss": "hinge",
    "svm": "multiclass_svm", "svm_loss": "multiclass_svm", "multi_margin": "multiclass_svm",
    "multi_margin_loss": "multiclass_svm", "kl": "kl_div", "kl_divergence": "kl_div", "kl_div_loss": "kl_div",
    "cosine_embedding_loss": "cosine_embedding", "triplet_loss": "triplet", "triplet_margin": "triplet",
    "triplet_margin_loss": "triplet", "margin_ranking_loss": "margin_ranking",
    "focal_loss": "focal", "sigmoid_focal_loss": "focal",
    "poisson_nll_loss": "poisson_nll", "poisson": "poisson_nll", "ctc_loss": "ctc",
}  # fmt: skip
