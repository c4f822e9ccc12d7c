"""README's words: every option and command it names exists and none is missing; links, lines, counts, peers."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

import gradcheck
from cases.handwritten.course_layers import affine_backward, affine_forward
from gradcheck.cli import COMMANDS, main
from tests.diagnosis.mutants import MUTANTS
from tests.diagnosis.outside import OUTSIDE
from tests.diagnosis.plants import PLANTS
from tests.end_to_end.readme.pages import JAX, README, ROOT, TORCH, fences, section
from tests.verdicts.suite import SUITES, load_suite

OPTION = re.compile(r"(?<![\w-])--?[a-zA-Z][\w-]*")


def options_of(command: str) -> list[set[str]]:
    """What each option of a command may be called."""
    found = main.get_command(None, command)  # type: ignore[arg-type]  # it needs no context
    assert found is not None
    return [set(option.opts) for option in found.params if option.param_type_name == "option"]


def blocks() -> dict[str, str]:
    """Command → what the section about commands says of it, up to the next command."""
    parts = re.split(r"^    gradcheck (?=\w)", section("## Commands").partition("\nExit codes:")[0], flags=re.MULTILINE)
    return {part.split()[0]: part for part in parts[1:]}


def test_every_command_is_listed() -> None:
    assert sorted(blocks()) == sorted(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_the_options_of_a_command_are_those_that_it_has(command: str) -> None:
    block = re.sub(r"`[^`]*`", "", blocks()[command])  # what is quoted is another command
    named, known = set(OPTION.findall(block)), options_of(command)
    assert named - set().union(*known) == set()
    assert [sorted(names) for names in known if not names & named] == []


def spans() -> list[str]:
    """Code within sentences, and the lines of blocks and lists that are commands."""
    prose = re.sub(r"^```.*?^```$", "", README, flags=re.MULTILINE | re.DOTALL)
    lines = [line for _, text in fences() for line in text.splitlines()]
    lines += [line for line in prose.splitlines() if line.startswith("    gradcheck ")]
    commands = [match[1] for line in lines if (match := re.match(r"\s*(?:\$ |- run: )?(gradcheck [^#]*)", line))]
    return [" ".join(span.split()) for span in re.findall(r"`([^`]+)`", prose)] + commands


def test_whatever_command_line_is_mentioned_could_be_typed() -> None:
    mentioned = [span.split() for span in spans() if span.startswith("gradcheck ") and span != "gradcheck = true"]
    assert len(mentioned) > 20
    assert sorted({words[1] for words in mentioned} - set(COMMANDS)) == []
    for _, command, *words in mentioned:
        used = set(OPTION.findall(" ".join(words)))
        assert used <= set().union({"--help"}, *options_of(command)), (command, words)


def test_whatever_option_is_mentioned_exists() -> None:
    known = set().union({"--help", "--gradcheck"}, *(names for name in COMMANDS for names in options_of(name)))
    used = {found[0] for span in spans() if (found := OPTION.match(span))}
    assert len(used) > 5
    assert sorted(used - known) == []


def test_links_lead_to_files_that_are_shipped() -> None:
    links = re.findall(r"\]\(([^)]+)\)", README)
    assert len(links) > 4
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_the_suites_have_as_many_members_as_it_says() -> None:
    planted, failures = len(PLANTS) + len(MUTANTS), len(OUTSIDE)
    subjects = len({plant.layer for plant in PLANTS}) + len({edit.subject for edit, _ in MUTANTS})
    text = " ".join(README.split())
    assert f"on {planted} planted mistakes in {subjects} functions and layers" in text
    assert f"and on {failures} failures that are none of them" in text
    assert f"All {sum(len(load_suite(name).CASES) for name in SUITES)} pairs through gradcheck" in text


def test_prose_and_outputs_keep_to_lines_of_140() -> None:
    """Rows of tables cannot be broken."""
    assert [line for line in README.splitlines() if len(line) > 140 and not line.startswith("| ")] == []


# --- coming from another checker --------------------------------------------------------------------------------------


def sides(heading: str) -> tuple[str, str]:
    """The code that a reader has, and the code or case that takes its place; of seven lines at most."""
    (_, theirs), (_, ours) = fences(section(heading))
    assert max(len(theirs.splitlines()), len(ours.splitlines())) <= 7
    return theirs, ours


def eval_numerical_gradient_array(f: Any, x: Any, df: Any, h: float = 1e-5) -> Any:
    """As in CS231n's assignments, cs231n/gradient_check.py: centred differences, one element at a time."""
    grad = np.zeros_like(x)
    for index in np.ndindex(x.shape):
        before = x[index]
        x[index] = before + h
        ahead = f(x).copy()
        x[index] = before - h
        behind = f(x).copy()
        x[index] = before
        grad[index] = np.sum((ahead - behind) * df) / (2 * h)
    return grad


def rel_error(x: Any, y: Any) -> Any:
    """As in the notebooks of CS231n."""
    return np.max(np.abs(x - y) / np.maximum(1e-8, np.abs(x) + np.abs(y)))


def test_coming_from_cs231n_both_sides_agree(capsys: pytest.CaptureFixture[str]) -> None:
    theirs, ours = sides("### Coming from CS231n's `gradient_check`")
    draw = np.random.default_rng(0).normal
    names: dict[str, Any] = {
        "x": draw(size=(4, 3)), "w": draw(size=(3, 2)), "b": draw(size=2), "dout": draw(size=(4, 2)),
        "affine_forward": affine_forward, "affine_backward": affine_backward, "gradcheck": gradcheck,
        "eval_numerical_gradient_array": eval_numerical_gradient_array, "rel_error": rel_error,
    }  # fmt: skip
    exec(compile(theirs, "README.md", "exec"), names)
    errors = [float(word) for word in capsys.readouterr().out.split()]
    assert len(errors) == 3
    assert max(errors) < 1e-7
    exec(compile(ours, "README.md", "exec"), names)
    assert "✓ affine_forward  3 tensors" in (said := capsys.readouterr().out), said
    right: Any = affine_backward
    names["affine_backward"] = lambda dout, cache: tuple(2 * one for one in right(dout, cache))
    exec(compile(ours, "README.md", "exec"), names)
    assert "1 case: 1 fail" in capsys.readouterr().out


# Our side of these two is a case, which test_readme_outputs.py runs.


def test_coming_from_torch_their_side_runs() -> None:
    names: dict[str, Any] = {"torch": pytest.importorskip("torch")}
    exec(compile(TORCH, "functions.py", "exec"), names)
    exec(compile(sides("### Coming from `torch.autograd.gradcheck`")[0], "README.md", "exec"), names)


def test_coming_from_jax_their_side_runs() -> None:
    names: dict[str, Any] = {"jax": pytest.importorskip("jax")}
    names["check_grads"] = pytest.importorskip("jax.test_util").check_grads
    exec(compile(JAX, "functions.py", "exec"), names)
    exec(compile(sides("### Coming from `jax.test_util.check_grads`")[0], "README.md", "exec"), names)
