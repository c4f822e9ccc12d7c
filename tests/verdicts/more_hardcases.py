"""A second verdict suite: forward/backward pairs whose right answer is known, of other functions than the first.

A table, one case in one line, in the format of `hardcases.py`: CASES holds (name, truth, inputs), and
`<name>_forward(*inputs) -> (out, cache)`, `<name>_backward(dout, cache) -> gradients` are functions of the module. What
may come out is said in `suite.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

CASES: list[tuple[str, str, tuple[Any, ...]]] = []
Forward = Callable[..., Any]
Backward = Callable[..., Any]


def case(name: str, truth: str, inputs: list[Any], forward: Forward, backward: Backward) -> None:
    """Register forward(*inputs) -> out and backward(dout, out, *inputs) -> gradients."""

    def run_forward(*xs: Any) -> Any:
        out = forward(*xs)
        return out, (out, xs)

    def run_backward(dout: Any, cache: Any) -> Any:
        out, xs = cache
        gradients = backward(dout, out, *xs)
        return gradients if isinstance(gradients, tuple) else (gradients,)

    run_forward.__name__, run_backward.__name__ = name + "_forward", name + "_backward"
    globals()[run_forward.__name__], globals()[run_backward.__name__] = run_forward, run_backward
    CASES.append((name, truth, tuple(np.asarray(x) for x in inputs)))


def pair(name: str, inputs: list[Any], forward: Forward, right: Backward, **wrong: Backward) -> None:
    """A right backward pass, and wrong ones of the same function."""
    case(name, "right", inputs, forward, right)
    for mistake, backward in wrong.items():
        case(f"{name}__{mistake}", "wrong", inputs, forward, backward)


def kink(name: str, inputs: list[Any], forward: Forward, right: dict[str, Backward], wrong: dict[str, Backward]) -> None:
    """Slopes that count as right at a kink, and such that do not."""
    for backwards, truth in ((right, "kink-right"), (wrong, "kink-wrong")):
        for label, backward in backwards.items():
            case(f"{name}__{label}", truth, inputs, forward, backward)


r = np.random.default_rng(20)
P = r.normal(size=(4, 5))
ROW = r.normal(size=6)
POSITIVE = np.exp(r.normal(size=7))

# --- scales of f, of x, of both; elements of one tensor far apart ---------------------------------------------------
for power in (-30, -14, 9, 15, 30):
    pair(f"f_1e{power}".replace("-", "m"), [P], lambda x, s=10.0**power: s * np.sum(np.exp(np.sin(x))),
         lambda d, o, x, s=10.0**power: d * s * np.exp(np.sin(x)) * np.cos(x),
         off1e4=lambda d, o, x, s=10.0**power: d * s * np.exp(np.sin(x)) * np.cos(x) * 1.0001)
for power in (-12, -6, 5, 12):
    pair(f"x_1e{power}".replace("-", "m"), [P * 10.0**power], lambda x, s=10.0**power: np.tanh(x / s),
         lambda d, o, x, s=10.0**power: d * (1 - o**2) / s, no_scale=lambda d, o, x, s=10.0**power: d * (1 - o**2),
         off1e3=lambda d, o, x, s=10.0**power: 1.001 * d * (1 - o**2) / s)
pair("x_tiny_f_huge", [P * 1e-12], lambda x: 1e30 * np.arctan(x * 1e12), lambda d, o, x: d * 1e42 / (1 + (x * 1e12)**2),
     off1pct=lambda d, o, x: d * 1.01e42 / (1 + (x * 1e12)**2))
pair("x_huge_f_tiny", [P * 1e12], lambda x: 1e-30 * np.sum(x**2), lambda d, o, x: d * 2e-30 * x, half=lambda d, o, x: d * 1e-30 * x)
SPREAD = r.choice([-1.0, 1.0], 9) * r.uniform(1, 3, 9) * 10.0 ** np.arange(-8, 10, 2)
pair("inputs_16_orders", [SPREAD], lambda x: np.sum(np.arctan(x)), lambda d, o, x: d / (1 + x**2),
     largest=lambda d, o, x: d / (1 + x**2) * np.where(np.arange(9) == 8, 0.9, 1), smallest=lambda d, o, x: d / (1 + x**2) * np.where(np.arange(9) == 0, 0.9, 1))
SIZES = 10.0 ** np.arange(-8, 10, 2)
pair("slopes_16_orders_vector", [r.normal(size=9)], lambda x: SIZES * np.sin(x), lambda d, o, x: d * SIZES * np.cos(x),
     smallest=lambda d, o, x: d * SIZES * np.cos(x) * np.where(np.arange(9) == 0, 1e3, 1), middle=lambda d, o, x: d * SIZES * np.cos(x) * np.where(np.arange(9) == 3, 1.05, 1), largest=lambda d, o, x: d * SIZES * np.cos(x) * np.where(np.arange(9) == 8, 1.05, 1))
pair("two_tensors_far_apart", [np.array([2e-6, -3e-6]), np.array([4e5, 1e5])], lambda a, b: np.sum(a * b * np.cos(a * b)),
     lambda d, o, a, b: (d * (np.cos(a * b) - a * b * np.sin(a * b)) * b, d * (np.cos(a * b) - a * b * np.sin(a * b)) * a),
     exchanged=lambda d, o, a, b: (d * (np.cos(a * b) - a * b * np.sin(a * b)) * a, d * (np.cos(a * b) - a * b * np.sin(a * b)) * b))
pair("integer_values", [np.arange(-3.0, 4.0)], lambda x: x**3 - 2 * x, lambda d, o, x: d * (3 * x**2 - 2), cube_as_square=lambda d, o, x: d * (2 * x**2 - 2))
pair("all_zero", [np.zeros((3, 2)), np.zeros(2)], lambda w, b: 1 / (1 + np.exp(-(P[:, :3] @ w + b))), lambda d, o, w, b: (P[:, :3].T @ (d * o * (1 - o)), (d * o * (1 - o)).sum(0)),
     b_not_summed_right=lambda d, o, w, b: (P[:, :3].T @ (d * o * (1 - o)), (d * o * (1 - o))[0]), no_derivative=lambda d, o, w, b: (P[:, :3].T @ d, d.sum(0)))
pair("one_element_zero", [np.array([0.0, 2.0, -1.0])], lambda x: np.sum(np.sin(x) * np.exp(x)), lambda d, o, x: d * np.exp(x) * (np.sin(x) + np.cos(x)), product_rule=lambda d, o, x: d * np.exp(x) * np.cos(x))
pair("scalar_input", [np.array(1.7)], lambda x: x**2 * np.log(x), lambda d, o, x: d * (2 * x * np.log(x) + x), one_term=lambda d, o, x: d * 2 * x * np.log(x))
# --- offsets and cancellation ---------------------------------------------------------------------------------------
for power in (8, 10):
    pair(f"offset_1e{power}", [P], lambda x, c=10.0**power: c + np.sum(np.sin(x) + 2 * x), lambda d, o, x: d * (np.cos(x) + 2), no_two=lambda d, o, x: d * (np.cos(x) + 1))
pair("offset_vector_1e8", [ROW], lambda x: 1e8 + np.exp(x), lambda d, o, x: d * np.exp(x), off10pct=lambda d, o, x: 1.1 * d * np.exp(x))
pair("root_difference", [np.array([10.0, 300.0, 4e3])], lambda x: np.sqrt(x * x + 1) - x, lambda d, o, x: -d / (np.sqrt(x * x + 1) * (np.sqrt(x * x + 1) + x)),
     sign=lambda d, o, x: d / (np.sqrt(x * x + 1) * (np.sqrt(x * x + 1) + x)))
pair("variance_by_moments", [5e3 + r.normal(size=9)], lambda x: np.mean(x * x) - np.mean(x)**2, lambda d, o, x: d * 2 * (x - x.mean()) / 9, n_minus_1=lambda d, o, x: d * 2 * (x - x.mean()) / 8)
pair("one_minus_cos", [np.array([1e-3, 2e-2, 0.5])], lambda x: np.sum((1 - np.cos(x)) / x**2), lambda d, o, x: d * (x * np.sin(x) - 4 * np.sin(x / 2)**2) / x**3,
     quotient_sign=lambda d, o, x: d * (x * np.sin(x) + 4 * np.sin(x / 2)**2) / x**3)
# --- strong curvature, poles, edges of the domain -------------------------------------------------------------------
pair("sin_300x", [r.normal(size=5)], lambda x: np.sin(300 * x), lambda d, o, x: d * 300 * np.cos(300 * x), no_inner=lambda d, o, x: d * np.cos(300 * x))
pair("narrow_bump", [np.array([0.01, 0.1, -0.2])], lambda x: np.sum(np.exp(-50 * x**2)), lambda d, o, x: d * -100 * x * np.exp(-50 * x**2), sign=lambda d, o, x: d * 100 * x * np.exp(-50 * x**2))
pair("power_7_5", [POSITIVE], lambda x: np.sum(x**7.5), lambda d, o, x: d * 7.5 * x**6.5, exponent_kept=lambda d, o, x: d * 7.5 * x**7.5)
pair("power_two_inputs", [POSITIVE, r.normal(size=7)], lambda x, y: x**y, lambda d, o, x, y: (d * y * x**(y - 1), d * o * np.log(x)), no_log=lambda d, o, x, y: (d * y * x**(y - 1), d * o))
pair("tan_near_pole", [np.array([1.5707, -1.56, 1.0])], np.tan, lambda d, o, x: d * (1 + o**2), no_square=lambda d, o, x: d * (1 + o))
pair("one_over_small", [np.array([1e-3, -2e-3, 1.0])], lambda x: np.sum(1 / x), lambda d, o, x: -d / x**2, sign=lambda d, o, x: d / x**2)
pair("division_close_to_pole", [np.array([3.0 + 1e-7, 2.9, 5.0])], lambda x: 1 / (x - 3), lambda d, o, x: -d / (x - 3)**2, not_squared=lambda d, o, x: -d / np.abs(x - 3))
pair("rational", [P[:2], P[2:] * 5], lambda a, b: a / (1 + b * b), lambda d, o, a, b: (d / (1 + b * b), -d * 2 * a * b / (1 + b * b)**2), no_square=lambda d, o, a, b: (d / (1 + b * b), -d * 2 * a * b / (1 + b * b)))
pair("log_near_zero", [np.array([1e-9, 1e-5, 3.0])], lambda x: np.sum(np.log(x)), lambda d, o, x: d / x, base10=lambda d, o, x: d / x / np.log(10))
pair("log_tiny_all", [np.array([1e-300, 3e-299])], np.log, lambda d, o, x: d / x, off1pct=lambda d, o, x: 1.01 * d / x)
pair("sqrt_1e_12", [np.array([1e-12, 2e-12, 1e-4])], np.sqrt, lambda d, o, x: d / (2 * o), not_halved=lambda d, o, x: d / o)
pair("arcsin_near_one", [np.array([1 - 1e-6, -0.999, 0.3])], np.arcsin, lambda d, o, x: d / np.sqrt((1 - x) * (1 + x)), no_root=lambda d, o, x: d / ((1 - x) * (1 + x)))
pair("arctanh_near_one", [np.array([1 - 1e-9, 0.5])], np.arctanh, lambda d, o, x: d / ((1 - x) * (1 + x)), half=lambda d, o, x: d / ((1 - x) * (1 + x)) / 2)
pair("x_1_5_near_zero", [np.array([1e-8, 1e-3, 2.0])], lambda x: x**1.5, lambda d, o, x: 1.5 * d * np.sqrt(x), exponent=lambda d, o, x: 1.5 * d * x)
pair("x_log_x_edge", [np.array([1e-10, 0.5])], lambda x: np.sum(x * np.log(x)), lambda d, o, x: d * (np.log(x) + 1), no_one=lambda d, o, x: d * np.log(x))
pair("entropy", [np.array([0.1, 0.2, 0.7 - 1e-9, 1e-9])], lambda p: -np.sum(p * np.log(p)), lambda d, o, p: -d * (np.log(p) + 1), sign=lambda d, o, p: d * (np.log(p) + 1))
pair("x_2_5_at_edge", [np.array([0.0, 1.0, 2.0])], lambda x: np.sum(x**2.5 + x), lambda d, o, x: d * (2.5 * x**1.5 + 1), constant=lambda d, o, x: d * (2.5 * x**1.5 + 1.1))
pair("log1p_at_minus_one_edge", [np.array([-1 + 1e-6, 0.0, 2.0])], np.log1p, lambda d, o, x: d / (1 + x), plain_log=lambda d, o, x: d / np.where(x == 0, 1.1, 1 + x))
pair("atan2", [ROW[:3], ROW[3:]], np.arctan2, lambda d, o, y, x: (d * x / (x * x + y * y), -d * y / (x * x + y * y)), swapped=lambda d, o, y, x: (-d * y / (x * x + y * y), d * x / (x * x + y * y)))
pair("hypot", [ROW[:3], ROW[3:]], np.hypot, lambda d, o, a, b: (d * a / o, d * b / o), not_normalised=lambda d, o, a, b: (d * a, d * b))
pair("cosh_large", [np.array([-200.0, 150.0])], np.cosh, lambda d, o, x: d * np.sinh(x), even=lambda d, o, x: d * np.cosh(x))
pair("log_gamma_like", [np.array([1e6, 3.0, 50.0])], lambda x: np.sum(x * np.log(x) - x), lambda d, o, x: d * np.log(x), extra=lambda d, o, x: d * (np.log(x) - 1e-3))
# --- kinks at the point ---------------------------------------------------------------------------------------------
AT = np.array([0.0, 0.7, -1.2])
kink("abs_at_zero", [AT], lambda x: np.sum(np.abs(x)), {"sign": lambda d, o, x: d * np.sign(x), "one": lambda d, o, x: d * np.where(x < 0, -1.0, 1.0)},
     {"two": lambda d, o, x: d * np.where(x == 0, 2.0, np.sign(x)), "sign_lost": lambda d, o, x: d * np.where(x == 0, 0.0, 1.0)})
kink("abs_vector_at_zero", [AT], np.abs, {"sign": lambda d, o, x: d * np.sign(x)}, {"over": lambda d, o, x: d * np.where(x == 0, 1.01, np.sign(x))})
kink("leaky_at_zero", [AT], lambda x: np.where(x > 0, x, 0.1 * x), {"low": lambda d, o, x: d * np.where(x > 0, 1, 0.1), "high": lambda d, o, x: d * np.where(x >= 0, 1, 0.1)}, {"none": lambda d, o, x: d * np.where(x > 0, 1, 0.1) * (x != 0)})
kink("relu6_at_six", [np.array([6.0, 3.0, 8.0, -1.0])], lambda x: np.sum(np.clip(x, 0, 6)), {"in": lambda d, o, x: d * ((x > 0) & (x <= 6)), "out": lambda d, o, x: d * ((x > 0) & (x < 6))}, {"negative": lambda d, o, x: d * np.where(x == 6, -0.1, (x > 0) & (x < 6))})
kink("clip_at_both", [np.array([-1.0, 1.0, 0.2])], lambda x: np.clip(x, -1, 1) * np.array([1.0, 2.0, 3.0]), {"half": lambda d, o, x: d * np.array([0.5, 1.0, 3.0])}, {"twice": lambda d, o, x: d * np.array([2.0, 2.0, 3.0])})
TIED_A, TIED_B = np.array([1.0, 2.0, -3.0]), np.array([1.0, 5.0, -3.0])
kink("maximum_tied_inputs", [TIED_A, TIED_B], np.maximum, {"first": lambda d, o, a, b: (d * (a >= b), d * (b > a)), "split": lambda d, o, a, b: (d * ((a > b) + 0.5 * (a == b)), d * ((b > a) + 0.5 * (a == b)))},
     {"both": lambda d, o, a, b: (d * (a >= b), d * (b >= a)), "neither": lambda d, o, a, b: (d * (a > b), d * (b > a))})
kink("minimum_tied_inputs", [TIED_A, TIED_B], lambda a, b: np.sum(np.minimum(a, b)), {"second": lambda d, o, a, b: (d * (a < b), d * (b <= a))}, {"over": lambda d, o, a, b: (d * np.where(a == b, 1.5, a < b), d * (b < a))})
SCORES = np.array([[2.0, 1.0, 0.5], [0.0, 3.0, 2.5]])
def hinge(s: Any) -> Any: return np.maximum(0, s - s[[0, 1], [0, 1]][:, None] + 1) * (1 - np.eye(2, 3))
def hinge_backward(d: Any, o: Any, s: Any, edge: float = 0.0, own: float = 1.0) -> Any:
    slope = np.where(s - s[[0, 1], [0, 1]][:, None] + 1 > 0, 1.0, np.where(s - s[[0, 1], [0, 1]][:, None] + 1 == 0, edge, 0.0)) * (1 - np.eye(2, 3)) * d
    return slope - np.eye(2, 3) * own * slope.sum(1, keepdims=True)
kink("hinge_margin_zero", [SCORES], hinge, {"off": hinge_backward, "on": lambda d, o, s: hinge_backward(d, o, s, 1.0)}, {"double": lambda d, o, s: hinge_backward(d, o, s, 2.0), "own_class_only_off": lambda d, o, s: hinge_backward(d, o, s, 0.5, -1.0)})
BOARD = np.array([[1.0, 3.0, 0.0, 2.0], [3.0, 1.0, 3.0, 2.0], [0.0, 3.0, 2.0, 2.0]])
def windows(x: Any) -> Any: return np.stack([x[:-1, :-1], x[:-1, 1:], x[1:, :-1], x[1:, 1:]])
def pool_backward(d: Any, o: Any, x: Any, shared: bool = False, every: bool = False, last: bool = False) -> Any:
    hit = (windows(x) == o).astype(float)
    if not every:
        first = np.cumsum(hit[::-1], 0)[::-1] == 1 if last else np.cumsum(hit, 0) == 1
        hit = hit / hit.sum(0) if shared else hit * first
    g = np.zeros_like(x)
    g[:-1, :-1] += d * hit[0]; g[:-1, 1:] += d * hit[1]; g[1:, :-1] += d * hit[2]; g[1:, 1:] += d * hit[3]
    return g
kink("pool_overlapping_ties", [BOARD], lambda x: windows(x).max(0), {"first": pool_backward, "last": lambda d, o, x: pool_backward(d, o, x, last=True), "shared": lambda d, o, x: pool_backward(d, o, x, shared=True)},
     {"every": lambda d, o, x: pool_backward(d, o, x, every=True), "doubled": lambda d, o, x: 2 * pool_backward(d, o, x)})
kink("pool_ties_scalar", [BOARD], lambda x: np.sum(windows(x).max(0)), {"first": lambda d, o, x: pool_backward(d, windows(x).max(0), x)}, {"every": lambda d, o, x: pool_backward(d, windows(x).max(0), x, every=True)})
TIES = np.array([3.0, 1.0, 2.0, 2.0, 5.0])
RANKS = np.array([1.0, -2.0, 0.5, 3.0, 1.5])
def unsort(d: Any, x: Any) -> Any: g = np.zeros(5); g[np.argsort(x, kind="stable")] = d; return g
kink("sort_ties", [TIES], lambda x: np.sort(x) * RANKS, {"stable": lambda d, o, x: unsort(d * RANKS, x)}, {"not_undone": lambda d, o, x: d * RANKS})
kink("median_tie", [np.array([2.0, 7.0, 2.0, -1.0, 9.0])], np.median, {"first": lambda d, o, x: d * np.array([1.0, 0, 0, 0, 0]), "shared": lambda d, o, x: d * np.array([0.5, 0, 0.5, 0, 0])}, {"both": lambda d, o, x: d * np.array([1.0, 0, 1, 0, 0])})
kink("l1_at_zeros", [np.zeros(4), ROW], lambda w, v: 0.3 * np.sum(np.abs(w)) + np.sum(v**2), {"zero": lambda d, o, w, v: (0 * w, d * 2 * v)}, {"one": lambda d, o, w, v: (d + 0 * w, d * 2 * v)})
kink("norm_at_zero", [np.zeros(3)], lambda x: np.sqrt(np.sum(x * x)), {"zero": lambda d, o, x: 0 * x}, {"three": lambda d, o, x: d * 3 * np.ones(3)})
case("norm_at_zero__nan", "wrong", [np.zeros(3)], lambda x: np.sqrt(np.sum(x * x)), lambda d, o, x: d * np.full(3, np.nan))
kink("faint_kink", [np.array([0.0, 1.0])], lambda x: np.sum(x + 0.005 * np.abs(x)), {"middle": lambda d, o, x: d * (1 + 0.005 * np.sign(x))}, {"beyond": lambda d, o, x: d * np.where(x == 0, 1.02, 1.005)})
kink("kink_under_offset", [np.array([0.0, 1.0, -2.0])], lambda x: 1e6 + np.sum(np.maximum(x, 0)), {"zero": lambda d, o, x: d * (x > 0)}, {"two": lambda d, o, x: d * np.where(x == 0, 2, x > 0)})
kink("kink_tiny_x", [np.array([0.0, 3e-10, -2e-10])], lambda x: np.sum(np.abs(x * 1e10)), {"zero": lambda d, o, x: 1e10 * d * np.sign(x)}, {"unscaled_two": lambda d, o, x: 1e10 * d * np.where(x == 0, 2, np.sign(x))})
SAMPLES = r.normal(size=(8, 3)); HEADS = r.normal(size=3); WANTED = r.normal(size=8)
def zero_weights(w: Any) -> Any: return np.mean((np.maximum(SAMPLES @ w, 0) @ HEADS - WANTED)**2)
def zero_weights_backward(d: Any, o: Any, w: Any, slope: float = 0.0) -> Any:
    hidden = SAMPLES @ w
    error = 2 * (np.maximum(hidden, 0) @ HEADS - WANTED) / 8
    return d * SAMPLES.T @ (error[:, None] * HEADS * np.where(hidden > 0, 1.0, slope * (hidden == 0)))
kink("zero_weights_mean_loss", [np.zeros((3, 3))], zero_weights, {"relu0_is_0": zero_weights_backward, "relu0_is_1": lambda d, o, w: zero_weights_backward(d, o, w, 1.0)}, {"huge": lambda d, o, w: zero_weights_backward(d, o, w, 1.0) * 8})
def dead_relu(w: Any, b: Any) -> Any: return np.maximum(SAMPLES @ w + b, 0)
kink("zero_weights_vector", [np.zeros((3, 2)), np.zeros(2)], dead_relu, {"relu0_is_1": lambda d, o, w, b: (SAMPLES.T @ d, d.sum(0))}, {"b_twice": lambda d, o, w, b: (SAMPLES.T @ d, 4 * np.abs(d).sum(0))})
# --- kinks and jumps beside the point: no excuse --------------------------------------------------------------------
BESIDE = np.array([1e-3, -1e-5, 3e-7, -1e-8, 0.4, -2.0])
pair("abs_beside_zero", [BESIDE], lambda x: np.sum(np.abs(x) * RANKS[[0, 1, 2, 3, 4, 0]]), lambda d, o, x: d * np.sign(x) * RANKS[[0, 1, 2, 3, 4, 0]], unsigned=lambda d, o, x: d * RANKS[[0, 1, 2, 3, 4, 0]])
pair("clip_beside_limit", [np.array([1 - 1e-6, 1 + 1e-6, 1 + 1e-8, 0.2, -1 - 1e-4])], lambda x: np.clip(x, -1, 1), lambda d, o, x: d * (np.abs(x) < 1), all_through=lambda d, o, x: d)
pair("max_almost_tied", [np.array([2.0, 2.0 - 1e-7, 1.0])], np.max, lambda d, o, x: d * (x == o), split=lambda d, o, x: d * np.array([0.5, 0.5, 0.0]))
pair("pool_almost_tied", [BOARD + 1e-6 * r.normal(size=BOARD.shape)], lambda x: windows(x).max(0), pool_backward, averaged=lambda d, o, x: 0.9 * pool_backward(d, o, x))
pair("floor_between_jumps", [np.array([0.3, 1.999, -0.5, 7.0001])], lambda x: np.sum(np.floor(x) * 2 + x), lambda d, o, x: d * np.ones(4), straight_through=lambda d, o, x: d * 3 * np.ones(4))
pair("round_plus_square", [P], lambda x: np.round(x) + x**2, lambda d, o, x: d * 2 * x, straight_through=lambda d, o, x: d * (2 * x + 1))
pair("sawtooth", [np.array([0.25, 3.5, -1.75])], lambda x: np.mod(x, 1.0), lambda d, o, x: d, zero=lambda d, o, x: 0 * d)
pair("many_kinks", [r.normal(size=4)], lambda x: np.sum(np.abs(np.abs(np.abs(x) - 0.5) - 0.25)), lambda d, o, x: d * np.sign(np.abs(np.abs(x) - 0.5) - 0.25) * np.sign(np.abs(x) - 0.5) * np.sign(x), inner=lambda d, o, x: d * np.sign(x) * np.sign(np.abs(x) - 0.5))
pair("huber_joint", [np.array([2.0, -2.0, 0.5])], lambda x: np.where(np.abs(x) <= 2, 0.5 * x**2, 2 * np.abs(x) - 2), lambda d, o, x: d * np.clip(x, -2, 2), abs_everywhere=lambda d, o, x: d * 2 * np.sign(x))
pair("elu_at_zero", [AT], lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0))), lambda d, o, x: d * np.where(x > 0, 1, np.exp(np.minimum(x, 0))), relu_like=lambda d, o, x: d * (x > 0))
# --- saturation -----------------------------------------------------------------------------------------------------
pair("tanh_saturated", [np.array([0.5, 5.0, 12.0, -19.0])], np.tanh, lambda d, o, x: d / np.cosh(x)**2, one=lambda d, o, x: d * np.ones(4), mid_off=lambda d, o, x: d / np.cosh(x)**2 * np.array([1.02, 1, 1, 1]))
LOGITS = np.array([[50.0, -50.0, 0.0], [1.0, 2.0, 3.0], [-50.0, 49.0, 50.0]])
def softmax(x: Any) -> Any: e = np.exp(x - x.max(-1, keepdims=True)); return e / e.sum(-1, keepdims=True)
def cross_entropy(x: Any) -> Any: return -np.mean((x - x.max(1, keepdims=True) - np.log(np.exp(x - x.max(1, keepdims=True)).sum(1, keepdims=True)))[[0, 1, 2], [2, 0, 1]])
pair("cross_entropy_pm50", [LOGITS], cross_entropy, lambda d, o, x: d * (softmax(x) - np.eye(3)[[2, 0, 1]]) / 3, no_mean=lambda d, o, x: d * (softmax(x) - np.eye(3)[[2, 0, 1]]), no_target=lambda d, o, x: d * softmax(x) / 3)
pair("softmax_pm50", [LOGITS], softmax, lambda d, o, x: o * (d - (d * o).sum(1, keepdims=True)), diagonal=lambda d, o, x: d * o * (1 - o))
pair("softplus", [np.array([-30.0, -2.0, 0.0, 3.0, 40.0])], lambda x: np.logaddexp(0, x), lambda d, o, x: d / (1 + np.exp(-x)), heaviside=lambda d, o, x: d * (x > 0))
pair("logsumexp", [LOGITS], lambda x: np.log(np.exp(x - 50).sum(1)) + 50, lambda d, o, x: d[:, None] * softmax(x), hardmax=lambda d, o, x: d[:, None] * (x == x.max(1, keepdims=True)))
# --- noise and low precision ----------------------------------------------------------------------------------------
def newton_root(x: Any) -> Any:
    y = np.ones_like(x)
    while np.any(np.abs(y * y - x) > 1e-10 * x): y = 0.5 * (y + x / y)
    return y
pair("newton_sqrt", [POSITIVE], newton_root, lambda d, o, x: d / (2 * np.sqrt(x)), factor=lambda d, o, x: d / np.sqrt(x))
def fixed_point(x: Any) -> Any:
    y = np.zeros_like(x)
    while True:
        new = np.cos(y) * 0.5 + x
        if np.abs(new - y).max() < 1e-8: return new
        y = new
pair("fixed_point_1e8", [ROW], fixed_point, lambda d, o, x: d / (1 + 0.5 * np.sin(o)), explicit_only=lambda d, o, x: d)
def bisection(x: Any) -> Any:
    low, high = np.zeros_like(x), np.full_like(x, 20.0)
    for _ in range(34):
        middle = 0.5 * (low + high); below = middle + np.log1p(middle) < x; low, high = np.where(below, middle, low), np.where(below, high, middle)
    return 0.5 * (low + high)
pair("bisection_2e9", [POSITIVE + 1], bisection, lambda d, o, x: d / (1 + 1 / (1 + o)), inverse=lambda d, o, x: d * (1 + 1 / (1 + o)))
pair("relative_noise_1e9", [ROW], lambda x: np.exp(x) * (1 + 1e-9 * np.sin(1e12 * x)), lambda d, o, x: d * np.exp(x), off3pct=lambda d, o, x: 1.03 * d * np.exp(x))
pair("noise_1e6_sum", [ROW], lambda x: np.sum(np.sin(x) + x) + 1e-6 * np.sin(1e13 * np.sum(x)), lambda d, o, x: d * (np.cos(x) + 1), minus=lambda d, o, x: d * (np.cos(x) - 1))
HALF = r.normal(size=(6, 4)).astype(np.float16); SINGLE = r.normal(size=(6, 4)).astype(np.float32)
pair("float16_inside", [P], lambda x: np.sin(x.astype(np.float16)).astype(float), lambda d, o, x: d * np.cos(x), sign=lambda d, o, x: -d * np.cos(x), off30pct=lambda d, o, x: 1.3 * d * np.cos(x))
pair("float32_inside", [P], lambda x: np.exp(x.astype(np.float32)).sum(1), lambda d, o, x: d[:, None] * np.exp(x), off5pct=lambda d, o, x: 1.05 * d[:, None] * np.exp(x), not_broadcast=lambda d, o, x: np.exp(x) * d.mean())
pair("float32_inputs", [SINGLE], lambda x: 1 / (1 + np.exp(-x)), lambda d, o, x: d.astype(np.float32) * o * (1 - o), no_factor=lambda d, o, x: d.astype(np.float32) * o)
pair("float32_backward_only", [P], lambda x: np.sum(np.sin(x) * x), lambda d, o, x: np.float32(d * (np.cos(x) * x + np.sin(x))), off1pct=lambda d, o, x: np.float32(1.01 * d * (np.cos(x) * x + np.sin(x))))
pair("float32_arithmetic_backward", [r.normal(size=(12, 10))], lambda x: np.tanh(x @ np.ones((10, 3))), lambda d, o, x: ((d * (1 - o**2)).astype(np.float32) @ np.ones((3, 10), np.float32)).astype(float), off1pct=lambda d, o, x: 1.01 * ((d * (1 - o**2)).astype(np.float32) @ np.ones((3, 10), np.float32)).astype(float))
pair("float16_inputs", [HALF], lambda x: np.tanh(x.astype(np.float32)), lambda d, o, x: (d * (1 - o**2)).astype(np.float16), double=lambda d, o, x: (2 * d * (1 - o**2)).astype(np.float16))
pair("float32_forward_double_backward", [P], lambda x: np.float32(np.sum(np.log1p(np.float32(x)**2))), lambda d, o, x: d * 2 * x / (1 + x**2), no_inner=lambda d, o, x: d / (1 + x**2))
# --- few, small or faint mistakes -----------------------------------------------------------------------------------
MANY = r.normal(size=(100, 200)); COEFFICIENTS = r.uniform(0.5, 2, 200)
def many(x: Any) -> Any: return np.sum(x * (x * x + 1) * COEFFICIENTS)
def many_backward(d: Any, o: Any, x: Any, at: Any = (), factor: float = 1.0) -> Any: g = d * (3 * x * x + 1) * COEFFICIENTS; g[at] = g[at] * factor if at else g[at]; return g
pair("one_in_20000", [MANY], many, lambda d, o, x: many_backward(d, o, x), by_1pct=lambda d, o, x: many_backward(d, o, x, (61, 17), 1.01), sign=lambda d, o, x: many_backward(d, o, x, (99, 199), -1.0), by_1e4=lambda d, o, x: many_backward(d, o, x, (50, 100), 1.0001))
case("one_in_20000__shifted_row", "wrong", [MANY], many, lambda d, o, x: np.vstack([many_backward(d, o, x)[:50], np.roll(many_backward(d, o, x)[50:51], 1), many_backward(d, o, x)[51:]]))
def normalise(x: Any, eps: float = 1e-5) -> Any: return (x - x.mean(0)) / np.sqrt(x.var(0) + eps)
def normalise_backward(d: Any, o: Any, x: Any, eps: float = 1e-5) -> Any:
    s = np.sqrt(x.var(0) + eps)
    h = (x - x.mean(0)) / s
    return (d - d.mean(0) - h * (d * h).mean(0)) / s
pair("batch_norm", [r.normal(size=(7, 4))], normalise, normalise_backward, eps_left_out=lambda d, o, x: normalise_backward(d, o, x, 0.0), no_centering=lambda d, o, x: d / np.sqrt(x.var(0) + 1e-5))
pair("unit_vector_eps", [P], lambda x: x / np.sqrt((x * x).sum(1, keepdims=True) + 1e-5), lambda d, o, x: (d - o * (d * o).sum(1, keepdims=True)) / np.sqrt((x * x).sum(1, keepdims=True) + 1e-5),
     eps_left_out=lambda d, o, x: (d - o * (d * o).sum(1, keepdims=True)) / np.sqrt((x * x).sum(1, keepdims=True)), no_projection=lambda d, o, x: d / np.sqrt((x * x).sum(1, keepdims=True) + 1e-5))
pair("rms_norm", [P], lambda x: x / np.sqrt((x * x).mean(1, keepdims=True) + 6e-6), lambda d, o, x: (d - o * (d * o).mean(1, keepdims=True)) / np.sqrt((x * x).mean(1, keepdims=True) + 6e-6),
     eps_left_out=lambda d, o, x: (d - x * (d * x).mean(1, keepdims=True) / (x * x).mean(1, keepdims=True)) / np.sqrt((x * x).mean(1, keepdims=True)))
pair("log_with_eps", [np.array([0.3, 0.9, 0.05])], lambda p: -np.sum(np.log(p + 3e-6)), lambda d, o, p: -d / (p + 3e-6), eps_left_out=lambda d, o, p: -d / p)
pair("weight_decay", [ROW], lambda w: np.sum(np.cos(w)) + 0.5e-4 * np.sum(w**2), lambda d, o, w: d * (-np.sin(w) + 1e-4 * w), decay_left_out=lambda d, o, w: -d * np.sin(w))
pair("one_small_entry", [ROW], lambda x: np.sum(np.sin(x) * np.array([1, 1, 1e-4, 1, 1, 1])), lambda d, o, x: d * np.cos(x) * np.array([1, 1, 1e-4, 1, 1, 1]), wrong_one=lambda d, o, x: d * np.cos(x) * np.array([1, 1, 1.01e-4, 1, 1, 1]))
# --- zeros: stationary points, unused inputs, constants, dead units -------------------------------------------------
pair("stationary_cos", [np.array([0.0, 1.0, 2.0])], lambda x: np.sum(np.cos(x)), lambda d, o, x: -d * np.sin(x), small=lambda d, o, x: d * (-np.sin(x) + 1e-6 * (x == 0)))
pair("stationary_quartic", [np.zeros(3)], lambda x: np.sum(x**4), lambda d, o, x: d * 4 * x**3, constant=lambda d, o, x: d * (4 * x**3 + 1e-4))
pair("saddle", [np.zeros(2)], lambda x: x[0]**2 - x[1]**2, lambda d, o, x: d * 2 * x * np.array([1, -1]), ones=lambda d, o, x: d * np.ones(2))
pair("minimum_of_bowl", [np.array([3.0, -2.0])], lambda x: 5 + np.sum((x - np.array([3.0, -2.0]))**2), lambda d, o, x: d * 2 * (x - np.array([3.0, -2.0])), off=lambda d, o, x: d * 2 * (x - np.array([3.0, -2.001])))
pair("unused_second", [ROW, P], lambda a, b: np.exp(a), lambda d, o, a, b: (d * np.exp(a), np.zeros_like(b)), leak=lambda d, o, a, b: (d * np.exp(a), np.full_like(b, 1e-6)))
pair("unused_element", [ROW], lambda x: np.sum(x[:-1]**2), lambda d, o, x: d * 2 * np.append(x[:-1], 0), leak=lambda d, o, x: d * 2 * np.append(x[:-1], 1e-4))
pair("zero_output_constant", [ROW], lambda x: 3.0 + 0 * x, lambda d, o, x: 0 * d, slope=lambda d, o, x: d * 1e-3)
pair("dead_unit", [P[:, :3]], lambda x: np.maximum(x - np.array([0.0, 100.0, 0.0]), 0), lambda d, o, x: d * (o > 0), alive=lambda d, o, x: d * ((o > 0) | (x[:1] > 1e9) | (np.arange(3) == 1)))
pair("unused_all_dead", [P], lambda x: np.maximum(x - 100, 0), lambda d, o, x: 0 * d, identity=lambda d, o, x: d)
pair("constant_gradient", [ROW], lambda x: 4 * np.sum(x) + 7, lambda d, o, x: d * np.full(6, 4.0), integers_wrong=lambda d, o, x: np.full(6, 5) * d)
pair("all_equal_slopes_zero_sum", [np.ones(4)], softmax, lambda d, o, x: o * (d - (d * o).sum()), no_sum=lambda d, o, x: o * d)
# --- form of the gradients ------------------------------------------------------------------------------------------
def quadratic(x: Any) -> Any: return np.sum(x**2)
case("complex_gradient", "wrong", [ROW], quadratic, lambda d, o, x: d * 2 * x + 0j)
case("infinite_entry", "wrong", [ROW], quadratic, lambda d, o, x: d * np.where(np.arange(6) == 2, np.inf, 2 * x))
case("negative_infinity", "wrong", [ROW], quadratic, lambda d, o, x: d * np.where(np.arange(6) == 5, -np.inf, 2 * x))
case("nan_in_many", "wrong", [MANY[:5]], many, lambda d, o, x: many_backward(d, o, x, (3, 3), np.nan))
case("nan_at_dead_entry", "wrong", [ROW], lambda x: np.sum(x[1:]**2), lambda d, o, x: d * np.where(np.arange(6) == 0, np.nan, 2 * x))
case("nan_at_kink", "wrong", [AT], lambda x: np.sum(np.abs(x)), lambda d, o, x: d * np.where(x == 0, np.nan, np.sign(x)))
case("too_many_gradients", "error", [ROW], quadratic, lambda d, o, x: (d * 2 * x, d))
case("none_gradient", "error", [ROW, P], lambda a, b: np.sum(a) * np.sum(b), lambda d, o, a, b: (d * np.sum(b) * np.ones(6), None))
case("scalar_for_vector", "wrong", [ROW], quadratic, lambda d, o, x: d * 2 * x.sum())
case("transposed_shape", "wrong", [P], quadratic, lambda d, o, x: d * 2 * x.T)
case("jacobian_for_gradient", "wrong", [ROW], np.sin, lambda d, o, x: np.diag(np.cos(x)))
case("text_gradient", "error", [ROW], quadratic, lambda d, o, x: np.array(["a"] * 6))
case("forward_infinite", "error", [np.array([0.0, 1.0])], lambda x: 1 / x, lambda d, o, x: -d / x**2)
case("backward_key_error", "error", [ROW], quadratic, lambda d, o, x: {}["dx"])
# --- behaviour ------------------------------------------------------------------------------------------------------
COUNTER = {"calls": 0}
def counting(x: Any) -> Any: COUNTER["calls"] += 1; return np.sum(x**2) * (1 + 1e-2 * COUNTER["calls"])
case("forward_counts_calls", "error", [ROW], counting, lambda d, o, x: d * 2 * x)
case("dropout_unseeded", "error", [P], lambda x: x * (np.random.default_rng().random(x.shape) > 0.5), lambda d, o, x: d * (o != 0))
case("noise_unseeded", "error", [P], lambda x: x + 0.1 * np.random.default_rng().normal(size=x.shape), lambda d, o, x: d)
pair("dropout_seeded", [P], lambda x: x * (np.random.default_rng(3).random(x.shape) > 0.5) * 2, lambda d, o, x: d * (np.random.default_rng(3).random(x.shape) > 0.5) * 2, other_mask=lambda d, o, x: d * (np.random.default_rng(4).random(x.shape) > 0.5) * 2)
BUFFER = np.zeros(6)
def into_buffer(x: Any) -> Any: BUFFER[:] = np.sin(x); return BUFFER
pair("buffer_reused", [ROW], into_buffer, lambda d, o, x: d * np.cos(x), wrong=lambda d, o, x: d * np.sin(x))
# --- vector outputs: the upstream gradient matters ------------------------------------------------------------------
pair("cumsum", [ROW], np.cumsum, lambda d, o, x: np.cumsum(d[::-1])[::-1], not_reversed=lambda d, o, x: np.cumsum(d), ones=lambda d, o, x: np.arange(6.0, 0, -1))
pair("outer", [ROW[:3], ROW[2:]], np.outer, lambda d, o, a, b: (d @ b, a @ d), upstream_ignored=lambda d, o, a, b: (np.full(3, b.sum()), np.full(4, a.sum())))
pair("log_softmax", [P], lambda x: np.log(softmax(x)), lambda d, o, x: d - np.exp(o) * d.sum(1, keepdims=True), as_if_ones=lambda d, o, x: d - np.exp(o) * d.shape[1], no_sum=lambda d, o, x: d * (1 - np.exp(o)))
KERNEL = np.array([0.5, -1.0, 2.0])
pair("conv1d_same", [r.normal(size=9), KERNEL], lambda x, k: np.convolve(x, k, "same"), lambda d, o, x, k: (np.convolve(d, k[::-1], "same"), np.array([(np.pad(x, 1)[2 - j : 11 - j] * d).sum() for j in range(3)])),
     not_flipped=lambda d, o, x, k: (np.convolve(d, k, "same"), np.array([(np.pad(x, 1)[2 - j : 11 - j] * d).sum() for j in range(3)])), kernel_flipped=lambda d, o, x, k: (np.convolve(d, k[::-1], "same"), np.array([(np.pad(x, 1)[2 - j : 11 - j] * d).sum() for j in range(3)])[::-1]))
pair("gather_repeated", [ROW], lambda x: x[[0, 2, 2, 5]]**2, lambda d, o, x: np.bincount([0, 2, 2, 5], 2 * d * x[[0, 2, 2, 5]], 6), overwritten=lambda d, o, x: np.array([2 * d[0] * x[0], 0, 2 * d[2] * x[2], 0, 0, 2 * d[3] * x[5]]))
pair("broadcast_product", [P, P[:1]], lambda a, b: a * b, lambda d, o, a, b: (d * b, (d * a).sum(0, keepdims=True)), averaged=lambda d, o, a, b: (d * b, (d * a).mean(0, keepdims=True)))
pair("upstream_as_size", [P], np.sin, lambda d, o, x: d * np.cos(x), absolute=lambda d, o, x: np.abs(d) * np.cos(x), signs=lambda d, o, x: np.sign(d) * np.cos(x), squared=lambda d, o, x: d * d * np.cos(x))
pair("mean_over_rows", [P], lambda x: (x**2).mean(0), lambda d, o, x: d * 2 * x / 4, not_divided=lambda d, o, x: d * 2 * x, wrong_axis_count=lambda d, o, x: d * 2 * x / 5)
# --- wrong only somewhere -------------------------------------------------------------------------------------------
SQUARE = r.normal(size=(3, 3)) + 3 * np.eye(3)
pair("inverse", [SQUARE], np.linalg.inv, lambda d, o, a: -o.T @ d @ o.T, not_transposed=lambda d, o, a: -o @ d @ o, diagonal=lambda d, o, a: -np.diag(np.diag(o.T @ d @ o.T)))
pair("log_determinant", [SQUARE], lambda a: np.linalg.slogdet(a)[1], lambda d, o, a: d * np.linalg.inv(a).T, off_diagonal=lambda d, o, a: d * np.linalg.inv(a))
pair("quadratic_form", [SQUARE, ROW[:3]], lambda a, x: x @ a @ x, lambda d, o, a, x: (d * np.outer(x, x), d * (a + a.T) @ x), symmetric_only=lambda d, o, a, x: (d * np.outer(x, x), d * 2 * a @ x))
def run_cell(h: Any, w: Any) -> Any:
    states = [h]
    for t in range(4): states.append(np.tanh(states[-1] @ w + WANTED[t]))
    return np.stack(states[1:])
def through_time(d: Any, o: Any, h: Any, w: Any, steps: int = 4, last: float = 1.0) -> Any:
    dw, carried = np.zeros_like(w), np.zeros_like(h)
    for t in range(3, 3 - steps, -1):
        g = (d[t] * (last if t == 3 else 1.0) + carried) * (1 - o[t]**2)
        dw += np.outer(o[t - 1] if t else h, g)
        carried = g @ w.T
    return carried, dw
pair("recurrent", [ROW[:3], SQUARE / 4], run_cell, through_time, truncated=lambda d, o, h, w: through_time(d, o, h, w, 3), last_step=lambda d, o, h, w: through_time(d, o, h, w, 4, 1.001))
pair("prelu_negatives", [P], lambda x: np.where(x > 0, x, 0.25 * x), lambda d, o, x: d * np.where(x > 0, 1, 0.25), squared_slope=lambda d, o, x: d * np.where(x > 0, 1, 0.0625))
pair("gelu_tanh", [P], lambda x: 0.5 * x * (1 + np.tanh(0.8 * (x + 0.05 * x**3))), lambda d, o, x: d * (0.5 * (1 + np.tanh(0.8 * (x + 0.05 * x**3))) + 0.4 * x * (1 + 0.15 * x**2) / np.cosh(0.8 * (x + 0.05 * x**3))**2), inner_forgotten=lambda d, o, x: d * (0.5 * (1 + np.tanh(0.8 * (x + 0.05 * x**3))) + 0.4 * x / np.cosh(0.8 * (x + 0.05 * x**3))**2))
pair("one_class", [P], lambda x: -np.log(softmax(x)[np.arange(4), [0, 1, 2, 4]]), lambda d, o, x: d[:, None] * (softmax(x) - np.eye(5)[[0, 1, 2, 4]]), last_class=lambda d, o, x: d[:, None] * (softmax(x) - np.eye(5)[[0, 1, 2, 3]]))
pair("padding_edge", [ROW], lambda x: np.pad(x, 1)[:-2] + x + np.pad(x, 1)[2:], lambda d, o, x: np.pad(d, 1)[:-2] + d + np.pad(d, 1)[2:], edge_replicated=lambda d, o, x: np.pad(d, 1, "edge")[:-2] + d + np.pad(d, 1)[2:])
