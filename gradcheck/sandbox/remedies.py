"""What to do where a tier is missing, as far as one can tell where gradcheck runs; it looks, and changes nothing."""

from __future__ import annotations

import sys
from pathlib import Path

from gradcheck.sandbox.tiers import LIMITS, STRONG

NOT_LINUX = "grading needs Linux: use a Linux machine, a container (Docker) or WSL 2"

GRADESCOPE, UBUNTU, CONTAINER, PLAIN = "Gradescope", "Ubuntu with restricted user namespaces", "a container", "Linux"

# place → what helps to have namespaces there
FOR_NAMESPACES = {
    GRADESCOPE: "nothing to do: its containers have no namespaces, and root is there to make tier medium",
    UBUNTU: "sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0",
    CONTAINER: "nothing to do where tier medium works; otherwise docker run --privileged, on a machine of its own",
    PLAIN: "run as root, or allow user namespaces: sudo sysctl -w user.max_user_namespaces=10000",
}
FOR_FILTERS = (
    "use Linux 5.13 or later with Landlock (lsm=landlock,… on its command line), on x86_64 or aarch64, and in a "
    "container a seccomp profile that allows landlock_*, as Docker's own does"
)
FOR_A_START = "let the Python that runs gradcheck, and its numpy, be where this user may read them"


def place(root: str = "/") -> str:
    """Where this runs: what matters for namespaces.

    root : of the file tree that is looked at
    """
    if Path(root, "autograder", "source").is_dir():
        return GRADESCOPE
    if _read(Path(root, "proc/sys/kernel/apparmor_restrict_unprivileged_userns")) == "1":
        return UBUNTU
    if any(Path(root, name).exists() for name in (".dockerenv", "run/.containerenv")):
        return CONTAINER
    return PLAIN


def remedy(tier: str, root: str = "/") -> str:
    """One next step for a tier that is missing."""
    if sys.platform != "linux":
        return NOT_LINUX
    if tier == STRONG:
        return FOR_NAMESPACES[place(root)]
    return FOR_A_START if tier == LIMITS else FOR_FILTERS


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return ""
