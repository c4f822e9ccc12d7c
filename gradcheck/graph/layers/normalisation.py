"""Norms: the op `normalise` along the axes that each norm means, then a gain gamma and a shift beta.

What differs is only over which elements mean and variance are taken (Wu and He 2018, "Group normalization", figure 2).
"""

from __future__ import annotations

from math import prod

from gradcheck.errors import ShapeError
from gradcheck.graph.layers.kinds import (
    LENGTHS,
    NEAR_ONE,
    NOT_NEGATIVE,
    POSITIVE,
    SMALL,
    TRUTH,
    Argument,
    ArgumentError,
    Array,
    LayerKind,
    Parameter,
    Settings,
    Shape,
    gain_and_shift,
)

EPS = Argument("eps", NOT_NEGATIVE, 1e-5)  # torch's default for all norms


def layer_norm(settings: Settings, x: Array) -> str:
    """Over the last axes."""
    shape = settings["shape"]
    if x.shape[-len(shape) :] != shape or x.ndim < len(shape):
        raise ShapeError(
            f"expects inputs that end with the axes {shape}, got shape {x.shape}",
            "a layer norm is told the lengths of the last axes",
        )
    return f"gamma * normalise(x, axis={_last(len(shape))}, eps=eps) + beta"


def rms_norm(settings: Settings, x: Array) -> str:
    """Over the last axis, without a mean (Zhang and Sennrich 2019)."""
    width = settings["width"]
    if not x.ndim or x.shape[-1] != width:
        raise ShapeError(
            f"expects inputs of width {width}, got shape {x.shape}", "the last axis of a layer's input is its width"
        )
    return "gamma * (x / sqrt(mean(x**2, axis=-1, keepdims=True) + eps))"


def batch_norm(settings: Settings, x: Array) -> str:
    """Over all axes but the channels'; in evaluation with the statistics that training has left behind."""
    _by_channels(settings, x, 2)
    gain, shift = _broadcast(x, "gamma"), _broadcast(x, "beta")
    if not settings["training"]:
        mean, variance = _broadcast(x, "mean"), _broadcast(x, "variance")
        return f"(x - {mean}) / sqrt({variance} + eps) * {gain} + {shift}"
    axes = (0, *range(2, x.ndim))
    if prod(x.shape[a] for a in axes) < 2:
        raise ShapeError(
            f"has fewer than 2 values per channel in its input of shape {x.shape}",
            "one value is its own mean: give a larger batch, or write training=False",
        )
    return f"normalise(x, axis={axes}, eps=eps) * {gain} + {shift}"


def batch_norm_parameters(settings: Settings) -> tuple[Parameter, ...]:
    shape = (settings["channels"],)
    if settings["training"]:
        return gain_and_shift(shape)
    return (
        *gain_and_shift(shape),
        Parameter("mean", shape, SMALL, learnt=False),
        Parameter("variance", shape, "1 + 0.5*uniform", learnt=False),
    )


def instance_norm(settings: Settings, x: Array) -> str:
    """Over the places of each channel of each example (Ulyanov et al. 2016)."""
    _by_channels(settings, x, 3)
    _several(x, prod(x.shape[2:]))
    return f"normalise(x, axis={tuple(range(2, x.ndim))}, eps=eps) * {_broadcast(x, 'gamma')} + {_broadcast(x, 'beta')}"


def group_norm(settings: Settings, x: Array) -> str:
    """Over the channels of a group and their places, in each example (Wu and He 2018)."""
    _by_channels(settings, x, 2)
    groups, channels = settings["groups"], settings["channels"]
    split = (x.shape[0], groups, channels // groups, *x.shape[2:])
    _several(x, prod(split[2:]))
    within = f"normalise(reshape(x, {split}), axis={tuple(range(2, len(split)))}, eps=eps)"
    return f"reshape({within}, {x.shape}) * {_broadcast(x, 'gamma')} + {_broadcast(x, 'beta')}"


def group_norm_parameters(settings: Settings) -> tuple[Parameter, ...]:
    groups, channels = settings["groups"], settings["channels"]
    if channels % groups:
        raise ArgumentError("groups", f"must divide the channels, got {groups} for {channels}", "write a divisor")
    return gain_and_shift((channels,))


def _last(count: int) -> str:
    return str(tuple(range(-count, 0)))


def _broadcast(x: Array, name: str) -> str:
    """A parameter per channel, with axes of length one for what lies behind the channels."""
    return name if x.ndim == 2 else f"reshape({name}, {(x.shape[1], *(1,) * (x.ndim - 2))})"


def _by_channels(settings: Settings, x: Array, least: int) -> None:
    channels = settings["channels"]
    if x.ndim < least or x.shape[1] != channels:
        shape = f"(N, {channels}, …)" if least > 2 else f"(N, {channels}) or (N, {channels}, …)"
        raise ShapeError(
            f"expects inputs of shape {shape}, got {x.shape}", "axis 1 of a norm's input holds its channels"
        )


def _several(x: Array, count: int) -> None:
    if count < 2:
        raise ShapeError(
            f"takes mean and variance of {count} value each in its input of shape {x.shape}",
            "one value is its own mean; nothing of it would be left",
        )


def shape_of(settings: Settings) -> Shape:
    shape: Shape = settings["shape"]
    return shape


CHANNELS = Argument("channels", POSITIVE)

KINDS = (
    LayerKind(
        "layer_norm", layer_norm, "γ · (x − mean) / √(variance + eps) + β over the last axes, of lengths shape",
        ("layer_norm(4)", "normal(3, 4)"), (Argument("shape", LENGTHS), EPS), lambda s: gain_and_shift(shape_of(s)),
    ),
    LayerKind(
        "batch_norm", batch_norm,
        "γ · (x − mean) / √(variance + eps) + β per channel, over the batch; training=False: given mean and variance",
        ("batch_norm(3)", "normal(5, 3)"), (CHANNELS, EPS, Argument("training", TRUTH, True)), batch_norm_parameters,
    ),
    LayerKind(
        "group_norm", group_norm, "the same over each group of channels of each example",
        ("group_norm(2, 4)", "normal(2, 4, 3)"), (Argument("groups", POSITIVE), CHANNELS, EPS), group_norm_parameters,
    ),
    LayerKind(
        "instance_norm", instance_norm, "the same over the places of each channel of each example",
        ("instance_norm(2)", "normal(2, 2, 3, 2)"), (CHANNELS, EPS), lambda s: gain_and_shift((s["channels"],)),
    ),
    LayerKind(
        "rms_norm", rms_norm, "γ · x / √(mean of x² + eps) along the last axis; no mean is taken off, no β",
        ("rms_norm(4)", "normal(3, 4)"), (Argument("width", POSITIVE), EPS),
        lambda s: (Parameter("gamma", (s["width"],), NEAR_ONE),),
    ),
)  # fmt: skip
