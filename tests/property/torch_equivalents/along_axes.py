"""Scans, products, spreads, norms and sorting, in torch."""

from __future__ import annotations

from collections.abc import Callable

import torch


def prod(x: torch.Tensor, axis: tuple[int, ...], keepdims: bool) -> torch.Tensor:
    """One axis after the other, the last first: torch takes no more than one."""
    for one in reversed(axis):
        x = torch.prod(x, dim=one, keepdim=keepdims)
    return x.clone()


def norm(x: torch.Tensor, axis: tuple[int, ...], keepdims: bool, ord: float) -> torch.Tensor:
    return torch.linalg.vector_norm(x, ord, dim=axis, keepdim=keepdims) if axis else torch.abs(x)


def spread(function: Callable[..., torch.Tensor]) -> Callable[..., torch.Tensor]:
    """var or std; torch warns of too few elements where there are none to take the spread of."""

    def called(x: torch.Tensor, axis: tuple[int, ...], keepdims: bool, ddof: int) -> torch.Tensor:
        if not x.numel():
            return torch.sum(x, dim=axis, keepdim=keepdims)
        return function(x, dim=axis, correction=ddof, keepdim=keepdims)

    return called


EQUIVALENTS = {
    "prod": prod,
    "cumsum": lambda x, axis: torch.cumsum(x, axis[0]),
    "cumprod": lambda x, axis: torch.cumprod(x, axis[0]),
    "var": spread(torch.var),
    "std": spread(torch.std),
    "norm": norm,
    "sort": lambda x, axis: torch.sort(x, dim=axis[0]).values,
    "topk": lambda x, axis, k: torch.topk(x, k, dim=axis[0]).values,
}

OWN_AT_KINKS = {
    "sort": "equal elements share the gradient; torch gives each the place that it happens to be sorted to",
    "topk": "equal elements share the gradient; torch gives each the place that it happens to be sorted to",
}
