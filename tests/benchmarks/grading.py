"""The autograder at scale: many submissions × 6 checks, one in ten hostile, against the rate of bare numpy processes.

    python tests/benchmarks/grading.py [SUBMISSIONS]

Prints the rate at which this machine starts `python -c "import numpy"`, as many at a time as it has cores, and the
rates of honest submissions alone and of the mixture; the largest memory of all processes together; and whether a run
that is killed in the middle comes to the same results. Exits with 1 where a promise is not kept.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

EXAMPLE = Path(__file__).parents[1] / "grading" / "examples" / "two_layer"
GRADE = [sys.executable, "-c", "from gradcheck.cli import main; main()", "grade"]
ENVIRONMENT = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
MEBIBYTE = 2**20
MOST_MEMORY = 1024  # MiB, of everything
LEAST_SHARE = 0.5  # of the rate of bare processes, for honest submissions
HOSTILE = {  # what stands in front of the right code, in its affine_backward
    "loop": "    while True: pass\n",
    "sleep": "    import time; time.sleep(1e6)\n",
    "forks": "    import os\n    while True: os.fork()\n",
    "memory": "    return [bytearray(10**9) for _ in range(10**6)]\n",
    "flood": "    import os\n    while True: os.write(1, b'x' * 65536)\n",
    "exit": "    import os; os._exit(0)\n",
    "segfault": "    import ctypes; ctypes.string_at(0)\n",
    "recursion": "    return affine_backward(dout, cache)\n",
}


def main() -> int:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 300
    cores = len(os.sched_getaffinity(0))
    kept = True
    with tempfile.TemporaryDirectory(prefix="bench-grading-") as name:
        folder = Path(name)
        prepare(folder, count)
        before = rate_of_processes(cores, max(20, count // 6))
        honest = count - count // 10
        seconds, memory = graded(folder, "honest", "out-honest")
        bare = (before + rate_of_processes(cores, max(20, count // 6))) / 2  # the machine may have others to serve
        print(f"python -c 'import numpy'      {bare:8.1f} per second, {cores} at a time")
        share = honest / seconds / bare
        kept &= share >= LEAST_SHARE
        print(f"{honest} honest submissions     {honest / seconds:8.1f} per second, {share:.0%} of that rate")
        seconds, both = graded(folder, "mixed", "out-mixed")
        print(f"{count} with a tenth hostile   {count / seconds:8.1f} per second, {seconds:.1f} s")
        memory = max(memory, both)
        kept &= memory <= MOST_MEMORY
        print(f"memory of all processes       {memory:8.0f} MiB at most")
        whole = results(folder / "out-mixed")
        kept &= len(whole["results"]) == count
        print(f"results                       {len(whole['results']):8d} of {count}: {told(whole)}")
        cut = killed_and_resumed(folder, count)
        other = results(folder / "out-cut")
        same = other == whole
        kept &= same
        for a, b in zip(whole["results"], other["results"], strict=True):
            if a != b:
                print(f"  {a['submission']}: {differences(a, b)}")
        print(f"killed after {cut} and resumed: {'the same results' if same else 'OTHER RESULTS'}")
    print("every promise is kept" if kept else "a promise is NOT kept")
    return 0 if kept else 1


def prepare(folder: Path, count: int) -> None:
    """The homework with `timeout: 2`; submissions that all differ, every tenth of them hostile."""
    for name in ("hw.yaml", "reference.py"):
        shutil.copy(EXAMPLE / name, folder / name)
    text = (folder / "hw.yaml").read_text().replace("timeout: 5", "timeout: 2")
    (folder / "hw.yaml").write_text(text)
    right = (EXAMPLE / "submissions" / "perfect" / "two_layer.py").read_text()
    for kind in ("honest", "mixed"):
        (folder / kind).mkdir()
    kinds = list(HOSTILE)
    begin = right.index("    x, w = cache")
    for number in range(count):
        name = f"s{number:04}.py"
        source = f"{right}\n\nNUMBER = {number}\n"
        if number % 10 == 9:
            evil = HOSTILE[kinds[number // 10 % len(kinds)]]
            source = source[:begin] + evil + source[begin:]
        else:
            (folder / "honest" / name).write_text(source)
        (folder / "mixed" / name).write_text(source)


def rate_of_processes(cores: int, number: int) -> float:
    def one(_: int) -> None:
        subprocess.run([sys.executable, "-c", "import numpy"], env=ENVIRONMENT, check=True)

    with ThreadPoolExecutor(cores) as pool:
        list(pool.map(one, range(cores)))  # the files are in memory from here on
        started = time.perf_counter()
        list(pool.map(one, range(number)))
        return number / (time.perf_counter() - started)


def graded(folder: Path, submissions: str, out: str) -> tuple[float, float]:
    """Seconds, and the largest memory in MiB, of one grading."""
    started = time.perf_counter()
    process = subprocess.Popen(
        [*GRADE, "hw.yaml", submissions, "-o", out], cwd=folder, env=ENVIRONMENT, stdout=subprocess.DEVNULL
    )
    peak = 0.0
    done = threading.Event()

    def watch() -> None:
        nonlocal peak
        while not done.wait(0.25):
            peak = max(peak, sum(map(proportional_size, family(process.pid))))

    watcher = threading.Thread(target=watch)
    watcher.start()
    code = process.wait()
    seconds = time.perf_counter() - started
    done.set()
    watcher.join()
    if code:
        raise SystemExit(f"gradcheck grade ended with {code}")
    return seconds, peak / MEBIBYTE


def family(pid: int) -> list[int]:
    """A process and all that it has started, in whichever of its threads."""
    found = [pid]
    for thread in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):  # it has just ended
            found += [inner for child in thread.read_text().split() for inner in family(int(child))]
    return found


def proportional_size(pid: int) -> float:
    """Bytes of a process, pages that are shared with others counted by their share."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) * 1024.0 for line in lines if line.startswith("Pss:")), 0.0)


def killed_and_resumed(folder: Path, count: int) -> int:
    """Kill a grading when about half is known, and run it again; returns how many were known."""
    journal = folder / "out-cut" / "journal.jsonl"
    process = subprocess.Popen(
        [*GRADE, "hw.yaml", "mixed", "-o", "out-cut"], cwd=folder, env=ENVIRONMENT, stdout=subprocess.DEVNULL
    )
    while process.poll() is None and lines(journal) < count // 2:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    known = lines(journal)
    graded(folder, "mixed", "out-cut")
    return known


def lines(path: Path) -> int:
    return path.read_bytes().count(b"\n") if path.exists() else 0


def results(folder: Path) -> dict[str, Any]:
    """What came out, durations aside."""
    data: dict[str, Any] = json.loads((folder / "results.json").read_text())
    for result in data["results"]:
        result["seconds"] = 0.0
    return data


def differences(a: Any, b: Any, place: str = "") -> list[str]:
    """Where two values of JSON differ."""
    if isinstance(a, dict) and isinstance(b, dict) and a.keys() == b.keys():
        return [text for key in a for text in differences(a[key], b[key], f"{place}.{key}")]
    if isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        return [text for i, (x, y) in enumerate(zip(a, b, strict=True)) for text in differences(x, y, f"{place}[{i}]")]
    return [] if a == b else [f"{place}: {a!r} and {b!r}"]


def told(data: dict[str, Any]) -> str:
    statuses = [result["status"] for result in data["results"]]
    return ", ".join(f"{statuses.count(status)} {status}" for status in sorted(set(statuses)))


if __name__ == "__main__":
    sys.exit(main())
