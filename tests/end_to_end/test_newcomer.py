"""A newcomer's path, from a handwritten file with a mistake in it to a green run; README's picture is its second step.

The clone and `make run` before it need a network and are not repeated here; `test_gallery.py` has what the run prints.
"""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
from html import unescape
from pathlib import Path

import pytest
from rich.console import Console
from rich.text import Text

ROOT = Path(__file__).parents[2]
PICTURE = ROOT / "docs" / "table.svg"
WIDTH = 88  # cells: a picture of more would be small print on the page
# The derivative of tanh is 1 − tanh²; here it has a plus.
LAYERS = '''\
import numpy as np


def affine_forward(x, w, b):
    """x (N, D), w (D, M), b (M,) -> out (N, M)."""
    return x @ w + b, (x, w)


def affine_backward(dout, cache):
    x, w = cache
    return dout @ w.T, x.T @ dout, dout.sum(axis=0)


def tanh_forward(x):
    out = np.tanh(x)
    return out, out


def tanh_backward(dout, cache):
    out = cache
    return dout * (1 + out**2)
'''


def gradcheck(folder: Path, *arguments: str) -> tuple[int, str]:
    """Exit code and stdout; stderr is silent."""
    command = [sys.executable, "-X", "utf8", "-m", "gradcheck", *arguments]
    environment = {**os.environ, "COLUMNS": str(WIDTH)}
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, encoding="utf-8", env=environment, check=False
    )
    assert done.stderr == ""
    return done.returncode, done.stdout


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Nothing but the newcomer's file, and the case file that gradcheck writes for it."""
    (tmp_path / "layers.py").write_text(LAYERS, encoding="utf-8")
    assert gradcheck(tmp_path, "new", "layers.py") == (
        0,
        "layers_cases.yaml: 2 cases for layers.py\nnext: gradcheck run layers_cases.yaml\n",
    )
    return tmp_path


def test_from_a_planted_mistake_to_a_green_run_by_doing_what_is_said(folder: Path) -> None:
    code, said = gradcheck(folder, "run", "layers_cases.yaml")
    assert code == 1
    assert "6 cases: 3 fail, 3 pass" in said
    lines = LAYERS.splitlines()
    advice = re.search(
        r"\(layers\.py:(\d+)\)\. Next: write `(.*?)` in place of `(.*?)`; then the", " ".join(said.split())
    )
    assert advice is not None, said
    number, wanted, present = int(advice[1]), advice[2], advice[3]
    assert lines[number - 1].replace(" ", "") == "returndout*(1+out**2)"
    assert present.replace(" ", "") == "returndout*(1+out**2)"
    lines[number - 1] = "    " + wanted
    (folder / "layers.py").write_text("\n".join(lines) + "\n", encoding="utf-8")
    code, said = gradcheck(folder, "run", "layers_cases.yaml")
    assert code == 0, said
    assert "6 cases: 6 pass" in said


def test_a_case_file_that_the_newcomer_has_changed_is_not_written_over(folder: Path) -> None:
    cases = folder / "layers_cases.yaml"
    cases.write_text(cases.read_text(encoding="utf-8") + "# mine\n", encoding="utf-8")
    command = [sys.executable, "-m", "gradcheck", "new", "layers.py"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert cases.read_text(encoding="utf-8").endswith("# mine\n")


# --- README's picture -------------------------------------------------------------------------------------------------


def draw(colored: str) -> str:
    """A terminal's text as a picture on a background of its own, which is readable on a light page and on a dark one.

    No font is fetched: rich names one on a server, which a picture in a README may not load.
    """
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    console.print(Text.from_ansi(colored))
    drawn = console.export_svg(title="gradcheck run layers_cases.yaml", unique_id="gradcheck")
    return re.sub(r"@font-face \{.*?\}\s*", "", drawn, flags=re.DOTALL)


def words_of(picture: str) -> list[str]:
    """What stands in a picture, line by line, without the title."""
    texts = re.findall(r"<text[^>]*>(.*?)</text>", picture, re.DOTALL)
    return timeless(" ".join(unescape(text).replace("\u00a0", " ") for text in texts[1:]))


def timeless(text: str) -> list[str]:
    """The words of a report, without those that differ between machines: seconds, evaluations and bounds."""
    text = re.sub(r"\x1b\[[\d;]*m", "", text)
    text = re.sub(r"± \S+", "±", re.sub(r"[\d,]+ evaluations", "", re.sub(r"[\d.]+ s\b", "", text)))
    return text.split()


def test_the_picture_in_the_readme_is_a_real_run(folder: Path) -> None:
    code, plain = gradcheck(folder, "run", "layers_cases.yaml")
    assert code == 1
    if os.environ.get("GOLDEN"):
        _, colored = gradcheck(folder, "run", "layers_cases.yaml", "--color", "always")
        PICTURE.parent.mkdir(exist_ok=True)
        PICTURE.write_text(draw(colored), encoding="utf-8")
    picture = PICTURE.read_text(encoding="utf-8")
    assert " ".join(words_of(picture)) == " ".join(timeless(plain))
    assert len(picture.encode()) < 40_000
    assert re.findall(r"""(?:href|src|url\()\s*=?\s*["']?https?:""", picture) == []
    assert f"]({PICTURE.relative_to(ROOT)})" in (ROOT / "README.md").read_text(encoding="utf-8")
