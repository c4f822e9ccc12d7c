"""A class graded on a Dask cluster, each worker with its own box, comes to the same results."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.grading.helpers import EXAMPLE
from tests.grading.test_grade_end_to_end import LIMIT, is_safe, run, timeless

pytest.importorskip("distributed", reason="the extra 'dask' is not installed")
pytestmark = pytest.mark.skipif(not is_safe(), reason="no sandbox of tier medium or better holds here")

CLUSTER = """
import sys
from distributed import LocalCluster

if __name__ == "__main__":
    options = dict(threads_per_worker=1, processes=True, dashboard_address=None, memory_limit=0)
    with LocalCluster(n_workers=2, **options) as cluster:
        print(cluster.scheduler_address, flush=True)
        sys.stdin.read()
"""


def test_a_cluster_comes_to_the_same_results(tmp_path: Path) -> None:
    arguments = (EXAMPLE / "hw.yaml", EXAMPLE / "submissions")
    (tmp_path / "cluster.py").write_text(CLUSTER)
    command = [sys.executable, str(tmp_path / "cluster.py")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as cluster:
        assert cluster.stdout is not None
        assert cluster.stdin is not None
        try:
            address = cluster.stdout.readline().strip()
            result = run(*arguments, "-o", tmp_path / "there", "--cluster", address)
        finally:
            cluster.stdin.close()
            cluster.wait(LIMIT)
    assert result.returncode == 0, result.stderr
    assert run(*arguments, "-o", tmp_path / "here").returncode == 0
    assert timeless(tmp_path / "there") == timeless(tmp_path / "here")
