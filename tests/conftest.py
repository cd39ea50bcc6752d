"""What holds for every test: nothing is left behind, and no machine is too slow for a property test."""

from __future__ import annotations

import asyncio
import logging
import os
import threading
import time
from collections.abc import AsyncIterator, Iterator

import psutil
import pytest
from hypothesis import HealthCheck, settings

# A deadline is a timed assertion, and shared machines are slow at times. CI repeats the same examples, so that a red
# build is the fault of its change; everywhere else new ones are drawn at each run.
settings.register_profile(
    "house",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize=bool(os.environ.get("CI")),
)
settings.load_profile("house")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options of the fault suite, see tests/system/faults."""
    parser.addoption("--minutes", type=float, default=0.0, help="fault suite: run it for so long (0 = the short form)")
    parser.addoption("--seed", type=int, default=None, help="fault suite: run once with this seed")


_PATIENCE = 5.0
"""Seconds that threads and processes may take to be gone after a test."""


def _left(before: set[int], threads: set[threading.Thread]) -> list[str]:
    children = [child for child in psutil.Process().children() if child.pid not in before]
    found = []
    for child in children:
        try:
            if child.status() != psutil.STATUS_ZOMBIE:
                found.append(f"process {child.pid} ({' '.join(child.cmdline())[:120]})")
        except psutil.Error:
            continue
    running = [thread for thread in threading.enumerate() if thread not in threads and not _is_of_the_house(thread)]
    return found + [f"thread {thread.name}" for thread in running]


def _is_of_the_house(thread: threading.Thread) -> bool:
    """Threads of the test tools, and idle pools that end with their event loop."""
    return thread.name.startswith(("asyncio_", "ThreadPoolExecutor", "execnet", "pytest", "Playwright", "Dummy-"))


@pytest.fixture(autouse=True)
def nothing_left(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test that leaves a process or a thread behind."""
    children = {child.pid for child in psutil.Process().children()}
    threads = set(threading.enumerate())
    yield
    end = time.monotonic() + _PATIENCE
    while left := _left(children, threads):
        if time.monotonic() > end:
            pytest.fail(f"{request.node.name} left behind: {', '.join(left)}")
        time.sleep(0.01)


@pytest.fixture(autouse=True)
def logging_as_it_was() -> Iterator[None]:
    """A process of ours sets up its log for good; one that a test plays here must not do so for the rest."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
async def no_tasks_left() -> AsyncIterator[None]:
    """Fail an async test that leaves a task behind; asked for by every async test (see below)."""
    yield
    own = asyncio.current_task()
    left = [task for task in asyncio.all_tasks() if task is not own and not task.done()]
    for _ in range(10):
        if not left:
            return
        await asyncio.sleep(0.01)
        left = [task for task in left if not task.done()]
    names = [str(task.get_coro()) for task in left]
    for task in left:
        task.cancel()
    pytest.fail(f"tasks left behind: {', '.join(names)}")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Have every async test ask for `no_tasks_left` before its other fixtures, so that it looks after all of them."""
    for item in items:
        if isinstance(item, pytest.Function) and asyncio.iscoroutinefunction(item.obj):
            item.fixturenames.insert(0, "no_tasks_left")
