"""One running site for all attacks of a file's worker; what a test changes in it is put back after it."""

from __future__ import annotations

from collections.abc import Iterator

import psutil
import pytest

from support.attacks.world import World


@pytest.fixture(scope="package")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The site with two worlds; none of its processes is left at the end."""
    before = {child.pid for child in psutil.Process().children(recursive=True)}
    with World(tmp_path_factory.mktemp("world")) as world:
        yield world
    left = [child for child in psutil.Process().children(recursive=True) if child.pid not in before]
    assert not [child for child in left if child.status() != psutil.STATUS_ZOMBIE], left


@pytest.fixture(autouse=True)
def nothing_left() -> None:
    """Not watched for each test: the hub starts threads and ends streams when it likes. `running` looks at its end."""


@pytest.fixture
def world(running: World) -> Iterator[World]:
    """The site with two worlds; nothing is stopped and no stand is held."""
    yield running
    running.calm()
