"""README as a transcript: what it shows of a command is what the command prints, and every case it shows is one.

A line `⋮` stands for lines that are left out, `…` for the rest of a line. A block or a case that the tables below do
not know is a failure, so nothing is shown untested. The texts beside them are read by `test_readme_texts.py`.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from gradcheck.errors import UnsafeError
from gradcheck.sandbox.box import choose_tier
from tests.end_to_end.readme.pages import JAX, LEAKY, README, ROOT, TORCH, fence, fences

# Names that README gives to what it shows → how the block begins; all else is shipped.
SHOWN = {
    "published.yaml": "name: the published gradients\n", "cubic.yaml": "name: cubic\n",
    "ridge.py": "def ridge(", "ridge.yaml": "name: ridge\n",
}  # fmt: skip
HOMEWORK, OWN = "tests/grading/examples/two_layer", "tests/end_to_end/readme"
SHIPPED = {
    "layers.py": "cases/handwritten/course_layers.py", "network.py": f"{OWN}/network.py",
    "network.yaml": f"{OWN}/network.yaml", "hw.yaml": f"{HOMEWORK}/hw.yaml", "reference.py": f"{HOMEWORK}/reference.py",
    "two_layer.py": f"{HOMEWORK}/two_layer.py", "submissions": f"{HOMEWORK}/submissions", "cases": "cases",
}  # fmt: skip


class Example(NamedTuple):
    """What a command needs, and the code it ends with."""

    code: int
    files: tuple[str, ...] = ()


EXAMPLES = {
    "gradcheck run published.yaml": Example(1, ("published.yaml",)),
    "gradcheck run cubic.yaml": Example(1, ("cubic.yaml",)),
    "gradcheck run cubic.yaml --format github": Example(1, ("cubic.yaml",)),
    "gradcheck new layers.py": Example(0, ("layers.py",)),
    "gradcheck explain cases/03_product_of_a_sum.yaml": Example(0, ("cases",)),
    "gradcheck mutate ridge.yaml --limit 20 --min-score 95": Example(1, ("ridge.py", "ridge.yaml")),
    "gradcheck run network.yaml --budget 200": Example(1, ("network.py", "network.yaml")),
    "gradcheck handout hw.yaml -o public/": Example(0, ("hw.yaml", "reference.py", "two_layer.py")),
    "gradcheck grade hw.yaml submissions/ -o out/": Example(0, ("submissions",)),
}
# What takes seconds and is run by another test, whose golden file holds the whole output.
RECORDED = {"gradcheck selftest": "tests/golden/mutation/selftest.txt"}
ELSEWHERE = {
    "make run": "installs what a clone needs, from the network; what it prints then is compared in test_gallery.py",
    "make test": "is what runs this",
}


def transcript(text: str) -> list[tuple[str, str]]:
    """Commands of a block, each with the output below it; a comment after a command is none of it."""
    found: list[tuple[str, str]] = []
    for line in text.splitlines(keepends=True):
        if line.startswith("$ "):
            found.append((shlex.join(shlex.split(line[2:], comments=True)), ""))
        elif found:
            found[-1] = (found[-1][0], found[-1][1] + line)
    return found


BLOCKS = [commands for _, text in fences() if (commands := transcript(text))]


def masked(text: str) -> str:
    """Without what differs between machines: seconds, evaluations, bounds and what they decide, the sandbox."""
    text = re.sub(r"[\d.]+ s$", "… s", text, flags=re.MULTILINE)
    text = re.sub(r"[\d,]+ evaluations", "… evaluations", text)
    text = re.sub(r"(?<=could have missed at most )\S+|(?<=other element below )\S+", "…", text)
    text = re.sub(r"(?<=± )\d\S+|(?<=\(limit )[^)]+", "…", text)
    return re.sub(r"(?<=^sandbox: ).*$", "…", text, flags=re.MULTILINE)


def matches(shown: str, printed: str) -> bool:
    pieces = [
        r"(?:.*\n)*?" if line.strip() == "⋮" else r".*".join(map(re.escape, line.split("…")))
        for line in masked(shown).splitlines(keepends=True)
    ]
    return re.fullmatch("".join(pieces), masked(printed)) is not None


def gradcheck(command: str, folder: Path) -> tuple[int, str]:
    line = [sys.executable, "-X", "utf8", "-m", *shlex.split(command)]
    environment = {**os.environ, "COLUMNS": "100"}  # the usual width, whatever the terminal of the tests is
    done = subprocess.run(
        line, cwd=folder, capture_output=True, text=True, encoding="utf-8", env=environment, check=False
    )
    assert done.stderr == ""
    return done.returncode, done.stdout


def supply(folder: Path, names: tuple[str, ...]) -> None:
    for name in names:
        if name in SHOWN:
            (folder / name).write_text(fence(SHOWN[name]), encoding="utf-8")
        else:
            (shutil.copytree if (ROOT / SHIPPED[name]).is_dir() else shutil.copy)(ROOT / SHIPPED[name], folder / name)


def test_every_command_in_a_block_is_run_or_says_why_not() -> None:
    shown = [command for block in BLOCKS for command, _ in block]
    assert sorted(shown) == sorted({**EXAMPLES, **RECORDED, **ELSEWHERE})
    # Output without its command would escape this test; the one block of that kind has a test of its own.
    rest = [text for _, text in fences() if not transcript(text)]
    loose = [text.splitlines()[0] for text in rest if re.search(r"^(?:FAIL|[✓✗] |  case )", text, re.MULTILINE)]
    assert len(loose) == 2, loose
    assert loose[0].split() == ["case", "tensors", "resolution", "verdict"]  # test_gallery.py
    assert loose[1].startswith("FAIL  a transposed matrix")  # tests/diagnosis/test_lessons.py


def is_safe() -> bool:
    try:
        choose_tier()
    except UnsafeError:
        return False
    return True


@pytest.mark.parametrize(
    "block", [block for block in BLOCKS if block[0][0] not in ELSEWHERE], ids=lambda block: block[0][0]
)
def test_a_command_prints_what_the_readme_shows(block: list[tuple[str, str]], tmp_path: Path) -> None:
    for command, shown in block:
        if command in RECORDED:
            assert shown == (ROOT / RECORDED[command]).read_text(encoding="utf-8")
            continue
        if command.startswith("gradcheck grade ") and not is_safe():
            pytest.skip("no sandbox of tier medium or better holds here")
        supply(tmp_path, EXAMPLES[command].files)
        code, printed = gradcheck(command, tmp_path)
        assert (code, matches(shown, printed)) == (EXAMPLES[command].code, True), printed
    if (tmp_path / "out" / "feedback").is_dir():
        (page,) = (tmp_path / "out" / "feedback").glob("wrong-db-*.md")
        assert fence("## affine layer: ") in page.read_text(encoding="utf-8")


def test_output_that_is_not_what_is_shown_is_noticed() -> None:
    assert matches("a 1\n  ⋮\nz … end\n2 evaluations · 0.1 s\n", "a 1\nb\nc\nz y end\n39 evaluations · 12 s\n")
    for wrong in ("a 2\nz y end\n", "a 1\nz y\n", "a 1\nz y end\nmore\n"):
        assert not matches("a 1\n  ⋮\nz … end\n", wrong)


def test_what_the_readme_tells_to_change_makes_the_difference(tmp_path: Path) -> None:
    supply(tmp_path, ("cubic.yaml", "ridge.py", "ridge.yaml"))
    cubic = (tmp_path / "cubic.yaml").read_text(encoding="utf-8")
    assert "Write `6 * x**2 * upstream`, and it passes." in README
    (tmp_path / "cubic.yaml").write_text(cubic.replace("6 * x * upstream", "6 * x**2 * upstream"), encoding="utf-8")
    assert gradcheck("gradcheck run cubic.yaml", tmp_path)[0] == 0
    assert "With `vary: [nonzero_bias]` in the file all of them are noticed." in README
    ridge = (tmp_path / "ridge.yaml").read_text(encoding="utf-8")
    (tmp_path / "ridge.yaml").write_text(ridge + "vary: [nonzero_bias]\n", encoding="utf-8")
    code, printed = gradcheck("gradcheck mutate ridge.yaml --limit 20 --min-score 100", tmp_path)
    assert code == 0, printed


# --- cases that are shown without a run -------------------------------------------------------------------------------

# Case → the exit code of its run, the library it needs, and the code that its file names.
COURSE = (ROOT / SHIPPED["layers.py"]).read_text(encoding="utf-8") + LEAKY
CASES: dict[str, tuple[int, str, str]] = {
    "one third": (0, "", ""), "affine layer": (0, "", COURSE), "small classifier": (0, "", COURSE),
    "embedding": (0, "", COURSE), "custom function": (0, "torch", TORCH), "my function": (0, "torch", TORCH),
    "my jax function": (0, "jax", JAX),
}  # fmt: skip
PIECES = {
    "expect:": "a key of a case", "# .github/workflows/gradients.yml": "a workflow, which GitHub runs",
    "assignment:": "the beginning of hw.yaml",
}  # fmt: skip


def test_every_case_is_run_or_says_why_not() -> None:
    firsts = [text.splitlines()[0] for language, text in fences() if language == "yaml"]
    run_above = {SHOWN[name].strip() for name in SHOWN if name.endswith(".yaml")}
    assert sorted(firsts) == sorted({*(f"name: {name}" for name in CASES), *run_above, *PIECES})
    homework = iter((ROOT / SHIPPED["hw.yaml"]).read_text(encoding="utf-8").splitlines())
    shown = [re.sub(r"\s+#.*", "", line) for line in fence("assignment:").splitlines()]
    assert [line for line in shown if line not in homework] == []  # an iterator: the lines in their order


@pytest.mark.parametrize("name", CASES)
def test_a_case_that_the_readme_shows_runs(name: str, tmp_path: Path) -> None:
    expected, library, code = CASES[name]
    if library:
        pytest.importorskip(library)
    (tmp_path / "case.yaml").write_text(fence(f"name: {name}\n"), encoding="utf-8")
    for file in ("layers.py", "functions.py") if code else ():
        (tmp_path / file).write_text(code, encoding="utf-8")
    found, printed = gradcheck("gradcheck run case.yaml", tmp_path)
    assert found == expected, printed
