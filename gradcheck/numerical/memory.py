"""Memory: large arrays are kept for the next one, not given back and mapped afresh."""

from __future__ import annotations

import numpy as np

LARGEST = 31 << 17  # numbers: just below the size that the C library will ever keep


def keep_what_is_freed() -> None:
    """The C library maps an array afresh, page by page, as long as it has seen no larger one freed. Here is one.

    Before any work: what was mapped until then leaves holes. A small network's check took a fifth longer.
    """
    np.empty(LARGEST)
