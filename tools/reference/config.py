"""docs/reference/config.md: every table and key of the configuration."""

from __future__ import annotations

import msgspec

from pilothouse.config import site
from tools.reference.source import field_docs, module_docs
from tools.reference.tables import MADE, table, toml, type_words

_TABLES: tuple[tuple[str, type[msgspec.Struct]], ...] = (
    ("[site]", site.SiteConfig),
    ("[node]", site.NodeConfig),
    ("[bus]", site.BusConfig),
    ("[hub]", site.HubConfig),
    ("[keeper]", site.KeeperConfig),
    ("[things.NAME]", site.ThingConfig),
    ("[things.NAME.properties.PROPERTY]", site.PropertyConfig),
    ("[stands.NAME]", site.StandConfig),
    ("[oidc]", site.OidcConfig),
    ("[proxy_login]", site.ProxyLoginConfig),
)
_INNER = ("settings",)
"""Fields that are no keys of the file."""

_ABOVE = """
The configuration is `pilothouse.toml` in the data folder, or the file named with `--config`, and every `conf.d/*.toml`
beside it. A table may be spread over files, a thing may not. Without any file the built-in demo runs. A key that nobody
knows is a mistake: `pilothouse config check` lists all mistakes, each with its file, key and the nearest right one.

A duration is {duration}

`examples/` holds a configuration to start from.
"""
_BELOW = """Beside these keys of a thing stand the settings of its driver: see [drivers](drivers.md).
What guards outputs has a page of its own, with examples: see [guard, stop and stands](guard.md).
"""


def page() -> str:
    """The page."""
    duration = module_docs(site)["Duration"]
    above = _ABOVE.format(duration=duration[:1].lower() + duration[1:])
    parts = ["# Configuration\n", MADE, above]
    for head, kind in _TABLES:
        parts += [f"## `{head}`\n", table(("key", "type", "default", "meaning"), _rows(kind)), ""]
    parts += ["## `[exclusive]`\n", f"{field_docs(site.Config)['exclusive']}\n"]
    parts += ["## `[groups]`\n", f"{field_docs(site.Config)['groups']}\n"]
    return "\n".join([*parts, _BELOW])


def _rows(kind: type[msgspec.Struct]) -> list[tuple[str, ...]]:
    docs = field_docs(kind)
    rows: list[tuple[str, ...]] = []
    for field in msgspec.structs.fields(kind):
        if field.name in _INNER:
            continue
        if not docs.get(field.name):
            raise ValueError(f"{kind.__name__}.{field.name} needs a docstring below it")
        nothing = field.default in (None, msgspec.NODEFAULT)
        default = "needed" if field.required else "" if nothing else f"`{toml(field.default)}`"
        rows.append((f"`{field.name}`", type_words(field.type), default, docs[field.name]))
    return rows
