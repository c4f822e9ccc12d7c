"""README in pieces, for the tests that hold it to its word; and the code that it speaks of without showing it."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[3]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def fences(text: str = README) -> list[tuple[str, str]]:
    """Every fenced block: its language (may be empty) and what stands in it."""
    return re.findall(r"^```(\w*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def fence(start: str) -> str:
    """The only block that begins so."""
    (found,) = (text for _, text in fences() if text.startswith(start))
    return found


def section(heading: str) -> str:
    """From a heading (`## Commands`) to the next one that is not below it."""
    level = heading.partition(" ")[0]
    parts = re.split(rf"^(?=#{{1,{len(level)}}} )", README, flags=re.MULTILINE)
    (found,) = (part for part in parts if part.startswith(f"{heading}\n"))
    return found


# A layer, a torch Function and a jax function, as README's cases name them.
LEAKY = """

class LeakyReLU:
    def __init__(self, alpha):
        self.alpha = alpha

    def forward(self, x):
        self.slope = np.where(x > 0, 1, self.alpha)
        return x * self.slope

    def backward(self, dout):
        return dout * self.slope
"""
TORCH = """\
import torch


class MyFunction(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, w):
        ctx.save_for_backward(x, w)
        return x @ w

    @staticmethod
    def backward(ctx, dout):
        x, w = ctx.saved_tensors
        return dout @ w.T, x.T @ dout
"""
JAX = "import jax.numpy as jnp\n\n\ndef f(x, w):\n    return jnp.tanh(x @ w)\n"
