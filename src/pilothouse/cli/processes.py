"""`pilothouse up`, and the help of the verbs that become a process of their own.

`main` turns `agent`, `hub`, `keeper` and `bus` into those processes before the command line is imported; here they have
their help, and nothing ever calls them.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from pilothouse.cli.access import Flag


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Launch:
    """Options that every process takes (config.launch reads them)."""

    data: Path | None = None
    """Data folder; default: $PILOTHOUSE_DATA, else ~/.local/share/pilothouse."""
    config: Path | None = None
    """Configuration file; default: pilothouse.toml in the data folder."""
    verbose: Flag = False
    """Say more in the log."""


_PLAIN = Launch()

Proxies = Annotated[tuple[str, ...], Parameter(negative="", show_default=False)]
"""An option that may be given several times."""


def up(
    *,
    host: str | None = None,
    port: int | None = None,
    behind_proxy: Proxies = (),
    insecure: Flag = False,
    launch: Launch = _PLAIN,
) -> int:
    """Run everything on this machine until Ctrl-C: bus, keeper, hub, agent.

    What dies is started again. The address of the page is printed, with a
    log-in link that works once.

    For example:
        pilothouse up
        pilothouse up --data ~/bench --config bench.toml --host 0.0.0.0 --port 8470

    Parameters
    ----------
    host:
        address to listen on; default: from the configuration, else 127.0.0.1.
        For other machines, with TLS: 0.0.0.0
    port:
        port to listen on; default: from the configuration, else 8470
    behind_proxy:
        address or network of a reverse proxy that does TLS for the hub; may be given several times
    insecure:
        serve other machines without TLS; every page says so
    """
    from pilothouse.cli.up import up as run_up  # here: help needs none of it

    return run_up(
        data=launch.data,
        config=launch.config,
        host=host,
        port=port,
        behind_proxy=behind_proxy,
        insecure=insecure,
        verbose=launch.verbose,
    )


def agent(*, launch: Launch = _PLAIN) -> None:
    """Run the agent: own this machine's hardware and put it on the bus.

    For example:
        pilothouse agent --data /var/lib/pilothouse
    """


def hub(
    *,
    host: str | None = None,
    port: int | None = None,
    behind_proxy: Proxies = (),
    insecure: Flag = False,
    link: Flag = False,
    launch: Launch = _PLAIN,
) -> None:
    """Run a hub: pages, REST, live stream.

    For example:
        pilothouse hub --data /var/lib/pilothouse --port 8471

    Parameters
    ----------
    host:
        address to listen on; default: from the configuration, else 127.0.0.1
    port:
        port to listen on; default: from the configuration, else 8470
    behind_proxy:
        address or network of a reverse proxy that does TLS for the hub; may be given several times
    insecure:
        serve other machines without TLS; every page says so
    link:
        print a log-in link that works once
    """


def keeper(*, launch: Launch = _PLAIN) -> None:
    """Run the keeper: write the record.

    For example:
        pilothouse keeper --data /var/lib/pilothouse
    """


def bus(*, fresh: Flag = False, launch: Launch = _PLAIN) -> None:
    """Run the embedded bus.

    For example:
        pilothouse bus --data /var/lib/pilothouse

    Parameters
    ----------
    fresh:
        make new credentials and a new port, whatever was there
    """
