"""Whether the run of the agent before came to its end: a file that stands while one runs, and goes when outputs are
safe at its end."""

from __future__ import annotations

import logging
from pathlib import Path

log = logging.getLogger(__name__)


class LastRun:
    """See the module's text. What the disk refuses is logged: the agent works without."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def was_cut_off(self) -> bool:
        """Whether the run before was killed, or ended with outputs that may have been on. Ask before `begin`."""
        return self._path.exists()

    def begin(self) -> None:
        """This run may switch outputs from now on."""
        try:
            self._path.touch(mode=0o600)
        except OSError as error:
            log.warning("a kill of this run will not be told in the ledger: %s: %s", self._path, error.strerror)

    def end(self) -> None:
        """All outputs are safe, and this run switches none any more."""
        try:
            self._path.unlink(missing_ok=True)
        except OSError as error:
            log.warning("the next run will take this one for killed: %s: %s", self._path, error.strerror)
