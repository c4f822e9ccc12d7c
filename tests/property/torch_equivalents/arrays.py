"""Ops that move, reduce, contract or decompose arrays, in torch."""

from __future__ import annotations

import torch

EQUIVALENTS = {
    "sum": lambda x, axis, keepdims: torch.sum(x, dim=axis, keepdim=keepdims) if axis else x.clone(),
    "mean": lambda x, axis, keepdims: torch.mean(x, dim=axis, keepdim=keepdims) if axis else x.clone(),
    "max": lambda x, axis, keepdims: torch.amax(x, dim=axis, keepdim=keepdims) if axis else x.clone(),
    "min": lambda x, axis, keepdims: torch.amin(x, dim=axis, keepdim=keepdims) if axis else x.clone(),
    "logsumexp": lambda x, axis, keepdims: torch.logsumexp(x, dim=axis, keepdim=keepdims) if axis else x.clone(),
    "reshape": lambda x, shape, **rank: torch.reshape(x, shape),
    "transpose": lambda x, axes: torch.permute(x, axes),
    "concatenate": lambda *arrays, axis: torch.cat(arrays, dim=axis),
    "matmul": torch.matmul,
}

ABSENT = {"index": "torch has no negative steps and reads an index as it is written, not as the graph keeps it"}
