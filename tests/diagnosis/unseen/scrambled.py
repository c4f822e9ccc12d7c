"""Failures that are none of the known mistakes: linear in the upstream gradient, of the right shapes, and nonsense."""

from __future__ import annotations

SCRAMBLED = [
    ("recurrent", "elman", "elman", "elman_backward"),
    ("recurrent", "long memory", "long_memory", "long_memory_backward"),
    ("attention", "attend", "attend", "attend_backward"),
    ("attention", "glimpse", "glimpse", "glimpse_backward"),
    ("norms", "rms norm", "rms_norm", "rms_norm_backward"),
    ("norms", "weight norm", "weight_norm", "weight_norm_backward"),
    ("images", "dilated", "dilated", "dilated_backward"),
    ("dense", "highway", "highway", "highway_backward"),
    ("dense", "bilinear", "bilinear", "bilinear_backward"),
    ("dense", "cosine", "cosine", "cosine_backward"),
]

_SCRAMBLES = {
    "random": "chance.normal(size=(g.size, up.size)) @ up.ravel()",
    "permuted": "chance.permutation(g.ravel())",
    "rescaled": "g.ravel() * chance.normal(size=g.size) + chance.normal(size=g.size) * g.ravel()[::-1]",
    "elsewhere": "g.ravel()",
}


def source_of(how: str, forward: str, backward: str) -> str:
    """What to append to a module so that its backward returns scrambled gradients.

    elsewhere : the right gradients of another point
    """
    forward_of = f"""

def {forward}(*inputs, exact={forward}):
    chance = np.random.default_rng(5)
    return exact(*inputs)[0], exact(*[chance.normal(size=np.shape(a)) for a in inputs])[1]
"""
    return (
        (forward_of if how == "elsewhere" else "")
        + f"""

def {backward}(up, kept, exact={backward}):
    chance = np.random.default_rng(11)
    return tuple(({_SCRAMBLES[how]}).reshape(g.shape) for g in exact(up, kept))
"""
    )
