"""One workload under one other checker, in a fresh process; prints JSON.

Exhaustive checkers that would take long check a few elements – torch the smallest tensors, the others a random sample –
and their seconds are scaled by elements over checked ones; `checked` says how many.

    python tests/benchmarks/checkers.py w3 "torch slow"
"""

from __future__ import annotations

import json
import logging
import resource
import sys
from collections.abc import Callable, Mapping
from time import perf_counter
from typing import Any

import numpy as np
from models import MODELS, Jax, Torch, autograd_words
from workloads import TEXTS, problem_of

FEW = 600  # elements that a checker of two evaluations each looks at, at least; with more it is a sample
CORRECT = 1e-5  # relative distance to the exact gradient at which a gradient without a verdict of its own passes
SAME = 1e-9  # how far a peer's value may be from ours
REPEATS = 6  # of what takes less than a second
WARMED = 5.0  # seconds; what takes longer is run once

Outcome = tuple[Callable[[], bool], int]  # the check, and how many elements it looks at


class Counter:
    """How often the function was called."""

    def __init__(self) -> None:
        self.calls = 0

    def counting(self, f: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*arguments: Any) -> Any:
            self.calls += 1
            return f(*arguments)

        return counted


class Subject:
    """A workload as peers get it: arrays by name, of which those in `wrt` are differentiated."""

    def __init__(self, name: str) -> None:
        self.name, self.problem = name, problem_of(name, TEXTS[name])
        self.counter = Counter()
        traced = self.problem.traced
        assert traced is not None
        self.arrays = {n: np.asarray(traced.values[i]) for n, i in traced.graph.leaves.items()}
        self.arrays["upstream"] = self.problem.upstream.reshape(np.shape(traced.values[traced.graph.output]))
        self.wrt = self.problem.wrt
        self.total = sum(self.arrays[n].size for n in self.wrt)

    def few_tensors(self) -> tuple[str, ...]:
        """The smallest tensors, until they hold enough elements; all, if the function is cheap."""
        if self.total <= 10_000:
            return self.wrt
        chosen: list[str] = []
        for name in sorted(self.wrt, key=lambda n: self.arrays[n].size):
            if sum(self.arrays[n].size for n in chosen) >= FEW:
                break
            chosen.append(name)
        return tuple(chosen)

    def model(self, B: Any, names: tuple[str, ...]) -> Callable[..., Any]:
        """A library's function of some tensors, the others being fixed."""
        fixed = {n: B.array(a) for n, a in self.arrays.items()}

        def value(*given: Any) -> Any:
            return MODELS[self.name](B, {**fixed, **dict(zip(names, given, strict=True))})

        f = self.counter.counting(value)
        ours = float(self.problem.upstream @ self.problem.value)
        theirs = float(f(*(fixed[n] for n in names)))
        if not abs(ours - theirs) <= SAME * max(1.0, abs(ours)):
            raise SystemExit(f"{self.name}: the model is {theirs}, the case {ours}")
        return f

    def sampled(self, most: int) -> tuple[Callable[[np.ndarray], float], np.ndarray, np.ndarray]:
        """Our own forward as a function of some elements, their values, and their exact derivatives."""
        problem = self.problem
        cells = np.random.default_rng(0).permutation(self.total)[: min(most, self.total)]
        flat = np.concatenate([problem.point[n].reshape(-1) for n in self.wrt])
        exact = np.concatenate([problem.claims[0].gradients[n].reshape(-1) for n in self.wrt])
        cuts = np.cumsum([0, *(problem.point[n].size for n in self.wrt)])

        def f(v: np.ndarray) -> float:
            moved = flat.copy()
            moved[cells] = v
            parts = {
                n: moved[a:b].reshape(problem.point[n].shape)
                for n, a, b in zip(self.wrt, cuts[:-1], cuts[1:], strict=True)
            }
            return float(problem.upstream @ problem.function({**problem.point, **parts}))

        return self.counter.counting(f), flat[cells], exact[cells]


def torch_slow(subject: Subject) -> Outcome:
    return _torch(subject, subject.few_tensors(), False)


def torch_fast(subject: Subject) -> Outcome:
    return _torch(subject, subject.wrt, True)


def _torch(subject: Subject, names: tuple[str, ...], fast: bool) -> Outcome:
    import torch

    B = Torch()
    f = subject.model(B, names)
    inputs = [torch.from_numpy(subject.arrays[n].copy()).requires_grad_() for n in names]

    def check() -> bool:
        return bool(torch.autograd.gradcheck(f, inputs, fast_mode=fast, raise_exception=False))

    return check, sum(tensor.numel() for tensor in inputs)


def jax_check(subject: Subject) -> Outcome:
    from jax.test_util import check_grads

    logging.getLogger("jax").setLevel(logging.CRITICAL)
    B = Jax()
    f = subject.model(B, subject.wrt)
    inputs = tuple(B.array(subject.arrays[n]) for n in subject.wrt)
    return lambda: _raises_nothing(lambda: check_grads(f, inputs, order=1, modes=["rev"])), subject.total


def autograd_check(subject: Subject) -> Outcome:
    from autograd.test_util import check_grads

    f = subject.model(autograd_words(), subject.wrt)
    inputs = [subject.arrays[n] for n in subject.wrt]
    return lambda: _raises_nothing(lambda: check_grads(f, modes=["rev"], order=1)(*inputs)), subject.total


def scipy_check(subject: Subject) -> Outcome:
    from scipy.optimize import check_grad

    f, v, exact = subject.sampled(FEW)
    size = float(np.linalg.norm(exact))
    return lambda: bool(check_grad(f, lambda _: exact, v) < CORRECT * size), v.size


def scipy_derivative(subject: Subject) -> Outcome:
    from scipy.optimize._numdiff import approx_derivative

    f, v, exact = subject.sampled(FEW)
    return lambda: _is_close(approx_derivative(f, v, method="3-point"), exact), v.size


def numdifftools_gradient(subject: Subject) -> Outcome:
    import numdifftools

    f, v, exact = subject.sampled(FEW // 20)  # some thirty evaluations each
    gradient = numdifftools.Gradient(f)
    return lambda: _is_close(gradient(v), exact), v.size


def _is_close(gradient: Any, exact: np.ndarray) -> bool:
    return bool(np.linalg.norm(np.asarray(gradient).reshape(-1) - exact) < CORRECT * np.linalg.norm(exact))


def _raises_nothing(check: Callable[[], Any]) -> bool:
    try:
        check()
    except AssertionError:
        return False
    return True


CHECKERS: Mapping[str, tuple[str, Callable[[Subject], Outcome]]] = {
    "torch slow": ("torch", torch_slow),
    "torch fast": ("torch", torch_fast),
    "jax check_grads": ("jax", jax_check),
    "autograd check_grads": ("autograd", autograd_check),
    "scipy check_grad": ("scipy", scipy_check),
    "scipy 3-point": ("scipy", scipy_derivative),
    "numdifftools": ("numdifftools", numdifftools_gradient),
}


def main() -> None:
    name, checker = sys.argv[1:]
    subject = Subject(name)
    check, checked = CHECKERS[checker][1](subject)
    seconds: list[float] = []
    passes, calls = True, 0
    for repeat in range(REPEATS):
        if repeat and (seconds[0] >= WARMED or sum(seconds[1:]) >= 1.0):
            break
        subject.counter.calls = 0
        started = perf_counter()
        passes = check()
        seconds.append(perf_counter() - started)
        calls = subject.counter.calls
    warm = float(np.median(seconds[1:] or seconds))  # a library's first call compiles and imports
    scale = subject.total / checked
    print(json.dumps({
        "seconds": warm * scale, "first_seconds": seconds[0] * scale, "checked": checked, "elements": subject.total,
        "passes": passes, "evaluations": round(calls * scale),
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }))  # fmt: skip


if __name__ == "__main__":
    main()
