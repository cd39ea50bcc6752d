"""The shape of the configuration: one struct a table of the TOML, with its defaults and its words.

`docs/reference/config.md` is tested against these structs: every field needs its docstring there.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from pilothouse.model.affordances import SafeWhen

Port = Annotated[int, Meta(ge=0, le=65535)]
Duration = str | float | int
"""A number of seconds, or text with a unit: "250ms", "5s", "20m", "12h", "30d"."""


class SiteConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[site]`"""

    name: str = "home"
    """Prefix of everything on the bus; two sites may share a bus."""
    title: str = "Pilothouse"
    """What pages show as their heading."""


class NodeConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[node]`"""

    name: str = ""
    """Stable name of this machine; empty = its host name, made fit."""
    host: bool = True
    """Whether the vitals of this machine are a thing named "host"."""
    link_lost_after: Duration = 0
    """Outputs of this node go to their safe values when the bus has been out of reach for this long; 0 = they stay."""


class BusConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[bus]`"""

    url: str = ""
    """A NATS server or cluster of your own, "nats://host:4222,nats://host2:4222"; empty = the embedded one."""
    user: str = ""
    """Who logs in at the bus of `url`; empty = nobody needs to."""
    password_file: str = ""
    """File whose first line is the password for `user`."""
    server: str = ""
    """Path of a nats-server program for the embedded bus; empty = PATH, then the one installed with Pilothouse."""
    max_memory: int = 128 * 1024 * 1024
    """Bytes of memory that the embedded bus may use for streams."""
    max_file: int = 1024 * 1024 * 1024
    """Bytes of disk that the embedded bus may use for streams."""


class HubConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[hub]`"""

    host: str = "127.0.0.1"
    """Address to listen on."""
    port: Port = 8470
    """Port to listen on; 0 = any free one."""
    public_url: str = ""
    """How browsers reach the hub when that is not its own host and port."""
    tls: Literal["auto", "off"] = "auto"
    """"auto": plain on loopback, beyond it with a certificate of its own authority; "off": plain everywhere, which is
    refused beyond loopback unless `behind_proxy` or `insecure` says that it is meant."""
    certificate: str = ""
    """PEM file of a certificate of yours, with its chain; then TLS is used on loopback too."""
    key: str = ""
    """PEM file of its key."""
    behind_proxy: tuple[str, ...] = ()
    """Addresses or networks of reverse proxies that do TLS for this hub and whose X-Forwarded-For and
    X-Forwarded-Proto are believed; needs `public_url`."""
    insecure: bool = False
    """Whether to serve beyond loopback without TLS: passwords can be read on the way, and every page says so."""
    allow_origins: tuple[str, ...] = ()
    """Origins of other sites, "https://dash.example", whose pages may read this API with a token."""
    session_idle: Duration = "7d"
    """A log-in ends when nothing was done with it for this long; a page that is open counts as use."""
    session_life: Duration = "30d"
    """A log-in ends after this time in any case."""


class ProxyLoginConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[proxy_login]`: log-in by headers of the proxies in `hub.behind_proxy`, which must take them away from what
    browsers send."""

    user_header: str = ""
    """Header with the name of whoever is logged in, such as "X-Remote-User"; empty = no log-in of this kind."""
    groups_header: str = ""
    """Header with their groups, separated by commas."""


class OidcConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[oidc]`: log-in at an identity provider of yours (OpenID Connect)."""

    issuer: str = ""
    """Address of the provider, as in its discovery document; empty = no log-in of this kind."""
    client_id: str = ""
    """Name under which the provider knows this hub."""
    client_secret_file: str = ""
    """File whose first line is the secret that goes with it; a name without a slash may be a systemd credential."""
    title: str = "single sign-on"
    """What the button says."""
    name_claim: str = "preferred_username"
    """Claim that gives people their names here."""
    groups_claim: str = "groups"
    """Claim with the groups that `[groups]` maps to rights."""
    scopes: tuple[str, ...] = ("openid", "profile", "email")
    """What is asked of the provider."""
    ca_file: str = ""
    """PEM file of the authority behind the provider's certificate; empty = those that the system trusts."""


class KeeperConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[keeper]`"""

    keep_raw: Duration = "7d"
    """How long every reading is kept."""
    keep_minutes: Duration = "90d"
    """How long the roll-up of one minute is kept."""
    keep_hours: Duration = "3650d"
    """How long the roll-up of one hour is kept."""
    flush: Duration = 1.0
    """Readings are in charts after this time at most."""
    settle: Duration = "30m"
    """Readings are gathered this long before they are written into the record in one go, which spares the card. Until
    then they are on the bus's disk; many readings are written sooner."""


class PropertyConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[things.NAME.properties.PROPERTY]`: overrides of what the driver declares."""

    title: str | None = None
    """What pages call it."""
    doc: str | None = None
    """What it is, in a few words."""
    minimum: float | None = None
    """May only narrow the driver's own limit."""
    maximum: float | None = None
    """May only narrow the driver's own limit."""
    precision: int | None = None
    """Decimals worth showing."""
    every: Duration | None = None
    """How often it is read."""
    dead_band: float | None = None
    """A number is reported when it differs from the last report by more than this."""
    heartbeat: Duration | None = None
    """An unchanged value is reported again after this; one that is 2.5 times older is stale."""
    safe: Any = None
    """The value it takes when nobody is in charge; only for writable properties."""
    confirm: Literal["", "yes", "two-person"] | None = None
    """Whether writing it needs a confirmation, and whose."""
    hazard: str | None = None
    """What may happen, in one sentence; shown before the press."""
    safe_when: tuple[SafeWhen, ...] | None = None
    """When it goes to its safe value, of "start", "end", "link", "lease"; all of them unless said. Stop always does."""
    link_lost_after: Duration | None = None
    """As in `[node]`, for this output; 0 = it stays."""
    slew: float | None = None
    """Most that it may be changed within a second, in its unit; going to the safe value is free."""
    max_on: Duration | None = None
    """It goes back to its safe value by itself after this time."""
    min_off: Duration | None = None
    """It stays at its safe value for this time at least."""


class ThingConfig(Struct, frozen=True, kw_only=True):
    """`[things.NAME]`: what every thing has; the driver's own settings stand beside these."""

    driver: str
    """Name of the driver, such as "sim.relays"."""
    title: str = ""
    """What pages call it; empty = made from its name."""
    doc: str = ""
    """What it is and how it is wired, for those who come after you."""
    tags: tuple[str, ...] = ()
    """Words to find it by."""
    enabled: bool = True
    """false = as if it were not in the file."""
    interlocks: dict[str, str | tuple[str, ...]] = {}
    """Conditions for an output or action of it by its name: heater = "requires valves.pump == true"."""
    properties: dict[str, PropertyConfig] = {}
    """Overrides of single properties, `[things.NAME.properties.PROPERTY]`."""
    settings: dict[str, Any] = {}
    """Everything else in the table; filled by the loader, checked by the driver."""


class StandConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[stands.NAME]`: things that are used together and can be leased together. Read by the hub."""

    things: tuple[str, ...]
    """Its things, as node/thing; without a node, of this node."""
    title: str = ""
    """What pages call it; empty = made from its name."""
    doc: str = ""
    """What it is for, and whom to ask."""
    lease: Duration = "30m"
    """How long it is held from the last use on."""
    required: bool = False
    """Whether nobody may command it without holding it; else a stand that nobody holds is everyone's."""
    safe_on_expiry: bool = True
    """Whether its outputs go to their safe values when a lease runs out."""


Granted = tuple[str, ...]
"""Rights as text, see pilothouse.rights: "viewer", "operator@bench" (a stand), "operator@pi/*", "engineer@pi/bath"."""


class Config(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole configuration of one machine."""

    site: SiteConfig = SiteConfig()
    node: NodeConfig = NodeConfig()
    bus: BusConfig = BusConfig()
    hub: HubConfig = HubConfig()
    keeper: KeeperConfig = KeeperConfig()
    things: dict[str, ThingConfig] = {}
    """One table a thing."""
    exclusive: dict[str, tuple[str, ...]] = {}
    """Groups of outputs of this node, thing.property, of which at most one may be on: `[exclusive]` NAME = [...]."""
    stands: dict[str, StandConfig] = {}
    """One table a stand."""
    oidc: OidcConfig = OidcConfig()
    proxy_login: ProxyLoginConfig = ProxyLoginConfig()
    groups: dict[str, Granted] = {}
    """Rights of the groups that an identity provider or a proxy names: `[groups]` NAME = ["operator@bench"]."""
