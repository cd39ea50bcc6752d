"""What is below the application is tested on the event loop that the hub's process runs on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import uvloop


def pytest_asyncio_loop_factories(config: Any, item: Any) -> Mapping[str, Callable[[], Any]]:
    """For every test of this folder."""
    return {"uvloop": uvloop.new_event_loop}
