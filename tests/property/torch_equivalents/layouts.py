"""Ops that move, repeat, pick or leave out elements, in torch."""

from __future__ import annotations

from typing import Any

import torch


def pad(x: torch.Tensor, width: Any, mode: str, fill: float) -> torch.Tensor:
    """Axis by axis: torch's own pad takes other modes for some numbers of axes only, and has no symmetric one."""
    if mode == "constant":
        backwards = [n for pair in reversed(width) for n in pair]
        return torch.nn.functional.pad(x, backwards, value=fill) if backwards else x.clone()
    for axis, (before, after) in enumerate(width):
        n = x.shape[axis]
        places = torch.arange(-before, n + after)
        period = places % max(2 * n - 2, 1)
        doubled = places % (2 * n)
        chosen = {
            "edge": places.clamp(0, n - 1),
            "wrap": places % n,
            "reflect": torch.minimum(period, 2 * n - 2 - period),
            "symmetric": torch.minimum(doubled, 2 * n - 1 - doubled),
        }
        x = torch.index_select(x, axis, chosen[mode])
    return x


def roll(x: torch.Tensor, shift: Any, axis: Any, rank: int) -> torch.Tensor:
    if not rank:
        return x.clone()
    return torch.roll(x, shift) if axis is None else torch.roll(x, shift, axis)


def repeat(x: torch.Tensor, picks: Any, axis: int | None, rank: int) -> torch.Tensor:
    length = x.numel() if axis is None else x.shape[axis]
    repeats = torch.bincount(torch.tensor(picks), minlength=length)
    return torch.repeat_interleave(x.flatten() if axis is None else x, repeats, dim=axis or 0)


def take(x: torch.Tensor, indices: torch.Tensor, axis: int | None, rank: int) -> torch.Tensor:
    if axis is None:
        return x.flatten()[indices]
    return x[(slice(None),) * axis + (indices,)]


def expand_dims(x: torch.Tensor, axis: tuple[int, ...]) -> torch.Tensor:
    for one in axis:
        x = x.unsqueeze(one)
    return x


EQUIVALENTS = {
    "ravel": lambda x, rank: torch.flatten(x),
    "squeeze": lambda x, axis: torch.squeeze(x, axis),
    "expand_dims": expand_dims,
    "swapaxes": lambda x, axis1, axis2: torch.transpose(x, axis1, axis2),
    "moveaxis": lambda x, source, destination: torch.movedim(x, source, destination),
    "stack": lambda *arrays, axis: torch.stack(arrays, dim=axis),
    "split": lambda x, axis, start, stop: torch.tensor_split(x, (start, stop), dim=axis)[1],
    "flip": lambda x, axis: torch.flip(x, axis),
    "roll": roll,
    "tile": lambda x, reps, rank: torch.tile(x, reps),
    "repeat": repeat,
    "broadcast_to": lambda x, shape, rank: torch.broadcast_to(x, shape),
    "pad": pad,
    "diag": lambda x, k, rank: torch.diag(x, k),
    "tril": lambda x, k, rank: torch.tril(x, k),
    "triu": lambda x, k, rank: torch.triu(x, k),
    "take": take,
    "take_along_axis": lambda x, indices, axis: torch.take_along_dim(x, indices % x.shape[axis], axis),
    "gather": lambda x, index, axis: torch.gather(x, axis, index),
    "embedding": torch.nn.functional.embedding,
}
