"""Reports made by hand: one of every kind of outcome, for the tests of every format."""

from __future__ import annotations

import math
from dataclasses import replace

from gradcheck.location import Location, excerpt
from gradcheck.model.case import Expect
from gradcheck.model.report import CaseError, CaseResult, Diagnosis, FileProblem, Finding, Report, Worst

HOSTILE = "[red]bold[/red] \x1b[31mred\x1b[0m\nnext\x00 \u202egnp.exe\u2066 \x9b2J"


def finding(tensor: str = "W1", verdict: str = "pass", **fields: object) -> Finding:
    """A finding about a (3, 4) matrix that agrees to ten digits; any field may be given."""
    usual: dict[str, object] = {
        "claim": "backprop", "shape": (3, 4), "checked": 12, "counts": {"pass": 12}, "resolution": 1.1e-8,
        "limit": 1e-6, "worst": Worst((0, 2), 0.41270000001, 0.4127, 2e-10, 2.4e-11),
    }  # fmt: skip
    return Finding(tensor=tensor, verdict=verdict, **(usual | fields))  # type: ignore[arg-type]


def result(name: str, *findings: Finding, **fields: object) -> CaseResult:
    """A result that is as expected; any field may be given."""
    usual: dict[str, object] = {
        "file": "cases/example.yaml", "line": 1, "seed": 0, "sizes": {}, "options": {}, "expect": Expect(),
        "verdict": "pass", "as_expected": True, "resolution": 1.1e-8, "evaluations": 212, "seconds": 0.0125,
    }  # fmt: skip
    return CaseResult(name=name, findings=findings, **(usual | fields))  # type: ignore[arg-type]


PASSING = result(
    "small classifier", finding("W1"), finding("b1", shape=(4,)), finding("x", shape=(64, 3)),
    why="Softmax and cross-entropy together:\n  the gradient is p - y.",
)  # fmt: skip

SCALARS = result(
    "apples and oranges",
    finding("apples", shape=(), checked=1, worst=Worst((), 110.0, 110.0, 3e-9, 0.0), claim="expected"),
    finding("tax", shape=(), checked=1, worst=Worst((), 650.0, 650.0000000001, 4e-8, 1.5e-13), claim="expected"),
    line=8, evaluations=4, resolution=6.1e-11,
)  # fmt: skip

HALF = finding(
    "W1", "fail", claim="backward", wrong=12, counts={"pass": 0, "fail": 12}, limit=1e-6,
    worst=Worst((0, 2), 0.4127, 0.8254, 2e-10, 0.5),
    diagnosis=(Diagnosis("factor", "claimed is half of numeric everywhere; a factor 2 is lost (d x²/dx = 2x?)"),),
)  # fmt: skip

FAILING = result(
    "mlp", finding("x", shape=(5, 3), claim="backward"), HALF,
    finding(
        "b1", "fail", shape=(4,), claim="backward", checked=4, wrong=1, counts={"pass": 3, "fail": 1},
        worst=Worst((1,), 1.00001, 1.0, 3e-11, 1e-5),
    ),
    verdict="fail", as_expected=False, file="cases/mlp.yaml", line=3, resolution=3e-8,
)  # fmt: skip

EXPECTED_FAIL = result(
    "published worked example", replace(HALF, claim="expected"), finding("W2", claim="expected"),
    verdict="fail", expect=Expect(tensors={"W1": "fail"}), file="cases/published.yaml", line=41, resolution=2.3e-5,
)  # fmt: skip

UNMET_WORD = result(
    "this was meant to be wrong", finding("W1"), expect=Expect(verdict="fail"), as_expected=False, line=77,
)  # fmt: skip

UNMET_TENSOR = result(
    "one sign too many", finding("W1", claim="backward"), finding("b1", shape=(4,), claim="backward"),
    expect=Expect(tensors={"W1": "fail", "W9": "fail"}), as_expected=False, line=90,
)  # fmt: skip

KINK = result(
    "relu at zero",
    finding(
        "x", "kink", shape=(3,), checked=3, counts={"pass": 2, "kink": 1}, limit=1.0,
        worst=Worst((1,), 0.0, 0.5, 1e-9, 1.0),
        reason="the slope jumps from 0 to 1 at x[1]; the claim 0 lies between",
    ),
    verdict="kink",
)  # fmt: skip

INCONCLUSIVE = result(
    "noisy",
    finding(
        "W", "inconclusive", checked=12, counts={"pass": 9, "inconclusive": 3}, resolution=0.02,
        worst=Worst((2, 3), 1.02e-9, 1.01e-9, 4e-10, 0.0098),
        reason="noise of the function (3.0e-09) hides the slope",
    ),
    verdict="inconclusive", as_expected=False, resolution=None,
)  # fmt: skip

VACUOUS = result(
    "dead units",
    finding(
        "W1", "vacuous", counts={"vacuous": 12}, worst=Worst((0, 0), 0.0, 0.0, 1e-16, 0.0), resolution=None,
        reason="no probe of any element moved the function",
    ),
    verdict="vacuous", as_expected=False, resolution=None,
)  # fmt: skip

RAISED = result(
    "layer that breaks", verdict="error", as_expected=False, file="cases/layers.yaml", line=12, resolution=None,
    evaluations=1,
    error=CaseError(
        "raised", "backward", "ZeroDivisionError: division by zero", "layers.py", 41, "look at line 41 of layers.py"
    ),
)  # fmt: skip

MISSING = result(
    "nothing there", verdict="error", as_expected=False, file="cases/layers.yaml", line=30, resolution=None,
    evaluations=0,
    error=CaseError(
        "missing", "load", "there is no 'affine_backwards' in layers.py", hint="did you mean 'affine_backward'?"
    ),
)  # fmt: skip

WRONG_SHAPE = result(
    "transposed",
    finding("W1", "fail", claim="backward", checked=0, counts={}, worst=None, resolution=None, limit=None,
            reason="expected shape (3, 4), got (4, 3)",
            diagnosis=(Diagnosis("transposed", "the transpose of the claim agrees"),)),
    verdict="fail", as_expected=False, resolution=None,
)  # fmt: skip

NOT_A_NUMBER = result(
    "log of zero",
    finding("x", "fail", shape=(3,), checked=3, wrong=1, counts={"pass": 2, "fail": 1}, limit=None, claim="formula",
            worst=Worst((1,), math.nan, -3.25, 1e-9, math.nan), resolution=None, reason="the claim is not a number"),
    finding("x", shape=(3,), checked=3),
    verdict="fail", as_expected=False, resolution=None, expect=Expect(),
)  # fmt: skip

INFINITE = result(
    "overflow",
    finding("x", "fail", shape=(), checked=1, wrong=1, worst=Worst((), -math.inf, 2.5, 1e-9, math.inf), limit=1e-6),
    verdict="fail", as_expected=False, resolution=math.inf,
)  # fmt: skip

WIDE = result("损失函数 ショート 한국어", finding("権重", "fail", wrong=1, worst=Worst((0, 0), -2.0, 2.0, 1e-10, 2.0)),
              verdict="fail", as_expected=False, file="cases/损失.yaml")  # fmt: skip

WIDE_PASS = result("平均二乗誤差 é", finding("重み"), resolution=3e-9)

NAUGHTY = result(
    HOSTILE,
    finding(
        HOSTILE, "fail", wrong=12, worst=Worst((0, 2), 1.0, 2.0, 1e-10, 0.5), reason=HOSTILE, notes=(HOSTILE,),
        diagnosis=(Diagnosis("hostile", HOSTILE),),
    ),
    verdict="fail", as_expected=False, file=f"cases/{HOSTILE}.yaml", notes=(HOSTILE,), statements=(HOSTILE,),
    why=HOSTILE, options={HOSTILE: HOSTILE}, expect=Expect(tensors={HOSTILE: "kink"}),
)  # fmt: skip

SWEPT = tuple(
    result(
        "affine", finding("w", claim="backward"), finding("b", shape=(4,), claim="backward"),
        sizes={"N": n, "D": 3}, options={"eps": 1e-5}, notes=("backward overwrites dout",), file="cases/affine.yaml",
        line=3, statements=("forward: out, cache = affine_forward(x, w, b)",
                            "backward: dx, dw, db = affine_backward(dout, cache)"),
    )
    for n in (1, 2, 7)
)  # fmt: skip

COARSE = result(
    "numbers on paper",
    finding("y", shape=(), checked=1, worst=Worst((), 12.0, 12.26, 1e-10, 0.021), claim="expected", resolution=0.04,
            notes=("agrees to the 2 digits written",)),
    resolution=0.04,
)  # fmt: skip

CLOSE = result(
    "eleven digits", finding("theta", "fail", shape=(), checked=1, wrong=1, limit=1e-12,
                             worst=Worst((), 27.720000000123, 27.72, 2e-13, 4.4e-12)),
    verdict="fail", as_expected=False, file="cases/close.yaml",
)  # fmt: skip

LONG_NAME = result("a name that goes on and on, " * 8 + "until it ends", finding("W"))

PROBLEMS = (
    FileProblem(
        Location("cases/softmax.yaml", 14, 15), "unknown function 'sigmod'", "did you mean 'sigmoid'?",
        excerpt("    loss: sum(sigmod(x @ W))", 15, 6),
    ),
    FileProblem(Location("cases/none.yaml", 1, 1), "no such file", "", ""),
)  # fmt: skip

EVERYTHING = (
    PASSING, FAILING, SCALARS, EXPECTED_FAIL, UNMET_WORD, UNMET_TENSOR, KINK, INCONCLUSIVE, VACUOUS, RAISED, MISSING,
    WRONG_SHAPE, NOT_A_NUMBER, INFINITE, CLOSE, WIDE, WIDE_PASS, *SWEPT, COARSE, LONG_NAME,
)  # fmt: skip

REPORTS: dict[str, Report] = {
    "all_pass": Report((PASSING, SCALARS, KINK, EXPECTED_FAIL, *SWEPT, COARSE)),
    "one_fail": Report((PASSING, FAILING, SCALARS)),
    "everything": Report(EVERYTHING, PROBLEMS),
    "undecided": Report((PASSING, INCONCLUSIVE, VACUOUS)),
    "strict": Report((PASSING, replace(KINK, as_expected=False)), strict=True),
    "hostile": Report((NAUGHTY,)),
    "empty": Report(()),
    "problems_only": Report((), PROBLEMS),
}
