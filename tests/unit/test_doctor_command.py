"""`gradcheck doctor`: which tiers hold, why others are missing, what helps; and the exit code that says it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from gradcheck.cli import doctor, main
from gradcheck.errors import UnsafeError
from gradcheck.sandbox import choice, remedies
from gradcheck.sandbox.terms import Tier
from gradcheck.sandbox.tiers import LACKS, LAYERS

NO_NAMESPACES = "namespaces: unshare: Operation not permitted"


@pytest.fixture
def tiers(monkeypatch: pytest.MonkeyPatch) -> dict[str, Tier | str]:
    """Name → what trying it gives; at first all hold."""
    found: dict[str, Tier | str] = {name: Tier(name, LAYERS[name], LACKS[name]) for name in LAYERS}
    monkeypatch.setattr(choice, "try_tier", found.__getitem__)
    monkeypatch.setattr(remedies, "place", lambda root="/": remedies.UBUNTU)
    return found


def page(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(main, ["doctor", *arguments])
    return done.exit_code, done.output


def test_the_page_names_every_tier_and_the_one_that_is_used(tiers: dict[str, Tier | str]) -> None:
    code, text = page()
    assert code == 0
    assert text.splitlines()[3:] == [
        "tiers of the sandbox, the strongest first",
        "  strong  works    namespaces, unprivileged user, Landlock, seccomp, resource limits, keeper",
        "  medium  works    unprivileged user, Landlock, seccomp, resource limits, keeper",
        "                   but a submission can see which files and folders exist, though it cannot open them",
        "  limits  works    resource limits, keeper",
        "                   but a submission can read and change files, use the network, and disturb other processes "
        "of its user",
        "",
        "gradcheck grade uses: strong",
    ]


def test_what_is_missing_has_a_reason_and_a_remedy(tiers: dict[str, Tier | str]) -> None:
    tiers["strong"] = NO_NAMESPACES
    code, text = page()
    assert code == 0
    assert text.splitlines()[4:7] == [
        "  strong  missing  namespaces, unprivileged user, Landlock, seccomp, resource limits, keeper",
        f"                   why: {NO_NAMESPACES}",
        "                   what helps: sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0",
    ]
    assert text.endswith("gradcheck grade uses: medium\n")


def test_where_nothing_stops_a_submission_the_exit_code_is_four(tiers: dict[str, Tier | str]) -> None:
    tiers.update(strong=NO_NAMESPACES, medium="Landlock: landlock_create_ruleset: Function not implemented")
    code, text = page()
    assert code == 4
    assert "Function not implemented" in text
    assert text.endswith("grading refuses here: no tier that stops a submission works\n")
    code, text = page("--format", "json")
    assert code == 4
    assert json.loads(text)["grade"] is None


def test_json_says_the_same(tiers: dict[str, Tier | str]) -> None:
    tiers["strong"] = NO_NAMESPACES
    code, text = page("--format", "json")
    found = json.loads(text)
    assert (code, found["schema"], found["grade"]) == (0, 1, "medium")
    assert [tier["name"] for tier in found["tiers"]] == ["strong", "medium", "limits"]
    assert found["tiers"][0] == {
        "name": "strong", "works": False, "layers": list(LAYERS["strong"]), "lacks": [], "reason": NO_NAMESPACES,
        "remedy": remedies.FOR_NAMESPACES[remedies.UBUNTU],
    }  # fmt: skip
    assert found["tiers"][1]["reason"] is found["tiers"][1]["remedy"] is None


@pytest.mark.parametrize(
    ("made", "place"),
    [
        ("autograder/source/", remedies.GRADESCOPE),
        (".dockerenv", remedies.CONTAINER),
        ("run/.containerenv", remedies.CONTAINER),
        ("proc/sys/kernel/apparmor_restrict_unprivileged_userns", remedies.UBUNTU),
        ("etc/", remedies.PLAIN),
    ],
)
def test_the_remedy_knows_the_place(made: str, place: str, tmp_path: Path) -> None:
    path = tmp_path / made
    path.parent.mkdir(parents=True, exist_ok=True)
    if made.endswith("/"):
        path.mkdir()
    else:
        path.write_text("1\n")
    assert remedies.place(str(tmp_path)) == place
    assert remedies.remedy("strong", str(tmp_path)) == remedies.FOR_NAMESPACES[place]
    assert remedies.remedy("medium", str(tmp_path)) == remedies.FOR_FILTERS
    assert remedies.remedy("limits", str(tmp_path)) == remedies.FOR_A_START


def test_elsewhere_linux_is_what_helps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "win32")
    assert remedies.remedy("strong") == remedies.remedy("medium") == remedies.NOT_LINUX


def test_this_machine_is_told_of_as_it_is() -> None:
    """What it says here is what choosing a tier does here."""
    found = doctor.examination()
    try:
        used: str | None = choice.choose_tier("medium").name
    except UnsafeError:
        used = None
    assert found["grade"] == used
    for tier in found["tiers"]:
        assert tier["works"] is isinstance(choice.try_tier(tier["name"]), Tier)
        assert bool(tier["reason"]) is not tier["works"]
        assert bool(tier["remedy"]) is not tier["works"]


def test_a_command_that_cannot_be_safe_exits_with_four(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> dict[str, object]:
        raise UnsafeError("no sandbox of tier medium or better", "gradcheck doctor shows why")

    monkeypatch.setattr(doctor, "examination", refuse)
    done = CliRunner().invoke(main, ["doctor"])
    assert (done.exit_code, done.stdout) == (4, "")
    assert done.stderr == "error: no sandbox of tier medium or better\n  gradcheck doctor shows why\n"
