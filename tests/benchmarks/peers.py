"""The verdict suites under the rules of other checkers, with their defaults: false fails and false passes of each.

Peers that are not installed are named and left out. Rules that are a formula in a lecture are written out here.

    python tests/benchmarks/peers.py [--json FILE]
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import io
import json
import logging
import sys
import warnings
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from verdicts.suite import HERE, SUITES, load_suite, run_suite

LARGE = 5_000  # elements; exhaustive loops on larger pairs take minutes and are left out for every peer alike


@dataclass(frozen=True)
class Pair:
    """A forward and a backward as every peer gets them: arrays in, arrays out."""

    inputs: tuple[np.ndarray, ...]
    forward: Callable[..., np.ndarray]
    backward: Callable[..., tuple[np.ndarray, ...]]


@dataclass(frozen=True)
class Score:
    rule: str
    version: str
    false_fails: int
    false_passes: int
    right: int
    wrong: int
    undecided: int = 0


Rule = Callable[[Pair], bool]  # True: the rule accepts the gradient


def main() -> None:
    pairs = [
        (name, truth, pair)
        for suite in SUITES
        if (HERE / f"{suite}.py").exists()
        for name, truth, pair in _pairs(suite)
    ]
    scores = [_ours({name for name, _, _ in pairs})]
    for label, version, rule in _rules():
        scores.append(_score(label, version, rule, pairs))
    print(f"{'rule':<34}{'version':>10}{'false fails':>14}{'false passes':>14}{'undecided':>11}")
    for score in scores:
        fails, passes = f"{score.false_fails} of {score.right}", f"{score.false_passes} of {score.wrong}"
        print(f"{score.rule:<34}{score.version:>10}{fails:>14}{passes:>14}{score.undecided:>11}")
    if "--json" in sys.argv:
        target = Path(sys.argv[sys.argv.index("--json") + 1])
        target.write_text(json.dumps([asdict(score) for score in scores], indent=1) + "\n", encoding="utf-8")


def _pairs(suite: str) -> list[tuple[str, str, Pair]]:
    module = load_suite(suite)
    found = []
    for name, truth, inputs in module.CASES:
        if sum(np.size(x) for x in inputs) > LARGE:
            continue
        forward, backward = getattr(module, f"{name}_forward"), getattr(module, f"{name}_backward")
        found.append((name, truth, Pair(tuple(np.asarray(x) for x in inputs), *_plain(forward, backward))))
    return found


def _plain(forward: Any, backward: Any) -> tuple[Any, Any]:
    def f(*xs: np.ndarray) -> np.ndarray:
        return np.asarray(forward(*(np.array(x) for x in xs))[0])

    def b(dout: np.ndarray, *xs: np.ndarray) -> tuple[np.ndarray, ...]:
        out, cache = forward(*(np.array(x) for x in xs))
        gradients = backward(np.array(dout) if np.ndim(out) else float(np.asarray(dout)), cache)
        if len(gradients) != len(xs):
            raise ValueError("the number of gradients is wrong")
        return tuple(np.asarray(g) for g in gradients)

    return f, b


def _score(label: str, version: str, rule: Rule, pairs: list[tuple[str, str, Pair]]) -> Score:
    right = wrong = false_fails = false_passes = 0
    for _, truth, pair in pairs:
        good = truth in ("right", "kink-right")
        accepted = _accepts(rule, pair)
        right += good
        wrong += not good
        false_fails += good and not accepted
        false_passes += not good and accepted
    return Score(label, version, false_fails, false_passes, right, wrong)


def _accepts(rule: Rule, pair: Pair) -> bool:
    """A rule that raises has flagged the pair."""
    with warnings.catch_warnings(), np.errstate(all="ignore"), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        try:
            return bool(rule(pair))
        except Exception:
            return False


def _ours(names: set[str]) -> Score:
    answers = [a for suite in SUITES if (HERE / f"{suite}.py").exists() for a in run_suite(suite) if a.name in names]
    good = [a for a in answers if a.truth in ("right", "kink-right")]
    return Score(
        "gradcheck",
        importlib.metadata.version("gradcheck"),
        sum(a.is_false_fail for a in answers),
        sum(a.is_false_pass for a in answers),
        len(good),
        len(answers) - len(good),
        sum(a.is_undecided for a in answers),
    )


# -- rules --


def _rules() -> list[tuple[str, str, Rule]]:
    rules: list[tuple[str, str, Rule]] = [
        ("relative error 1e-4 at h = 1e-5", "formula", _lecture_rule),
        ("norm ratio 2e-7 at h = 1e-7", "formula", _norm_rule),
    ]
    for label, package, make in (
        ("torch gradcheck", "torch", _torch_rule(False)),
        ("torch gradcheck, fast_mode", "torch", _torch_rule(True)),
        ("jax check_grads", "jax", _jax_rule),
        ("autograd check_grads", "autograd", _autograd_rule),
    ):
        try:
            rules.append((label, importlib.metadata.version(package), make))
        except importlib.metadata.PackageNotFoundError:
            print(f"{label}: not installed", file=sys.stderr)
    return rules


def _differences(pair: Pair, step: float, upstream: np.ndarray) -> list[np.ndarray]:
    """Central differences with one absolute step, the classic loop."""
    gradients = []
    for i, x in enumerate(pair.inputs):
        x = x.astype(np.float64)
        gradient = np.zeros(x.shape)
        for index in np.ndindex(x.shape):
            values = []
            for sign in (1, -1):
                moved = x.copy()
                moved[index] += sign * step
                arrays = [*pair.inputs[:i], moved, *pair.inputs[i + 1 :]]
                values.append(float(np.sum(upstream * pair.forward(*arrays))))
            gradient[index] = (values[0] - values[1]) / (2 * step)
        gradients.append(gradient)
    return gradients


def _claims(pair: Pair) -> tuple[np.ndarray, tuple[np.ndarray, ...]]:
    out = pair.forward(*pair.inputs)
    upstream = np.random.default_rng(0).normal(size=out.shape) if out.ndim else np.ones(())
    return upstream, pair.backward(upstream, *pair.inputs)


def _lecture_rule(pair: Pair) -> bool:
    """The course formula of Stanford's CS231n: max |a − n| / max(1e-8, |a| + |n|), flagged above 1e-4."""
    upstream, claims = _claims(pair)
    errors = [
        np.max(np.abs(a - n) / np.maximum(1e-8, np.abs(a) + np.abs(n)))
        for a, n in zip(claims, _differences(pair, 1e-5, upstream), strict=True)
    ]
    return not any(error > 1e-4 for error in errors)


def _norm_rule(pair: Pair) -> bool:
    """Andrew Ng's course formula: ‖a − n‖ / (‖a‖ + ‖n‖) over all parameters, flagged above 2e-7."""
    upstream, claims = _claims(pair)
    a = np.concatenate([np.ravel(c) for c in claims])
    n = np.concatenate([np.ravel(d) for d in _differences(pair, 1e-7, upstream)])
    return not np.linalg.norm(a - n) / (np.linalg.norm(a) + np.linalg.norm(n)) > 2e-7


def _torch_rule(fast: bool) -> Rule:
    def rule(pair: Pair) -> bool:
        import torch

        class Wrapped(torch.autograd.Function):
            @staticmethod
            def forward(ctx: Any, *xs: Any) -> Any:
                ctx.arrays = [x.detach().numpy() for x in xs]
                return torch.from_numpy(np.array(pair.forward(*ctx.arrays)))

            @staticmethod
            def backward(ctx: Any, g: Any) -> Any:
                return tuple(torch.from_numpy(np.array(d)) for d in pair.backward(g.numpy(), *ctx.arrays))

        tensors = [torch.from_numpy(np.array(x)).requires_grad_() for x in pair.inputs]
        return bool(torch.autograd.gradcheck(Wrapped.apply, tensors, fast_mode=fast))

    return rule


def _jax_rule(pair: Pair) -> bool:
    import jax
    import jax.numpy as jnp
    from jax.test_util import check_grads

    logging.getLogger("jax").setLevel(logging.CRITICAL)  # it logs what a callback raised, which is the point here
    jax.config.update("jax_enable_x64", True)
    out = pair.forward(*pair.inputs)
    shapes = tuple(jax.ShapeDtypeStruct(x.shape, x.dtype) for x in pair.inputs)

    @jax.custom_vjp
    def f(*xs: Any) -> Any:
        return jax.pure_callback(pair.forward, jax.ShapeDtypeStruct(out.shape, out.dtype), *xs)

    def backward(xs: Any, g: Any) -> Any:
        return jax.pure_callback(pair.backward, shapes, g, *xs)

    f.defvjp(lambda *xs: (f(*xs), xs), backward)
    check_grads(f, tuple(jnp.asarray(x) for x in pair.inputs), order=1, modes=["rev"])
    return True


def _autograd_rule(pair: Pair) -> bool:
    from autograd.extend import defvjp, primitive
    from autograd.test_util import check_grads

    f = primitive(pair.forward)
    makers = [lambda ans, *xs, i=i: lambda g: pair.backward(g, *xs)[i] for i in range(len(pair.inputs))]
    defvjp(f, *makers)
    check_grads(f, modes=["rev"], order=1)(*pair.inputs)
    return True


if __name__ == "__main__":
    main()
