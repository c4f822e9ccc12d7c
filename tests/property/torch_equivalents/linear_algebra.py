"""Products summed over axes, and square matrices, in torch."""

from __future__ import annotations

from typing import Any

import torch


def dot(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    if not a.ndim or not b.ndim:
        return a * b
    return torch.tensordot(a, b, dims=([a.ndim - 1], [max(b.ndim - 2, 0)]))


def trace(x: torch.Tensor, offset: int, axis1: int, axis2: int) -> torch.Tensor:
    return torch.diagonal(x, offset, axis1, axis2).sum(-1)


def einsum(*operands: torch.Tensor, subscripts: str, order: Any) -> torch.Tensor:
    return torch.einsum(subscripts, *operands)


EQUIVALENTS = {
    "dot": dot,
    "outer": lambda a, b: torch.outer(a.flatten(), b.flatten()),
    "einsum": einsum,
    "trace": trace,
    "det": lambda x, rank: torch.linalg.det(x),
    "logdet": lambda x, rank: torch.logdet(x),
    "inv": lambda x, rank: torch.linalg.inv(x),
    "solve": lambda a, b, ranks: torch.linalg.solve(a, b),
    "cholesky": lambda x, rank: torch.linalg.cholesky((x + x.mT) / 2.0),  # torch reads the lower half only
}
