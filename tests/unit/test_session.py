"""Running somebody's code: fresh every time, everything put back afterwards, and alone where nothing else exists."""

import ast
import json
import os
import random
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gradcheck.handwritten import session
from gradcheck.handwritten.calls import make_plan
from gradcheck.handwritten.opening import open_handwritten
from gradcheck.handwritten.runner import Handwritten
from gradcheck.model.case import CodeBody
from tests.handwritten_examples.table import EXAMPLES, LAYERS, X, case_of, worst_error

LAYER = {"setup": "layer = Layer()", "forward": "out = layer.forward(x)", "backward": "dx = layer.backward(dout)"}
PAIR = {"forward": "out = f(x)", "backward": "dx = g(dout)"}
FOLDER = Path(session.__file__).parent


def code_of(folder: Path, source: str, keys: dict[str, Any], **arrays: Any) -> Handwritten:
    folder.mkdir(exist_ok=True)
    (folder / "layers.py").write_text(textwrap.dedent(source))
    given = arrays or {"x": X}
    return open_handwritten(case_of(keys, given, folder / "layers.py"), given)


def layer(body: str, start: str = "pass") -> str:
    return (
        f"import numpy as np, random\nclass Layer:\n"
        f"    def __init__(self):\n        {start}\n{textwrap.indent(textwrap.dedent(body), '    ')}"
    )


@pytest.mark.parametrize(
    ("start", "body", "notes"),
    [
        (
            "pass",
            "def forward(self, x):\n    x[x < 0] = 0\n    self.x = x\n    return x\n"
            "def backward(self, dout):\n    return dout * (self.x > 0)",
            ("forward overwrites its input 'x'",),
        ),
        (
            "pass",
            "def forward(self, x):\n    self.x = x\n    return np.maximum(x, 0)\n"
            "def backward(self, dout):\n    dout[self.x < 0] = 0\n    return dout",
            ("backward overwrites dout",),
        ),
        (
            "pass",
            "def forward(self, x):\n    self.x = x\n    return x**2\n"
            "def backward(self, dout):\n    d = 2 * self.x * dout\n    self.x[...] = 0\n    return d",
            ("backward overwrites the input 'x'", "a second backward gives another gradient of 'x'"),
        ),
        (
            "self.g = 0",
            "def forward(self, x):\n    self.x = x\n    return x**2\n"
            "def backward(self, dout):\n    self.g = self.g + 2 * self.x * dout\n    return self.g",
            ("a second backward gives another gradient of 'x'",),
        ),
        (
            "self.stack = []",
            "def forward(self, x):\n    self.stack.append(x)\n    return x**2\n"
            "def backward(self, dout):\n    return 2 * self.stack.pop() * dout",
            ("a second backward raises IndexError",),
        ),
        (
            "print('made')",
            "def forward(self, x):\n    print('forward')\n    return x\n"
            "def backward(self, dout):\n    print('backward')\n    return dout",
            ("the code prints when it is loaded", "forward prints", "backward prints"),
        ),
        (
            "self.mask = 0",
            "def forward(self, x):\n    self.mask = np.random.rand(*x.shape) < 0.5\n"
            "    return x * self.mask * random.random()\n"
            "def backward(self, dout):\n    random.seed(0)\n    return dout * self.mask * random.random()",
            (),
        ),
        (
            "self.calls = 0",
            "def forward(self, x):\n    self.calls += 1\n    return x * self.calls\n"
            "def backward(self, dout):\n    return dout * self.calls",
            (),
        ),
        (
            "self.draw = (i for i in range(1, 9))",
            "def forward(self, x):\n    self.k = next(self.draw)\n    return x * self.k\n"
            "def backward(self, dout):\n    return dout * self.k",
            (),
        ),
        (
            "np.random.seed(3)",
            "def forward(self, x):\n    self.m = np.random.rand()\n    return x * self.m\n"
            "def backward(self, dout):\n    return dout * self.m",
            (),
        ),
    ],
)
def test_habits_of_a_layer_are_notes_and_never_spoil_the_gradient(
    tmp_path: Path, start: str, body: str, notes: tuple[str, ...], capfd: pytest.CaptureFixture[str]
) -> None:
    code = code_of(tmp_path, layer(body, start), LAYER)
    assert worst_error(code) < 1e-7
    assert code.notes() == notes
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("backward", "notes"),
    [
        ("dscores = 2 * dscores\ndx = g(dscores)", ()),
        ("dx = g(2 * dscores)\ndx = dx * 1.0", ()),
        ("cache = g(dscores)\ndx = 2 * cache", ()),
        ("dscores = 2 * dscores\ndx = doubles(dscores, cache)", ("a second backward gives another gradient of 'x'",)),
    ],
)
def test_a_statement_that_reuses_a_name_is_no_habit_of_the_code(
    tmp_path: Path, backward: str, notes: tuple[str, ...]
) -> None:
    source = """
        def f(x):
            return (x**2).sum(), 2 * x, [1.0]
        def g(d):
            return d / 2 * 2
        def doubles(d, cache):
            cache[0] *= 2
            return d * cache[0]
        """
    keys = {"forward": "loss, dscores, cache = f(x)", "backward": backward}
    code = code_of(tmp_path, source, keys)
    assert set(code.vjp()) == {"x"}
    assert code.notes() == notes


def test_every_evaluation_is_the_same_as_the_first(tmp_path: Path) -> None:
    source = """
        import numpy as np
        rng = np.random.default_rng(0)
        seen = []
        count = 0
        def f(x):
            global count
            count += 1
            seen.append(x)
            return x * rng.random() * np.random.rand() + len(seen) + count
        """
    code = code_of(tmp_path, source, {"forward": "out = f(x)", "backward": "dx = dout"})
    first = code.outputs(code.point)
    code.vjp()
    np.testing.assert_array_equal(code.outputs(code.point), first)
    np.testing.assert_array_equal(code.value, first)


def test_options_are_fresh_for_every_evaluation(tmp_path: Path) -> None:
    source = "def f(x, p):\n    p['n'].append(1)\n    return x * len(p['n'])\n"
    (tmp_path / "layers.py").write_text(source)
    keys, arrays = {"forward": "out = f(x, p)", "backward": "dx = dout"}, {"x": X}
    options = {"p": {"n": []}}
    code = open_handwritten(case_of(keys, arrays, tmp_path / "layers.py", options=options), arrays)
    np.testing.assert_array_equal(code.outputs(code.point), X.ravel())
    assert options == {"p": {"n": []}}


def test_everything_is_left_as_it_was_found(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    source = """
        import os, random, sys, warnings
        import numpy as np
        import neighbour
        sys.path.append("/nowhere"); os.chdir("/"); np.random.seed(9); random.seed(9); sys.setrecursionlimit(5000)
        np.seterr(all="raise"); sys.argv.append("x"); warnings.simplefilter("error")
        def f(x):
            import other_neighbour
            warnings.warn("careful")
            sys.path.append("/nowhere"); os.chdir("/"); np.random.rand(3); random.random(); print(np.log(0 * x))
            np.random.set_bit_generator(np.random.PCG64(1))
            return neighbour.double(x)
        """
    (tmp_path / "neighbour.py").write_text("def double(x):\n    return 2 * x\n")
    (tmp_path / "other_neighbour.py").write_text("")
    np.random.seed(5)
    np.random.normal()  # leaves a second normal number waiting inside the generator

    def state() -> list[Any]:
        numbers = np.random.get_state(legacy=False)
        return [
            sys.path[:],
            sorted(sys.modules),
            os.getcwd(),
            sys.getrecursionlimit(),
            sys.argv[:],
            np.geterr(),
            numbers["state"]["key"].tolist(),
            numbers["has_gauss"],
            numbers["gauss"],
            random.getstate(),
            sys.stdout,
            sys.dont_write_bytecode,
            sorted(os.listdir(tmp_path)),
        ]

    (tmp_path / "layers.py").write_text(textwrap.dedent(source))
    before = state()
    code = code_of(tmp_path, source, {"forward": "out = f(x)", "backward": "dx = 2 * dout"})
    code.vjp()
    code.outputs(code.point)
    with code.held():
        code.outputs(code.point)
        code.outputs(code.point)
    assert state() == before
    assert capfd.readouterr() == ("", "")


def test_modules_of_the_same_name_in_two_folders_do_not_meet(tmp_path: Path) -> None:
    codes = []
    for factor in (2, 3):
        folder = tmp_path / str(factor)
        folder.mkdir()
        (folder / "util.py").write_text(f"FACTOR = {factor}\n")
        source = (
            "import util\ndef f(x):\n    import util as again\n    assert again is util\n    return x * util.FACTOR\n"
        )
        codes.append(code_of(folder, source, {"forward": "out = f(x)", "backward": "dx = dout"}))
    for factor, code in zip((2, 3), codes, strict=True):
        np.testing.assert_array_equal(code.outputs(code.point), factor * X.ravel())
    assert "util" not in sys.modules


def test_a_neighbour_wins_over_a_module_that_the_caller_has_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    callers = type(sys)("util")
    monkeypatch.setitem(sys.modules, "util", callers)
    (tmp_path / "util.py").write_text("FACTOR = 4\n")
    code = code_of(
        tmp_path,
        "import util\ndef f(x):\n    return x * util.FACTOR\n",
        {"forward": "out = f(x)", "backward": "dx = dout"},
    )
    np.testing.assert_array_equal(code.outputs(code.point), 4 * X.ravel())
    assert sys.modules["util"] is callers


def test_a_file_of_the_same_folder_that_the_caller_has_loaded_stays_the_callers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    callers = type(sys)("my_tests")
    callers.__file__ = str(tmp_path / "my_tests.py")
    monkeypatch.setitem(sys.modules, "my_tests", callers)
    monkeypatch.setattr(callers, "results", [], raising=False)
    code = code_of(tmp_path, "def f(x):\n    return 2 * x\n", {"forward": "out = f(x)", "backward": "dx = 2 * dout"})
    callers.results.append("kept")  # nothing of theirs is put back between two evaluations
    code.outputs(code.point)
    assert callers.results == ["kept"]
    assert sys.modules["my_tests"] is callers


def test_a_neighbour_called_like_the_standard_library_is_not_in_its_way(tmp_path: Path) -> None:
    (tmp_path / "random.py").write_text("raise RuntimeError\n")
    code = code_of(
        tmp_path,
        "import random\ndef f(x):\n    return x * random.random()\n",
        {"forward": "out = f(x)", "backward": "dx = dout"},
    )
    assert np.isfinite(code.value).all()


def test_a_file_of_a_package_imports_relatively(tmp_path: Path) -> None:
    package = tmp_path / "nets"
    package.mkdir()
    (package / "__init__.py").write_text("from .layers import *\n")
    (package / "tools.py").write_text("from . import layers\ndef twice(x):\n    return 2 * x\n")
    code = code_of(
        package,
        "from .tools import twice\nfrom nets.tools import twice as again\n"
        "def f(x):\n    assert again is twice\n    return twice(x)\n",
        {"forward": "out = f(x)", "backward": "dx = dout"},
    )
    np.testing.assert_array_equal(code.value, 2 * X.ravel())


def test_a_neighbour_that_imports_the_file_back_gets_the_same_module(tmp_path: Path) -> None:
    (tmp_path / "back.py").write_text("import layers\ndef same(thing):\n    return isinstance(thing, layers.Thing)\n")
    source = "class Thing: pass\nimport back\ndef f(x):\n    assert back.same(Thing())\n    return x\n"
    code = code_of(tmp_path, source, {"forward": "out = f(x)", "backward": "dx = dout"})
    np.testing.assert_array_equal(code.value, X.ravel())


def test_an_edited_file_is_read_anew(tmp_path: Path) -> None:
    keys = {"forward": "out = f(x)", "backward": "dx = dout"}
    for factor in (2, 3):
        code = code_of(tmp_path, f"def f(x):\n    return x * {factor}\n", keys)
        np.testing.assert_array_equal(code.value, factor * X.ravel())


def test_the_line_of_an_error_is_the_deepest_of_the_users(tmp_path: Path) -> None:
    (tmp_path / "deep.py").write_text("import numpy as np\ndef solve(x):\n    return np.linalg.inv(x)\n")
    with pytest.raises(session.CodeError) as caught:
        code_of(
            tmp_path,
            "import deep\ndef f(x):\n    return deep.solve(x)\n",
            {"forward": "out = f(x)", "backward": "dx = dout"},
        )
    assert (caught.value.file, caught.value.line, caught.value.during) == ("deep.py", 3, "forward")
    assert str(caught.value).startswith("raised in forward, deep.py:3: LinAlgError: ")


def test_an_exit_does_not_touch_the_next_case(tmp_path: Path) -> None:
    with pytest.raises(session.CodeError):
        code_of(
            tmp_path / "a",
            "import sys\ndef f(x):\n    sys.stdout = None\n    sys.exit(0)\n",
            {"forward": "out = f(x)", "backward": "dx = dout"},
        )
    assert (
        worst_error(
            code_of(tmp_path / "b", "def f(x):\n    return x\n", {"forward": "out = f(x)", "backward": "dx = dout"})
        )
        < 1e-7
    )


def test_input_gives_no_one_to_wait_for(tmp_path: Path) -> None:
    with pytest.raises(session.CodeError, match="EOFError"):
        code_of(tmp_path, "n = input('how many? ')\n", PAIR)


BARE = """
import json, sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] not in {*sys.stdlib_module_names, "numpy", "session"}:
            raise ImportError(name)
sys.meta_path.insert(0, Refuse())
sys.path += sys.argv[1:]
import numpy as np
import session
request = json.loads(sys.stdin.read())
arrays = {name: np.array(value) for name, value in request["arrays"].items()}
run = session.Session(session.Code(request["path"]), request["plan"])
point = {**arrays, **run.open(arrays)}
outputs = run.forward(point)
upstream = [np.ones_like(output) for output in outputs] if run.upstream else []
gradients = run.gradients(point, upstream)
print(json.dumps({name: value.tolist() for name, value in gradients.items()}))
"""


@pytest.mark.parametrize("file", sorted(FOLDER.rglob("*.py")), ids=lambda file: file.name)
def test_its_folder_can_be_copied_out_of_the_house(file: Path) -> None:
    allowed = {*sys.stdlib_module_names, "numpy", "."}
    imported = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            imported |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add("." * node.level or (node.module or "").partition(".")[0])
    assert imported <= allowed


def test_it_runs_where_only_the_standard_library_and_numpy_exist(tmp_path: Path) -> None:
    requests = {}
    for example in (e for e in EXAMPLES if e.name in ("pair", "whole model")):
        case = case_of(example.keys, example.arrays, options=example.options)
        assert isinstance(case.body, CodeBody)
        arrays = {name: value.tolist() for name, value in example.arrays.items()}
        requests[example.name] = (example, {"path": str(LAYERS), "plan": make_plan(case, case.body), "arrays": arrays})
    (tmp_path / "bare.py").write_text(BARE)
    shutil.copytree(FOLDER, tmp_path / "box" / "session", ignore=shutil.ignore_patterns("__pycache__"))
    numpy_folder = str(Path(np.__file__).parents[1])
    for example, request in requests.values():
        command = [sys.executable, "-I", "-S", str(tmp_path / "bare.py"), numpy_folder, str(tmp_path / "box")]
        done = subprocess.run(command, input=json.dumps(request), capture_output=True, text=True, check=False)
        assert done.stderr == ""
        here = open_handwritten(case_of(example.keys, example.arrays, options=example.options), example.arrays).vjp()
        found = json.loads(done.stdout)
        assert {name: found[name] for name in here} == {name: value.tolist() for name, value in here.items()}
