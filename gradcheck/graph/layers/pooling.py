"""Pooling and its opposite: windows of a picture become one number each, and pictures are made larger."""

from __future__ import annotations

import numpy as np

from gradcheck.errors import ShapeError
from gradcheck.graph.layers.convolution import LETTERS, check_reach, padded
from gradcheck.graph.layers.kinds import (
    TRUTH,
    Argument,
    ArgumentError,
    Array,
    Formula,
    LayerKind,
    Parameter,
    Settings,
    Shape,
    by_axes,
    one_of,
    per_axis,
)
from gradcheck.ops.broadcasting import limited


def pooled(settings: Settings, x: Array) -> tuple[Shape, Shape]:
    """Stride (default the size) and the axes of x's windows that are reduced."""
    size, padding = settings["size"], settings["padding"]
    axes = len(size)
    by_axes(x, LETTERS[axes][0], "C", *LETTERS[axes][1:])
    stride = settings["stride"] or size
    check_reach(x, size, padding, (1,) * axes, stride, "a window")
    return stride, tuple(range(2 + axes, 2 + 2 * axes))


def max_pool(settings: Settings, x: Array) -> str:
    """Padding never wins: it is −∞."""
    stride, inside = pooled(settings, x)
    return f"{padded(settings['padding'], '-inf')}max(windows(x, {settings['size']}, stride={stride}), axis={inside})"


def avg_pool(settings: Settings, x: Array) -> str | Formula:
    stride, inside = pooled(settings, x)
    text = padded(settings["padding"])
    seen = f"windows(x, {settings['size']}, stride={stride}), axis={inside}"
    if settings["count_include_pad"] or not text:
        return f"{text}mean({seen})"
    counts = _counts(x.shape[2:], settings["size"], stride, settings["padding"])
    return Formula(f"{text}sum({seen}) / counts", {"counts": counts})


def _counts(lengths: Shape, size: Shape, stride: Shape, padding: Shape) -> Array:
    """How many elements of each window are no padding: a product of one count per axis."""
    counts = np.ones(())
    for n, k, s, p in zip(lengths, size, stride, padding, strict=True):
        starts = np.arange(-p, n + p - k + 1, s)
        counts = counts[..., None] * (np.minimum(starts + k, n) - np.maximum(starts, 0))
    return counts


def check_padding(settings: Settings) -> tuple[Parameter, ...]:
    """No parameters; a window that saw nothing but padding would have no largest element."""
    for p, k in zip(settings["padding"], settings["size"], strict=True):
        if 2 * p > k:
            message = f"must be at most half the size, got {p} beside {k}"
            raise ArgumentError("padding", message, "a window must see something of its input")
    return ()


def over_places(reduce: str) -> LayerKind:
    """A reduction of everything behind the channels."""

    def formula(settings: Settings, x: Array) -> str:
        if x.ndim < 3:
            raise ShapeError(
                f"expects inputs of shape (N, C, …), got {x.shape}", "there is nothing behind the channels"
            )
        return f"{reduce}(x, axis={tuple(range(2, x.ndim))})"

    name, word = {"mean": ("global_avg_pool", "mean"), "max": ("global_max_pool", "largest")}[reduce]
    return LayerKind(name, formula, f"the {word} of each channel: (N, C, …) → (N, C)", (name, "normal(2, 3, 2, 2)"))


def upsample(settings: Settings, x: Array) -> str | Formula:
    """Nearest: every row and column several times. Bilinear: one matrix of weights per axis."""
    by_axes(x, "N", "C", "H", "W")
    down, across = settings["factor"]
    if settings["mode"] == "nearest":
        return f"repeat(repeat(x, {down}, axis=2), {across}, axis=3)"
    height, width = x.shape[2:]
    weights = {"down": interpolation(height, down), "across": interpolation(width, across).T}
    return Formula("down @ x @ across", weights)


def interpolation(length: int, factor: int) -> Array:
    """The matrix, (length · factor, length), that interpolates between the middles of neighbouring elements.

    Element i lies at (i + 1/2) / factor − 1/2 of the input, held within it: torch's align_corners=False.
    """
    limited((length * factor, length))
    places = np.clip((np.arange(length * factor) + 0.5) / factor - 0.5, 0, max(length - 1, 0))
    return np.maximum(1.0 - np.abs(places[:, None] - np.arange(length)), 0.0)


def arguments(axes: int) -> tuple[Argument, ...]:
    return (
        Argument("size", per_axis(axes)), Argument("stride", per_axis(axes, optional=True), None),
        Argument("padding", per_axis(axes, 0), 0),
    )  # fmt: skip


def both(axes: int) -> tuple[LayerKind, LayerKind]:
    picture = {1: "normal(2, 1, 6)", 2: "normal(1, 2, 4, 4)"}[axes]
    largest, mean = f"max_pool{axes}d", f"avg_pool{axes}d"
    counted = Argument("count_include_pad", TRUTH, True)
    return (
        LayerKind(
            largest, max_pool, "the largest element of each window; stride=None is the size, padding is −∞",
            (f"{largest}(2)", picture), arguments(axes), check_padding,
        ),
        LayerKind(
            mean, avg_pool, "the mean of each window; stride=None is the size, padding is 0 and counted, or not",
            (f"{mean}(2)", picture), (*arguments(axes), counted), check_padding,
        ),
    )  # fmt: skip


KINDS = (
    *both(1),
    *both(2),
    over_places("mean"),
    over_places("max"),
    LayerKind(
        "upsample", upsample, "a picture factor times as high and wide: elements repeated, or interpolated (bilinear)",
        ("upsample(2)", "normal(1, 2, 2, 3)"),
        (Argument("factor", per_axis(2)), Argument("mode", one_of("nearest", "bilinear"), "nearest")),
    ),
)  # fmt: skip
