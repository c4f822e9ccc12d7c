"""Every attack meets every tier that is meant to hold it; one that is not to be had here is skipped with its reason."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from gradcheck.sandbox.choice import try_tier
from gradcheck.sandbox.terms import Tier
from tests.attacks.boxed import host, left, processes


@pytest.fixture(params=["strong", "medium"])
def tier(request: pytest.FixtureRequest) -> Tier:
    """A tier whose walls were seen to hold before anything dangerous is started in it."""
    found = try_tier(request.param)
    if not isinstance(found, Tier):
        pytest.skip(f"no tier {request.param} here: {found}")
    return found


@pytest.fixture(autouse=True)
def unchanged(request: pytest.FixtureRequest) -> Iterator[None]:
    """The host is as it was, and nothing of the box is left."""
    for name in {"tier", "limited"} & set(request.fixturenames):
        request.getfixturevalue(name)  # the process that boxes come from is there by now
    before, known = host(), processes()
    yield
    assert left(known) == set()
    assert host() == before
