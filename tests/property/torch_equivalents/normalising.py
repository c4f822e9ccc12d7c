"""Ops along axes that keep the shape, in torch."""

from __future__ import annotations

from typing import Any

import torch


def normalised(x: Any, axis: Any, eps: float) -> Any:
    """Over the root of the biased variance, written out: torch's own `var` warns of an empty array."""
    centred = x - x.mean(axis, keepdim=True)
    return centred / torch.sqrt((centred * centred).mean(axis, keepdim=True) + eps)


EQUIVALENTS = {
    # softmax over several axes at once is one over their flattened product
    "softmax": lambda x, axis: torch.exp(x - torch.logsumexp(x, dim=axis, keepdim=True)),
    "log_softmax": lambda x, axis: x - torch.logsumexp(x, dim=axis, keepdim=True),
    "normalise": normalised,
}
