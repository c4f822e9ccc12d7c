"""Sliding windows and their overlapping sum, in torch."""

from __future__ import annotations

from typing import Any

import torch
from torch.nn import functional


def windows(
    x: Any, size: tuple[int, ...], stride: tuple[int, ...], dilation: tuple[int, ...], first: int
) -> torch.Tensor:
    for axis, (k, s, r) in enumerate(zip(size, stride, dilation, strict=True), first):
        x = x.unfold(axis, (k - 1) * r + 1, s)[..., ::r]
    return x


def fold(
    x: Any, shape: tuple[int, ...], stride: tuple[int, ...], dilation: tuple[int, ...], first: int
) -> torch.Tensor:
    """functional.fold wants pictures: lines are pictures of height one, what comes before the windows is a batch."""
    axes, lead = len(shape), x.shape[:first]
    counts, size = x.shape[first : first + axes], x.shape[first + axes :]
    one = (1,) * (2 - axes)
    flat = x.reshape(-1, *counts, *size).movedim(tuple(range(1, axes + 1)), tuple(range(axes + 1, 2 * axes + 1)))
    columns = flat.reshape(flat.shape[0], size.numel(), counts.numel())
    total = functional.fold(columns, (*one, *shape), (*one, *size), (*one, *dilation), 0, (*one, *stride))
    return total.reshape(*lead, *shape)


EQUIVALENTS = {"windows": windows, "fold": fold}
