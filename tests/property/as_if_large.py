"""What the structure engine does for the sake of large arrays, done with small ones."""

from __future__ import annotations

import pytest

from gradcheck.perturb import contraction, move, tiles


def count_as_large(patch: pytest.MonkeyPatch) -> None:
    """Every array: tiles of a row or two, products of matrices where sums of products would do."""
    patch.setattr(tiles, "LARGE", 1)
    patch.setattr(tiles, "TILE", 64)
    patch.setattr(move, "LARGE", 1)
    patch.setattr(contraction, "MANY", 1)
