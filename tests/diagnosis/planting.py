"""How mistakes are planted: a wrong backward as a function of the upstream gradient, the point and the right gradients.

A plant returns those gradients that differ from the right ones. The mistakes themselves are in `plants.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from tests.diagnosis.layers import (
    windows,
)

Wrong = Callable[[Any, Any, dict[str, Any]], dict[str, Any]]


@dataclass(frozen=True)
class Plant:
    name: str
    layer: str
    kinds: str
    wrong: Wrong
    change: Callable[[dict[str, Any]], dict[str, Any]] | None = None  # of the point, before all else


def scaled(tensor: str, factor: float) -> Wrong:
    return lambda g, p, r: {tensor: factor * r[tensor]}


def local(derivative: Callable[[Any], Any]) -> Wrong:
    """An elementwise function with another derivative."""
    return lambda g, p, r: {"x": g * derivative(p.x)}


def patched(tensor: str, change: Callable[[Any, Any], Any]) -> Wrong:
    def wrong(g, p, r):
        array = np.array(r[tensor])
        changed = change(array, p)
        return {tensor: array if changed is None else changed}

    return wrong


def length(gradients: dict[str, Any]) -> float:
    return float(np.sqrt(sum((v**2).sum() for v in gradients.values())))


def ties(arrays: dict[str, Any]) -> dict[str, Any]:
    """A few numbers that are equal to the largest of their row."""
    x = arrays["x"].copy()
    x[0] = x[0].max()
    return {**arrays, "x": x}


def small(name: str, spread: float) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda arrays: {**arrays, name: spread * arrays[name]}


def set_at(index: Any, value: float) -> Callable[[Any, Any], None]:
    def change(array: Any, p: Any) -> None:
        array[index] = value

    return change


def penalty(tensor: str, factor: float) -> Wrong:
    """What the penalty adds, times a factor, on top of the right gradient."""
    return lambda g, p, r: {tensor: r[tensor] + factor * p.reg * getattr(p, tensor)}


def pool_last(stride: int) -> Wrong:
    """Windows that overlap, the last one wins."""

    def wrong(g, p, r):
        parts = windows(p.x, 3, stride)
        hits = (parts == parts.max(-1, keepdims=True)) * g[..., None]
        dx = np.zeros_like(p.x)
        for k in range(hits.shape[-2]):
            dx[..., k * stride : k * stride + 3] = np.where(
                hits[..., k, :] != 0, hits[..., k, :], dx[..., k * stride : k * stride + 3]
            )
        return {"x": dx}

    return wrong


def folded_last(g: Any, p: Any, r: Any) -> dict[str, Any]:
    parts = np.einsum("nfl,fck->nclk", g, p.w)
    dx = np.zeros_like(p.x)
    for k in range(parts.shape[-2]):
        dx[..., k : k + 3] = parts[..., k, :]
    return {"x": dx}


def keep_last(g: Any, p: Any, r: Any) -> dict[str, Any]:
    dW = np.zeros_like(p.W)
    dW[p.ids] = g
    return {"W": dW}


def through_max(g: Any, p: Any, r: Any) -> dict[str, Any]:
    return {"x": (p.x == p.x.max(1, keepdims=True)) * g[:, None]}


diagonal = lambda a, da: a * (1 - a) * da  # noqa: E731
SINGLE = lambda a, p: (a.astype(np.float32) + np.float32(1000)) - np.float32(1000)  # noqa: E731
BRAIN = lambda a, p: (a.astype(np.float32).view(np.uint32) & np.uint32(0xFFFF0000)).view(np.float32)  # noqa: E731
