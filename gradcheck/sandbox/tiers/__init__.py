"""The tiers of walls, and their layers, one file each: what the kernel is asked for, nothing about Python or arrays.

Standard library only: these files are loaded by the process that becomes the box. `walls.py` puts the layers of a tier
up, `proof.py` tries to break them.
"""

STRONG, MEDIUM, LIMITS = "strong", "medium", "limits"
TIERS = (STRONG, MEDIUM, LIMITS)  # the strongest first

LAYERS = {
    STRONG: ("namespaces", "unprivileged user", "Landlock", "seccomp", "resource limits", "keeper"),
    MEDIUM: ("unprivileged user", "Landlock", "seccomp", "resource limits", "keeper"),
    LIMITS: ("resource limits", "keeper"),
}
LACKS: dict[str, tuple[str, ...]] = {
    STRONG: (),
    MEDIUM: ("a submission can see which files and folders exist, though it cannot open them",),
    LIMITS: ("a submission can read and change files, use the network, and disturb other processes of its user",),
}
