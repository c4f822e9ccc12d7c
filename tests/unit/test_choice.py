"""Which tier is chosen, what is said where none may be, and that a hole in the walls is seen."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import pytest

from gradcheck.errors import UnsafeError
from gradcheck.sandbox import choice
from gradcheck.sandbox.box import Tier, choose_tier
from tests.attacks.boxed import host


@pytest.fixture
def tiers(monkeypatch: pytest.MonkeyPatch) -> dict[str, Tier | str]:
    """Name → what trying it gives."""
    found: dict[str, Tier | str] = {name: Tier(name, ()) for name in ("strong", "medium", "limits")}
    monkeypatch.setattr(choice, "try_tier", found.__getitem__)
    monkeypatch.setattr(choice, "remedy", lambda name: f"to have {name}: …")
    return found


def test_the_strongest_tier_is_chosen(tiers: dict[str, Tier | str]) -> None:
    assert choose_tier().name == "strong"
    tiers["strong"] = "no namespaces"
    assert choose_tier("medium").name == choose_tier("limits").name == "medium"
    tiers["medium"] = "no Landlock"
    assert choose_tier("limits").name == "limits"


def test_a_tier_may_be_asked_for(tiers: dict[str, Tier | str]) -> None:
    assert choose_tier("medium", "medium").name == "medium"
    assert choose_tier("limits", "limits").name == "limits"
    tiers["strong"] = "no namespaces"
    with pytest.raises(UnsafeError) as caught:
        choose_tier("medium", "strong")
    assert caught.value.message == "no sandbox of tier strong (strong: no namespaces)"
    assert caught.value.hint == "to have strong: …"


def test_never_is_a_weaker_one_taken(tiers: dict[str, Tier | str]) -> None:
    tiers.update(strong="no namespaces", medium="the walls have holes: a connection (done)")
    with pytest.raises(UnsafeError) as caught:
        choose_tier("medium")
    assert caught.value.message == (
        "no sandbox of tier medium or better (strong: no namespaces; medium: the walls have holes: a connection (done))"
    )
    assert caught.value.hint == "to have medium: …"
    with pytest.raises(UnsafeError, match="'limits' is weaker than the required 'medium'"):
        choose_tier("medium", "limits")
    with pytest.raises(UnsafeError, match="there is no tier 'none'"):
        choose_tier("medium", "none")


def test_a_wall_with_a_hole_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same attempts in a box that has limits only: the trial of medium would not pass there."""
    if not isinstance(choice.try_tier("limits"), Tier):
        pytest.skip("no box at all here")
    from gradcheck.sandbox import proof

    before = host()
    tried = proof.attempts("limits")
    assert host() == before  # even where they succeed
    open_doors = [name for name, by in tried.items() if not proof._is_stopped(name, by)]
    assert {"reading a file outside", "a connection", "memfd_create", "shmget", "a local socket"} <= set(open_doors)
    monkeypatch.setattr(
        proof, "attempts", lambda name, wanted: {"a connection": "", "tracing": "EPERM", "bpf": "EFAULT"}
    )
    assert proof.holes("medium") == ["a connection (done)", "bpf (EFAULT)"]


@pytest.mark.parametrize("system", ["win32", "darwin"])
def test_elsewhere_it_says_that_grading_needs_linux(system: str) -> None:
    """The room can be imported without what only Linux, or only Unix, has."""
    code = textwrap.dedent(f"""
        import sys
        import numpy, subprocess, click
        class Refuse:
            def find_spec(self, name, path=None, target=None):
                if name in ("resource", "fcntl", "ctypes.wintypes"):
                    raise ImportError(name)
        sys.meta_path.insert(0, Refuse())
        for name in ("resource", "fcntl"):
            sys.modules.pop(name, None)
        sys.platform = "{system}"
        from gradcheck.sandbox.box import choose_tier
        from gradcheck.errors import UnsafeError
        try:
            choose_tier("limits")
        except UnsafeError as error:
            print(error.message, "|", error.hint)
    """)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert "grading needs Linux" in done.stdout
