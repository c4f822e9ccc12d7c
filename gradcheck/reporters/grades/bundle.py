"""An autograder for Gradescope as a zip that is ready to be uploaded: this package, the assignment, two short scripts.

Files stand at the root of the archive, as Gradescope asks. Its harness runs as root in a container without namespaces:
submissions are graded at tier medium there, under a user of their own, and see neither the assignment nor its results.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import gradcheck
from gradcheck.casefile.arrays import file_of
from gradcheck.location import SourceText
from gradcheck.model.case import CodeBody
from gradcheck.model.grading import Assignment

THEN = (1980, 1, 1, 0, 0, 0)  # the earliest date of a zip: the same assignment makes the same bytes
NEEDS = "numpy click rich ruamel.yaml"

SETUP = f"""\
#!/usr/bin/env bash
# Runs once, as root, when the image is built.
set -euo pipefail
fits() {{ "$1" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }}
python=python3
if ! fits "$python"; then
  apt-get update
  for version in 3.13 3.12 3.11; do
    if apt-get install -y --no-install-recommends "python$version" "python$version-venv"; then
      python="python$version"
      break
    fi
  done
fi
fits "$python" || {{ echo "gradcheck needs Python 3.11 or newer: choose a newer base image" >&2; exit 1; }}
"$python" -m venv /autograder/venv
/autograder/venv/bin/pip install --quiet {NEEDS}
# Submissions run as a user of their own, who has to read the interpreter and nothing of the assignment.
chmod -R go+rX /autograder/venv
chmod -R go-rwx /autograder/source
"""

RUN = """\
#!/usr/bin/env bash
# Runs for every submission; writes results/results.json, whatever happens.
cd "$(dirname "$0")"
mkdir -p results
python=venv/bin/python
[ -x "$python" ] || python="${{PYTHON:-python3}}"
rm -f results/results.json
export PYTHONPATH=source PYTHONDONTWRITEBYTECODE=1 PYTHONSAFEPATH=1
"$python" -m gradcheck grade "source/assignment/{name}" submission --single --sandbox medium --fresh \\
  -o graded -o gradescope:results/results.json || true
rm -rf graded
if [ ! -s results/results.json ]; then
  cat > results/results.json <<'EOF'
{{"score": 0, "output_format": "text", "stdout_visibility": "hidden",
 "output": "The autograder could not grade this submission; that is no fault of yours. Please tell your instructor."}}
EOF
fi
"""


def render_bundle(assignment: Assignment) -> bytes:
    """The zip."""
    name = Path(assignment.file).name
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        _add(archive, "setup.sh", SETUP.encode(), 0o755)
        _add(archive, "run_autograder", RUN.format(name=name).encode(), 0o755)
        for path in _needed(assignment):
            inside = path.relative_to(assignment.folder).as_posix()
            _add(archive, f"assignment/{inside}", path.read_bytes())
        package = Path(gradcheck.__file__).parent
        for path in sorted(package.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts and path.suffix not in (".pyc", ".pyo"):
                _add(archive, f"gradcheck/{path.relative_to(package).as_posix()}", path.read_bytes())
    return stream.getvalue()


def _needed(assignment: Assignment) -> Iterator[Path]:
    """The case file, the references with what may lie beside them, and the files that arrays come from."""
    found = {assignment.folder / Path(assignment.file).name}
    for check in assignment.checks:
        for case in check.cases:
            if isinstance(case.body, CodeBody) and case.body.reference is not None:
                found.add(case.body.reference)
            for spec in case.inputs.values():
                if isinstance(spec, SourceText) and (named := file_of(spec.text)):
                    found.add((case.directory / named[0]).resolve())
    if assignment.roster is not None:
        found.add(assignment.roster)
    # A reference may import its neighbours; what students get may be there, too.
    found.update(path for path in assignment.folder.glob("*.py"))
    yield from sorted(path.resolve() for path in found if path.resolve().is_relative_to(assignment.folder))


def _add(archive: zipfile.ZipFile, name: str, content: bytes, mode: int = 0o644) -> None:
    info = zipfile.ZipInfo(name, THEN)
    info.external_attr = (0o100000 | mode) << 16
    info.compress_type = zipfile.ZIP_DEFLATED
    archive.writestr(info, content)
