"""Further configurations of a case: what advice there is, in which order, and that each is the case that it says."""

from __future__ import annotations

from pathlib import Path

from gradcheck.casefile.loader import load
from gradcheck.model.case import Case
from gradcheck.mutation.bench import Bench
from gradcheck.mutation.probes import probes
from tests.mutation.weak import NORM, ONE_SAMPLE, RIDGE, write


def only(file: Path) -> Case:
    (case,) = load([file]).cases
    return case


def values(case: Case) -> dict[str, list[object]]:
    return {name: [value] for name, value in {**case.sizes, **case.options}.items()}


def advice(case: Case) -> list[str]:
    return [probe.advice for probe in probes(case, values(case))]


def test_sizes_come_first_then_variants_then_other_points(tmp_path: Path) -> None:
    found = advice(only(write(tmp_path, ONE_SAMPLE)))
    order = [found.index(word) for word in ("sweep: N: [1, 2]", "vary: [ties]", "vary: [dtype]", "trials: 3")]
    assert order == sorted(order)
    assert not any("batch1" in word for word in found)  # it is one sample as written


def test_a_length_that_is_written_changes_wherever_it_stands(tmp_path: Path) -> None:
    found = advice(only(write(tmp_path, NORM)))
    assert "another size: x: 3*normal(6, 3)" in found
    assert "another size: x: 3*normal(5, 4), gamma: ones(4), beta: zeros(4)" in found


def test_options_and_a_tolerance_of_its_own_are_tried(tmp_path: Path) -> None:
    found = advice(only(write(tmp_path, RIDGE + "    rtol: 1e-2\n    upstream: ones\n")))
    for word in ("sweep: reg: [0.1, 0.2]", "vary: [nonzero_bias]", "rtol: leave it out", "upstream: random"):
        assert word in found


def test_written_numbers_are_drawn_around_where_they_stand(tmp_path: Path) -> None:
    file = tmp_path / "written.yaml"
    file.write_text("name: a product\nfunction: x * y\ninputs:\n  x: 2\n  y: [1.0, 3.0]\n")
    probe = next(p for p in probes(only(file), {}) if p.advice.startswith("random"))
    assert probe.advice == "random numbers for x, y"
    point = Bench(probe.case).built.problem.point
    assert point["x"].shape == ()
    assert point["y"].shape == (2,)
    assert not (point["y"] == [1.0, 3.0]).any()


def test_right_code_passes_every_probe(tmp_path: Path) -> None:
    case = only(write(tmp_path, RIDGE))
    tried = [
        probe for probe in probes(case, values(case)) if "another size" not in probe.advice
    ]  # lengths may belong together
    assert len(tried) > 5
    assert {Bench(probe.case).judge.verdict for probe in tried} == {"pass"}


def test_what_is_swept_is_swept_further(tmp_path: Path) -> None:
    case = only(write(tmp_path, ONE_SAMPLE))
    found = [probe.advice for probe in probes(case, {"N": [1, 2, 5]})]
    assert [word for word in found if word.startswith("sweep")] == ["sweep: N: [1, 2, 5, 3]"]
