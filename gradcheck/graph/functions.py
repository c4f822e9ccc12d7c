"""The composed functions that an expression may call: losses, and convolutions and pools as layers have them.

What they mean is said in `losses` and `layers`. The layers are imported when one of theirs is called, for a function
seldom is: reading all of them takes longer than most cases do.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from gradcheck.graph.composed import Composed
from gradcheck.graph.losses import LOSSES

OF_LAYERS = (
    "conv1d", "conv2d", "conv_transpose1d", "conv_transpose2d", "max_pool1d", "avg_pool1d", "max_pool2d", "avg_pool2d",
    "global_avg_pool", "global_max_pool",
)  # fmt: skip


class _Functions(Mapping[str, Composed]):
    """Name → function; names are known without an import."""

    def __getitem__(self, name: str) -> Composed:
        if name not in OF_LAYERS:
            return LOSSES[name]
        from gradcheck.graph.layers.functions import FUNCTIONS

        return FUNCTIONS[name]

    def __contains__(self, name: object) -> bool:
        return name in OF_LAYERS or name in LOSSES

    def __iter__(self) -> Iterator[str]:
        return iter((*LOSSES, *OF_LAYERS))

    def __len__(self) -> int:
        return len(LOSSES) + len(OF_LAYERS)


COMPOSED: Mapping[str, Composed] = _Functions()
