"""What enters a box: a few files of ours, the standard library and numpy; the child runs where nothing else exists."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import gradcheck.handwritten.session
import gradcheck.sandbox
from gradcheck.sandbox import channel, choice
from gradcheck.sandbox.box import Tier, open_box
from tests.attacks.boxed import HONEST, QUICK, X, plan

FOLDER = Path(gradcheck.sandbox.__file__).parent

OURS = ("__init__", "channel", "child", "keeper", "probe", "rooms", "served", "walls", "warm")
ENTER = sorted([FOLDER / f"{name}.py" for name in OURS] + list((FOLDER / "tiers").glob("*.py")))


@pytest.mark.parametrize("file", ENTER, ids=lambda file: file.name)
def test_what_enters_needs_only_the_standard_library_and_numpy(file: Path) -> None:
    names = {path.stem for path in ENTER} | {"tiers"}
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            imported = {alias.name.partition(".")[0] for alias in node.names}
            assert imported <= {*sys.stdlib_module_names, "numpy"}
        elif isinstance(node, ast.ImportFrom) and node.level:
            first = (node.module or "").partition(".")[0]
            assert {first} <= names if first else {alias.name for alias in node.names} <= names
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            assert module.startswith("gradcheck.handwritten.session") or module.partition(".")[0] in {
                *sys.stdlib_module_names,
                "numpy",
            }


BARE = """
import sys, types
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] not in {*sys.stdlib_module_names, "numpy", "gradcheck"}:
            raise ImportError(name)
sys.meta_path.insert(0, Refuse())
sys.path += sys.argv[2:]
house = types.ModuleType("gradcheck")
house.__path__ = [sys.argv[1]]
sys.modules["gradcheck"] = house
from gradcheck.sandbox.child import serve
serve(0, 1)
"""


def test_the_child_runs_where_only_the_standard_library_and_numpy_exist(tmp_path: Path) -> None:
    """Alone with the files that enter, and over the pipes that everybody has."""
    for file in [*ENTER, *Path(gradcheck.handwritten.session.__file__).parent.glob("*.py")]:
        copy = tmp_path / file.relative_to(FOLDER.parent)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(file.read_bytes())
    (tmp_path / "handwritten" / "__init__.py").touch()
    requests = [
        ({"ask": "files"}, [("layers.py", np.frombuffer(HONEST, np.uint8))]),
        ({"ask": "load", "file": "layers.py", "plan": plan()}, []),
        ({"ask": "open", "session": 0}, [("x", X)]),
        ({"ask": "gradients", "session": 0, "last": 1}, [("x", X), ("upstream", np.ones(3))]),
        ({"ask": "what is this"}, []),
    ]
    asked = b"".join(
        b"".join(channel.frame(channel.REQUEST, i, header, arrays)) for i, (header, arrays) in enumerate(requests)
    )
    command = [sys.executable, "-I", "-S", "-c", BARE, str(tmp_path), str(Path(np.__file__).parents[1])]
    done = subprocess.run(command, input=asked, capture_output=True, check=False)
    assert done.stderr == b""
    told, rest = [], done.stdout
    while rest:
        head = channel.read_head(rest[: channel.HEAD.size])
        body = channel.HEAD.size + head.header
        header = channel.read_header(rest[channel.HEAD.size : body])
        told.append((head.kind, head.number, channel.read_arrays(header, rest[body : body + head.body])))
        rest = rest[body + head.body :]
    assert [number for _, number, _ in told] == [0, 1, 2, 3, 4]
    assert [kind for kind, _, _ in told] == [channel.ANSWER] * 4 + [channel.ERROR]
    ((name, gradient),) = told[3][2]
    assert name == "x"
    np.testing.assert_array_equal(gradient, np.full(3, 3.0))


@pytest.mark.parametrize("name", ["strong", "medium", "limits"])
def test_nothing_else_of_ours_is_loaded_in_a_box(name: str) -> None:
    tier = choice.try_tier(name)
    if not isinstance(tier, Tier):
        pytest.skip(f"no tier {name} here: {tier}")
    source = (
        "import sys\nimport numpy as np\nnames = ' '.join(n for n in sys.modules if n.startswith('gradcheck'))\n"
        "def f(x): return np.frombuffer(names.encode(), np.uint8).astype(float), x\ndef g(d, c): return d\n"
    )
    with open_box(tier, {"layers.py": source.encode()}, QUICK) as box:
        session = box.session(plan())
        session.open({"x": X})
        loaded = session.forward({"x": X})[0].astype(np.uint8).tobytes().decode().split()
    allowed = {"gradcheck", "gradcheck.handwritten", "gradcheck.sandbox", "gradcheck.sandbox.tiers"}
    allowed |= {f"gradcheck.sandbox.{path.stem}" for path in ENTER if path.parent == FOLDER}
    others = {name for name in loaded if name not in allowed and not name.startswith("gradcheck.sandbox.tiers.")}
    assert {name for name in others if not name.startswith("gradcheck.handwritten.session")} == set()
