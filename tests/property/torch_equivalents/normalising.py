"""Ops along axes that keep the shape, in torch."""

from __future__ import annotations

import torch

EQUIVALENTS = {
    # softmax over several axes at once is one over their flattened product
    "softmax": lambda x, axis: torch.exp(x - torch.logsumexp(x, dim=axis, keepdim=True)),
    "log_softmax": lambda x, axis: x - torch.logsumexp(x, dim=axis, keepdim=True),
    "normalise": lambda x, axis, eps: (
        (x - x.mean(axis, keepdim=True)) / torch.sqrt(x.var(axis, correction=0, keepdim=True) + eps)
    ),
}
