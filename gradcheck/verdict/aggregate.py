"""From elements to a finding, from findings to a case: which word wins, which element is the worst, and why.

Whether an element is right was decided in `compare`; nothing here compares numbers with limits again.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from gradcheck.model.case import Expect, Verdict
from gradcheck.model.evidence import Estimate, Quality, Reason
from gradcheck.model.problem import Array, Source
from gradcheck.model.report import CaseError, Coverage, Finding, Worst
from gradcheck.verdict.compare import Comparison, Word

PRECEDENCE: tuple[Verdict, ...] = ("error", "fail", "inconclusive", "vacuous", "kink", "pass")
WORDS: dict[Word, Verdict] = {
    Word.PASS: "pass",
    Word.FAIL: "fail",
    Word.KINK: "kink",
    Word.INCONCLUSIVE: "inconclusive",
}
REASONS: dict[int, str] = {
    Reason.NONE: "the claim lies at the edge of what the differences can tell apart",
    Reason.NOISE: "the function is too noisy: rounding hides its slope",
    Reason.DOMAIN: "the function is not finite close to the point",
    Reason.OSCILLATION: "the differences never settle, whatever the step",
    Reason.TWO_SCALES: "two scales: differences settle at one value for large steps and at another for small ones",
    Reason.KINK: "the slope jumps at the point",
    Reason.JUMP: "the value of the function jumps at the point",
    Reason.STEP: "the smallest step that moves x is too large",
}


def finding(
    source: Source,
    tensor: str,
    claimed: Array,
    estimate: Estimate,
    comparison: Comparison,
    notes: tuple[str, ...] = (),
) -> Finding:
    """Sum up one claim about one tensor, element by element verdicts into one."""
    words = comparison.words[estimate.checked]
    counts: dict[str, int] = {WORDS[word]: int((words == word).sum()) for word in Word if (words == word).any()}
    verdict = _tensor_verdict(counts, comparison, estimate)
    worst, index = _worst(claimed, estimate, comparison, verdict)
    plain_zero = comparison.zero & (claimed == 0.0)
    unresolved = (comparison.words == Word.PASS) & ~comparison.resolved & ~plain_zero
    small = int(unresolved[estimate.checked].sum())
    if small and verdict != "vacuous":
        ours = "element not resolved by itself" if small == 1 else "elements not resolved by themselves"
        notes = (*notes, f"{small} small {ours}")
    return Finding(
        claim=source,
        tensor=tensor,
        shape=claimed.shape,
        verdict=verdict,
        checked=int(estimate.checked.sum()),
        wrong=counts.get("fail", 0),
        counts=counts,
        worst=worst,
        resolution=comparison.resolution,
        limit=None if index is None else float(comparison.allowed[index]),
        reason=_reason(verdict, estimate, comparison, counts),
        notes=notes,
    )


def malformed(source: Source, tensor: str, shape: tuple[int, ...], reason: str) -> Finding:
    """A claim that cannot be compared element by element: wrong shape, not a real number, not linear."""
    return Finding(source, tensor, shape, "fail", reason=reason)


def case_verdict(findings: Iterable[Finding], error: CaseError | None) -> Verdict:
    """Of several the first of: error, fail, inconclusive, vacuous, kink, pass."""
    found = {f.verdict for f in findings} | ({"error"} if error else set())
    return next((word for word in PRECEDENCE if word in found), "vacuous")


def coverage_of(findings: Iterable[Finding]) -> Coverage:
    """How much of a case was looked at: what the finding says that knows least."""
    covered = {f.coverage for f in findings}
    order: tuple[Coverage, ...] = ("sampled", "probed")
    return next((word for word in order if word in covered), "all")


def as_expected(
    expect: Expect, verdict: Verdict, findings: tuple[Finding, ...], error: CaseError | None, strict: bool
) -> bool:
    """Whether the outcome is what the case's author announced.

    A crash is never expected: it says nothing about a gradient. An unasked kink is expected, unless strict. With words
    per tensor all other tensors must pass.
    """
    if error is not None:
        return False
    allowed = {"pass"} if strict else {"pass", "kink"}
    if expect.tensors:
        met = all(
            case_verdict([f for f in findings if f.tensor == tensor], None) == word
            for tensor, word in expect.tensors.items()
        )
        others = [f.verdict for f in findings if f.tensor not in expect.tensors]
        return met and set(expect.tensors) <= {f.tensor for f in findings} and all(v in allowed for v in others)
    if expect.verdict is None or expect.verdict == "pass":
        return verdict in allowed
    return verdict == expect.verdict


def _tensor_verdict(counts: dict[str, int], comparison: Comparison, estimate: Estimate) -> Verdict:
    if "fail" in counts:
        return "fail"
    if "inconclusive" in counts:
        return "inconclusive"
    if counts and (estimate.flat & comparison.zero)[estimate.checked].all():
        return "vacuous"
    return "kink" if "kink" in counts else "pass"


def _worst(
    claimed: Array, estimate: Estimate, comparison: Comparison, verdict: Verdict
) -> tuple[Worst | None, tuple[int, ...] | None]:
    """The element with the largest relative error among those that made the verdict, and its index."""
    word = next((w for w, name in WORDS.items() if name == verdict), Word.PASS)
    candidates = estimate.checked & (comparison.words == word)
    if word is Word.PASS and (candidates & comparison.resolved).any():
        candidates &= comparison.resolved  # a small element's relative error says nothing about it
    if not candidates.any():
        return None, None
    flat = int(np.argmax(np.where(candidates, comparison.relative_error, -np.inf)))
    index = tuple(int(i) for i in np.unravel_index(flat, claimed.shape))
    worst = Worst(
        index=index,
        claimed=float(claimed[index]),
        numeric=float(estimate.value[index]),
        bound=float(estimate.bound[index]),
        relative_error=float(comparison.relative_error[index]),
    )
    return worst, index


def _reason(verdict: Verdict, estimate: Estimate, comparison: Comparison, counts: dict[str, int]) -> str:
    """One sentence that says why the verdict is not `pass`."""
    if verdict == "vacuous":
        return "no probe of any element moved the function beyond its noise, and the claim is zero: nothing was tested"
    if verdict == "kink":
        elements = "1 element" if counts["kink"] == 1 else f"{counts['kink']} elements"
        return f"the slope jumps at the point ({elements}); the claim lies between the slopes on both sides"
    if verdict == "inconclusive":
        open_ = estimate.checked & (comparison.words == Word.INCONCLUSIVE)
        codes = np.where(estimate.quality == Quality.UNRESOLVED, estimate.reason, Reason.NONE)[open_]
        return REASONS[int(np.bincount(codes.astype(int)).argmax())]
    return ""
