"""A hundred failures that are none of the known mistakes: whatever a rule says about one of them is wrong.

Four sorts: random numbers of the right size, the right numbers in another order, the right gradient of a network with
other numbers in it, and the right numbers each times a random factor.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from tests.diagnosis.layers import LAYERS, Layer, P

SORTS = ("random", "permuted", "another network", "random factors")


@dataclass(frozen=True)
class Outside:
    name: str
    layer: str
    sort: str
    seed: int

    def wrong(self, g: Any, p: Any, r: dict[str, Any]) -> dict[str, Any]:
        layer, generator = LAYERS[self.layer], np.random.default_rng(100 + self.seed)
        tensor = largest(layer)
        right = r[tensor]
        if self.sort == "random":
            return {tensor: generator.normal(size=right.shape) * np.sqrt(np.mean(right**2))}
        if self.sort == "permuted":
            return {tensor: generator.permutation(right.reshape(-1)).reshape(right.shape)}
        if self.sort == "another network":
            return {tensor: layer.vjp(g, P(layer.point(50 + self.seed)))[tensor]}
        return {tensor: right * generator.uniform(0.3, 3, right.shape)}


def largest(layer: Layer) -> str:
    return max(layer.shapes, key=lambda name: int(np.prod(layer.shapes[name])))


def outside() -> Iterator[Outside]:
    """Every sort for 25 layers, those left out whose gradient is the same in every network."""
    constant = {"running sum", "average-pool", "embedding", "dropout"}
    names = [name for name in LAYERS if name not in constant]
    for turn, sort in enumerate(SORTS):
        for place in range(25):
            layer = names[(place + 8 * turn) % len(names)]
            yield Outside(f"{layer}, {sort}", layer, sort, 25 * turn + place)


OUTSIDE = list(outside())
