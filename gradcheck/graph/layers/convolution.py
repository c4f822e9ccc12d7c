"""Convolutions as matrix products: windows of x become rows, the kernels of W columns; transposed, the rows are folded.

As everywhere in deep learning a convolution is a correlation: the kernel is not flipped. Sizes as in Dumoulin and Visin
2016, "A guide to convolution arithmetic for deep learning".
"""

from __future__ import annotations

from math import prod

from gradcheck.errors import ShapeError
from gradcheck.graph.layers.kinds import (
    POSITIVE,
    TRUTH,
    Argument,
    ArgumentError,
    Array,
    LayerKind,
    Parameter,
    Settings,
    Shape,
    by_axes,
    per_axis,
    weight_and_bias,
)
from gradcheck.ops.windows import counts_of

LETTERS = {1: ("N", "L"), 2: ("N", "H", "W")}


def padded(padding: Shape, value: str = "0") -> str:
    """A line that pads x behind batch and channels, or nothing where there is nothing to pad."""
    widths = ((0, 0), (0, 0), *((p, p) for p in padding))
    return f"x = pad(x, {widths}, constant_values={value})\n" if any(padding) else ""


def check_channels(x: Array, axes: int, channels: int) -> None:
    by_axes(x, LETTERS[axes][0], channels, *LETTERS[axes][1:])


def check_reach(x: Array, size: Shape, padding: Shape, dilation: Shape, stride: Shape, what: str) -> Shape:
    """How many windows there are along each axis. Raises ShapeError where not one fits into the padded input."""
    lengths = tuple(n + 2 * p for n, p in zip(x.shape[2:], padding, strict=True))
    counts = counts_of(lengths, size, stride, dilation)
    if min(counts) < 1:
        reach = tuple((k - 1) * r + 1 for k, r in zip(size, dilation, strict=True))
        dilated = f" (dilation {_times(dilation)})" if max(dilation) > 1 else ""
        around = f", padded to {_times(lengths)}" if any(padding) else ""
        raise ShapeError(
            f"has {what} of {_times(reach)}{dilated}, larger than its input of shape {x.shape}{around}",
            f"make the {what.split()[-1]} smaller, or the padding larger",
        )
    return counts


def _times(lengths: Shape) -> str:
    return " × ".join(map(str, lengths))


def convolution(settings: Settings, x: Array) -> str:
    """Rows of windows times the kernels as columns, one product per group."""
    size, padding, groups, outputs = (settings[name] for name in ("kernel", "padding", "groups", "outputs"))
    check_channels(x, len(size), settings["inputs"])
    counts = check_reach(x, size, padding, settings["dilation"], settings["stride"], "a kernel")
    axes, batch, channels = len(size), x.shape[0], settings["inputs"] // groups
    inner, outer = range(2, 2 + axes), range(2 + axes, 2 + 2 * axes)
    between = f"stride={settings['stride']}, dilation={settings['dilation']}"
    text = f"{padded(padding)}seen = windows(x, {size}, {between})\n"
    if groups == 1:
        columns = (batch, *counts, channels * prod(size))
        return text + (
            f"rows = reshape(transpose(seen, {(0, *inner, 1, *outer)}), {columns})\n"
            f"maps = rows @ transpose(reshape(W, {(outputs, -1)})){' + b' if settings['bias'] else ''}\n"
            f"transpose(maps, {(0, axes + 1, *range(1, axes + 1))})"
        )
    split = (batch, groups, channels, *counts, *size)
    order = (0, 1, *(a + 1 for a in inner), 2, *(a + 1 for a in outer))
    return text + (
        f"grouped = transpose(reshape(seen, {split}), {order})\n"
        f"rows = reshape(grouped, {(batch, groups, prod(counts), channels * prod(size))})\n"
        f"kernels = transpose(reshape(W, {(groups, outputs // groups, channels * prod(size))}), (0, 2, 1))\n"
        f"maps = reshape(transpose(rows @ kernels, (0, 1, 3, 2)), {(batch, outputs, *counts)})\n"
        f"maps{_per_channel(settings, axes)}"
    )


def transposed(settings: Settings, x: Array) -> str:
    """The adjoint of a convolution: every input element lays down a kernel, and the kernels are added up (`fold`)."""
    inputs, outputs, groups, size = (settings[name] for name in ("inputs", "outputs", "groups", "kernel"))
    axes = len(size)
    check_channels(x, axes, inputs)
    extra, padding = settings["output_padding"], settings["padding"]
    steps = zip(x.shape[2:], size, settings["stride"], settings["dilation"], strict=True)
    whole = tuple((n - 1) * s + (k - 1) * r + 1 for n, k, s, r in steps)
    ends = tuple(n + e - p for n, e, p in zip(whole, extra, padding, strict=True))
    if min(x.shape[2:]) < 1 or any(end <= p for end, p in zip(ends, padding, strict=True)):
        raise ShapeError(
            f"leaves nothing of its input of shape {x.shape}: a result of {_times(whole)}, less a padding of "
            f"{_times(padding)} on each side",
            "make the padding smaller",
        )
    batch, places = x.shape[0], x.shape[2:]
    kernels = (groups, inputs // groups, outputs // groups * prod(size))
    laid = (batch, groups, *places, outputs // groups, *size)
    order = (0, 1, axes + 2, *range(2, axes + 2), *range(axes + 3, 2 * axes + 3))
    widths = ((0, 0), (0, 0), *((0, e) for e in extra))
    longer = f"maps = pad(maps, {widths})\n" if any(extra) else ""
    cut = ", ".join(f"{p}:{end}" for p, end in zip(padding, ends, strict=True))
    between = f"stride={settings['stride']}, dilation={settings['dilation']}"
    return (
        f"rows = transpose(reshape(x, {(batch, groups, inputs // groups, prod(places))}), (0, 1, 3, 2))\n"
        f"laid = transpose(reshape(rows @ reshape(W, {kernels}), {laid}), {order})\n"
        f"maps = fold(reshape(laid, {(batch, outputs, *places, *size)}), {whole}, {between})\n"
        f"{longer}maps[:, :, {cut}]{_per_channel(settings, axes)}"
    )


def _per_channel(settings: Settings, axes: int) -> str:
    return f" + reshape(b, {(settings['outputs'], *(1,) * axes)})" if settings["bias"] else ""


def parameters(settings: Settings) -> tuple[Parameter, ...]:
    """W as torch has it: (outputs, inputs / groups, …)."""
    check_groups(settings)
    shape = (settings["outputs"], settings["inputs"] // settings["groups"], *settings["kernel"])
    return weight_and_bias(shape, settings["outputs"], settings["bias"])


def transposed_parameters(settings: Settings) -> tuple[Parameter, ...]:
    """W as torch has it: (inputs, outputs / groups, …)."""
    check_groups(settings)
    for extra, s, r in zip(settings["output_padding"], settings["stride"], settings["dilation"], strict=True):
        if extra >= max(s, r):
            message = f"must be smaller than the stride or the dilation, got {extra} beside {s} and {r}"
            raise ArgumentError("output_padding", message, "it chooses among the sizes that the stride rounds off")
    shape = (settings["inputs"], settings["outputs"] // settings["groups"], *settings["kernel"])
    return weight_and_bias(shape, settings["outputs"], settings["bias"])


def check_groups(settings: Settings) -> None:
    inputs, outputs, groups = (settings[name] for name in ("inputs", "outputs", "groups"))
    if inputs % groups or outputs % groups:
        message = f"must divide inputs and outputs, got {groups} for {inputs} and {outputs}"
        raise ArgumentError("groups", message, "every group has as many channels")


def arguments(axes: int, output_padding: bool = False) -> tuple[Argument, ...]:
    number = per_axis(axes)
    extra = (Argument("output_padding", per_axis(axes, 0), 0),) if output_padding else ()
    return (
        Argument("inputs", POSITIVE), Argument("outputs", POSITIVE), Argument("kernel", number, 3),
        Argument("stride", number, 1), Argument("padding", per_axis(axes, 0), 0), *extra,
        Argument("dilation", number, 1), Argument("groups", POSITIVE, 1), Argument("bias", TRUTH, True),
    )  # fmt: skip


KINDS = (
    LayerKind(
        "conv1d", convolution, "correlation of x, (N, inputs, L), with the kernels W, (outputs, inputs/groups, k), + b",
        ("conv1d(2, 3)", "normal(2, 2, 6)"), arguments(1), parameters,
    ),
    LayerKind(
        "conv2d", convolution,
        "correlation of x, (N, inputs, H, W), with the kernels W, (outputs, inputs/groups, kh, kw), + b",
        ("conv2d(2, 3, kernel=2)", "normal(2, 2, 4, 4)"), arguments(2), parameters,
    ),
    LayerKind(
        "conv_transpose1d", transposed,
        "the adjoint of conv1d: each element of x lays down a kernel of W, (inputs, outputs/groups, k), + b",
        ("conv_transpose1d(2, 3, stride=2)", "normal(2, 2, 3)"), arguments(1, True), transposed_parameters,
    ),
    LayerKind(
        "conv_transpose2d", transposed,
        "the adjoint of conv2d: each element of x lays down a kernel of W, (inputs, outputs/groups, kh, kw), + b",
        ("conv_transpose2d(2, 3, kernel=2, stride=2)", "normal(2, 2, 2, 3)"), arguments(2, True), transposed_parameters,
    ),
)  # fmt: skip
