"""Mistakes written as arrays: what a wrong backward gives in place of the right gradient, each with its kind.

Kinds were written down before there was a rule to find them; where two names say the same thing, both stand there.
"""

from __future__ import annotations

from tests.diagnosis.planting import Plant
from tests.diagnosis.plants_of_places import PLACES
from tests.diagnosis.plants_of_sizes import SIZES

__all__ = ["PLANTS", "Plant"]

PLANTS: list[Plant] = [*SIZES, *PLACES]
