"""Estimates made by hand, for the tests of what follows from them."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcheck.model.evidence import Estimate, Quality, Reason


def estimate(value: Any, bound: Any = 1e-10, **fields: Any) -> Estimate:
    """Measured twice, with the same bound, nowhere at a kink; any field may be given, as a number or an array."""
    value = np.atleast_1d(np.asarray(value, float))
    with np.errstate(invalid="ignore"):
        low, high = value - bound, value + bound
    usual: dict[str, Any] = {
        "bound": bound, "second": value, "second_bound": bound, "step": 1e-3, "low": low,
        "high": high, "band": 0.0, "reach": np.abs(value), "quality": Quality.MEASURED, "reason": Reason.NONE,
        "flat": False, "evaluations": 8, "checked": True,
    }  # fmt: skip
    kinds = {"quality": np.int8, "reason": np.int8, "flat": np.bool_, "evaluations": np.int64, "checked": np.bool_}
    arrays = {
        name: np.array(np.broadcast_to(np.asarray(given, kinds.get(name, np.float64)), value.shape))
        for name, given in (usual | fields).items()
    }
    return Estimate(value=value, **arrays, shared=0)


def kink(low: float, high: float, **fields: Any) -> Estimate:
    """One element at a kink with slopes from low to high."""
    middle, half = (0.5 * (low + high), 0.5 * (high - low)) if np.isfinite([low, high]).all() else (0.0, np.inf)
    at_kink = {"low": low, "high": high, "quality": Quality.UNRESOLVED, "reason": Reason.KINK}
    return estimate(middle, half, **(at_kink | fields))
