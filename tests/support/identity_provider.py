"""A real identity provider on this machine: the certified one of tests/support/oidc, run by Node."""

from __future__ import annotations

import asyncio
import json
from types import TracebackType
from typing import Any

from tools.oidc_provider import HOME, find_node, in_place

CLIENT = "pilothouse"
SECRET = "a+b/c=%&: the client's secret"
"""With everything that a careless encoding breaks."""


class IdentityProvider:
    """Use it in an `async with` block; `issuer` is its address. Any password is right for the users that it has."""

    def __init__(self, **wanted: Any) -> None:
        self.issuer = ""
        self._wanted = {"client_id": CLIENT, "client_secret": SECRET, "redirect_uris": [], "users": {}, **wanted}
        self._process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> IdentityProvider:
        assert in_place(), "the provider is not here: python -m tools.oidc_provider"
        pipe = asyncio.subprocess.PIPE
        self._process = await asyncio.create_subprocess_exec(
            find_node(), "provider.mjs", cwd=HOME, stdin=pipe, stdout=pipe, stderr=asyncio.subprocess.DEVNULL
        )
        self.issuer = (await self.change(**self._wanted))["issuer"]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def change(self, **changes: Any) -> dict[str, Any]:
        """Other users, redirect addresses …; `rotate=True` = other keys."""
        assert self._process is not None and self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps(changes).encode() + b"\n")
        async with asyncio.timeout(30):
            told: dict[str, Any] = json.loads(await self._process.stdout.readline())
        return told

    async def stop(self) -> None:
        """Be gone; its address refuses connections then."""
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()
            await self._process.wait()
            # The pipe is read to its end, so that nothing of it is left to the loop.
            assert self._process.stdout is not None
            await self._process.stdout.read()
        self._process = None
