"""Every layer with drawn shapes and options: a text as in a case file, and an input that fits it.

Sizes are small, so that a check of all elements takes milliseconds. What the layers should give is in `torch_layers`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import strategies as st

from gradcheck.casefile.arrays import build_array
from gradcheck.graph.builder import Traced
from gradcheck.graph.layers import LayerKind
from gradcheck.graph.layers.activations import OF_OPS
from gradcheck.graph.network import trace_network
from gradcheck.graph.plan import read_plan
from gradcheck.location import SourceText
from gradcheck.model.case import NetworkBody

Array = np.ndarray[Any, Any]
Draw = Callable[[Any], Any]


@dataclass(frozen=True)
class Drawn:
    """A layer as written, and its input: the beginning of an array text, and its shape."""

    text: str
    shape: tuple[int, ...]
    numbers: str = "normal("

    @property
    def array_text(self) -> str:
        """x in the notation of arrays, as in a case file."""
        return f"{self.numbers}size={self.shape})"

    @property
    def body(self) -> NetworkBody:
        return NetworkBody((SourceText.of(self.text),), None, None, {})

    @property
    def settings(self) -> dict[str, Any]:
        return dict(read_plan(self.body, {}).steps[0].settings)

    def x(self) -> Array:
        text = SourceText.of(self.array_text)
        return build_array(text, name="x", seed=len(self.text), sizes={}, directory=Path())

    def traced(self) -> Traced:
        def initialise(name: str, shape: tuple[int, ...], default: str) -> Array:
            random = np.random.default_rng(sum(map(ord, name)))
            return random.uniform(0.5, 1.5, shape) if name == "variance1" else 0.6 * random.normal(size=shape)

        return trace_network(self.body, {"x": self.x()}, sizes={}, initialise=initialise)


def _call(word: str, *positional: Any, **options: Any) -> str:
    parts = [*(repr(value) for value in positional), *(f"{name}={value!r}" for name, value in options.items())]
    return f"{word}({', '.join(parts)})"


def _several(draw: Draw, axes: int, least: int, most: int) -> Any:
    """One number for all axes, or one per axis."""
    number = st.integers(least, most)
    return draw(st.one_of(number, st.tuples(*[number] * axes)) if axes > 1 else number)


def _each(value: Any, axes: int) -> tuple[int, ...]:
    return value if isinstance(value, tuple) else (value,) * axes


def _convolution(word: str, axes: int) -> Callable[[Draw], Drawn]:
    transposed = "transpose" in word

    def drawn(draw: Draw) -> Drawn:
        groups = draw(st.sampled_from([1, 1, 2, 3]))
        inputs, outputs = (groups * draw(st.integers(1, 2)) for _ in range(2))
        options = {
            "kernel": _several(draw, axes, 1, 3), "stride": _several(draw, axes, 1, 3),
            "padding": _several(draw, axes, 0, 2), "dilation": _several(draw, axes, 1, 2), "groups": groups,
            "bias": draw(st.booleans()),
        }  # fmt: skip
        kernel, stride, padding, dilation = (_each(options[n], axes) for n in list(options)[:4])
        reach = [(k - 1) * r + 1 for k, r in zip(kernel, dilation, strict=True)]
        if transposed:
            most = min(map(max, zip(stride, dilation, strict=True))) - 1
            options["output_padding"] = draw(st.integers(0, most))
            # As large an input as the padding eats, and one more.
            least = [max(1, (2 * p - k) // s + 2) for p, k, s in zip(padding, reach, stride, strict=True)]
        else:
            least = [max(1, k - 2 * p) for p, k in zip(padding, reach, strict=True)]
        places = [draw(st.integers(n, n + 2)) for n in least]
        return Drawn(_call(word, inputs, outputs, **options), (draw(st.integers(0, 2)), inputs, *places))

    return drawn


def _pool(word: str, axes: int) -> Callable[[Draw], Drawn]:
    def drawn(draw: Draw) -> Drawn:
        size = _several(draw, axes, 1, 3)
        half = min(_each(size, axes)) // 2
        options = {"stride": draw(st.sampled_from([None, 1, 2])), "padding": _several(draw, axes, 0, half)}
        if word.startswith("avg"):
            options["count_include_pad"] = draw(st.booleans())
        padding = _each(options["padding"], axes)
        places = [draw(st.integers(max(1, k - 2 * p), k + 3)) for k, p in zip(_each(size, axes), padding, strict=True)]
        return Drawn(_call(word, size, **options), (draw(st.integers(0, 2)), draw(st.integers(1, 2)), *places))

    return drawn


def _global(word: str) -> Callable[[Draw], Drawn]:
    return lambda draw: Drawn(
        word, (draw(st.integers(0, 3)), 2, *draw(st.lists(st.integers(1, 3), min_size=1, max_size=2)))
    )


def _upsample(draw: Draw) -> Drawn:
    mode = draw(st.sampled_from(["nearest", "bilinear"]))
    return Drawn(_call("upsample", _several(draw, 2, 1, 3), mode=mode), (draw(st.integers(1, 2)), 2, *draw(_places(2))))


def _places(axes: int, least: int = 1) -> st.SearchStrategy[tuple[int, ...]]:
    return st.tuples(*[st.integers(least, 3)] * axes)


EPS = st.sampled_from([1e-5, 1e-2, 1.0])


def _layer_norm(draw: Draw) -> Drawn:
    shape = draw(_places(draw(st.integers(1, 2)), 2))
    lead = draw(_places(draw(st.integers(0, 2))))
    return Drawn(_call("layer_norm", shape if len(shape) > 1 else shape[0], eps=draw(EPS)), (*lead, *shape))


def _rms_norm(draw: Draw) -> Drawn:
    width = draw(st.integers(1, 4))
    return Drawn(_call("rms_norm", width, eps=draw(EPS)), (*draw(_places(draw(st.integers(0, 2)))), width))


def _batch_norm(draw: Draw) -> Drawn:
    channels, training = draw(st.integers(1, 3)), draw(st.booleans())
    shape = (draw(st.integers(2 if training else 0, 4)), channels, *draw(_places(draw(st.integers(0, 2)))))
    return Drawn(_call("batch_norm", channels, eps=draw(EPS), training=training), shape)


def _group_norm(draw: Draw) -> Drawn:
    groups, each = draw(st.integers(1, 2)), draw(st.integers(2, 3))
    shape = (draw(st.integers(0, 2)), groups * each, *draw(_places(draw(st.integers(0, 2)))))
    return Drawn(_call("group_norm", groups, groups * each, eps=draw(EPS)), shape)


def _instance_norm(draw: Draw) -> Drawn:
    channels = draw(st.integers(1, 3))
    shape = (draw(st.integers(1, 2)), channels, *draw(_places(draw(st.integers(1, 2)), 2)))
    return Drawn(_call("instance_norm", channels, eps=draw(EPS)), shape)


def _recurrent(word: str) -> Callable[[Draw], Drawn]:
    def drawn(draw: Draw) -> Drawn:
        inputs, hidden = draw(st.integers(1, 3)), draw(st.integers(1, 3))
        text = _call(word, inputs, hidden, return_sequences=draw(st.booleans()))
        return Drawn(text, (draw(st.integers(0, 2)), draw(st.integers(1, 4)), inputs))

    return drawn


def _attention(draw: Draw) -> Drawn:
    heads = draw(st.integers(1, 3))
    width = heads * draw(st.integers(1, 2))
    text = _call("attention", width, heads=heads, causal=draw(st.booleans()))
    return Drawn(text, (draw(st.integers(0, 2)), draw(st.integers(1, 4)), width))


def _transformer_block(draw: Draw) -> Drawn:
    heads = draw(st.integers(1, 2))
    width = 3 * heads  # not 2: normalised, any two numbers are −1 and 1, and nothing depends on them
    text = _call("transformer_block", width, heads, draw(st.integers(1, 3)), causal=draw(st.booleans()))
    return Drawn(text, (draw(st.integers(1, 2)), draw(st.integers(1, 3)), width))


def _linear(draw: Draw) -> Drawn:
    inputs = draw(st.integers(1, 3))
    text = _call("linear", inputs, draw(st.integers(1, 3)), bias=draw(st.booleans()))
    return Drawn(text, (*draw(st.lists(st.integers(0, 3), max_size=2)), inputs))


def _flatten(draw: Draw) -> Drawn:
    return Drawn("flatten", tuple(draw(st.lists(st.integers(0, 3), min_size=1, max_size=4))))


def _highway(draw: Draw) -> Drawn:
    width = draw(st.integers(1, 3))
    return Drawn(_call("highway", width), (draw(st.integers(0, 3)), width))


def _embedding(draw: Draw) -> Drawn:
    count = draw(st.integers(1, 5))
    shape = tuple(draw(st.lists(st.integers(0, 3), max_size=2)))
    return Drawn(_call("embedding", count, draw(st.integers(1, 3))), shape, f"integers(0, {count}, ")


def _dropout(draw: Draw) -> Drawn:
    text = _call(
        "dropout", draw(st.sampled_from([0, 0.1, 0.5, 0.9])), training=draw(st.sampled_from([True, True, False]))
    )
    return Drawn(text, (draw(st.integers(1, 4)), draw(st.integers(1, 4))))


def _softmax(word: str) -> Callable[[Draw], Drawn]:
    def drawn(draw: Draw) -> Drawn:
        shape = draw(_places(draw(st.integers(1, 3)), 2))
        return Drawn(_call(word, axis=draw(st.integers(-len(shape), len(shape) - 1))), shape)

    return drawn


def _prelu(draw: Draw) -> Drawn:
    channels = draw(st.integers(1, 3))
    lead = (draw(st.integers(0, 2)), channels) if channels > 1 else draw(_places(draw(st.integers(0, 2))))
    return Drawn(_call("prelu", channels), (*lead, *draw(_places(draw(st.integers(0, 2))))))


def _activation(kind: LayerKind) -> Callable[[Draw], Drawn]:
    """An op as a layer: the op itself is tested with all its options among the ops."""
    text, x = kind.example
    return lambda draw: Drawn(text, draw(_places(draw(st.integers(1, 3)), 0)), x.partition("size=")[0])


DRAWN: dict[str, Callable[[Draw], Drawn]] = {
    "linear": _linear,
    "flatten": _flatten,
    "highway": _highway,
    "embedding": _embedding,
    **{f"conv{n}d": _convolution(f"conv{n}d", n) for n in (1, 2)},
    **{f"conv_transpose{n}d": _convolution(f"conv_transpose{n}d", n) for n in (1, 2)},
    **{f"{kind}_pool{n}d": _pool(f"{kind}_pool{n}d", n) for kind in ("max", "avg") for n in (1, 2)},
    **{name: _global(name) for name in ("global_avg_pool", "global_max_pool")},
    "upsample": _upsample,
    "layer_norm": _layer_norm,
    "rms_norm": _rms_norm,
    "batch_norm": _batch_norm,
    "group_norm": _group_norm,
    "instance_norm": _instance_norm,
    "dropout": _dropout,
    **{name: _recurrent(name) for name in ("rnn", "lstm", "gru")},
    "attention": _attention,
    "transformer_block": _transformer_block,
    **{name: _softmax(name) for name in ("softmax", "log_softmax")},
    "prelu": _prelu,
    **{kind.name: _activation(kind) for kind in OF_OPS},
}


@st.composite
def layers(draw: st.DrawFn, name: str) -> Drawn:
    """The layer of that name with drawn options, and a shape that it takes."""
    return DRAWN[name](draw)
