"""Asks the identity provider: what it can do, its keys, a token for a code, what more it says of somebody.

Every question has five seconds and every answer a megabyte; the hub waits for nobody longer.
"""

from __future__ import annotations

import asyncio
import base64
import ssl
from collections.abc import AsyncIterator
from typing import Any, NamedTuple
from urllib.parse import quote_plus, urlsplit

import httpx2
import msgspec
from authlib.integrations.base_client import OAuthError
from authlib.integrations.httpx_client import AsyncOAuth2Client
from joserfc.jwk import KeySet
from msgspec import Struct

from pilothouse.clock import Clock
from pilothouse.config.site import OidcConfig
from pilothouse.hub.outside.mapping import plain
from pilothouse.hub.outside.refusals import bad_token, provider_away, provider_odd, provider_refused
from pilothouse.hub.outside.tokens import BadToken, read_keys

PATIENCE = 5.0
"""Seconds that the provider has for an answer."""
_FRESH = 3600
"""Seconds for which what was asked once is not asked again."""
_LARGEST = 1_000_000
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_BASIC, _POST, _NONE = "client_secret_basic", "client_secret_post", "none"


class Discovered(Struct, frozen=True, kw_only=True):
    """What a provider says of itself; what it does not say has the standard's default."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None = None
    id_token_signing_alg_values_supported: tuple[str, ...] = ("RS256",)
    token_endpoint_auth_methods_supported: tuple[str, ...] | None = None
    authorization_response_iss_parameter_supported: bool | None = None

    @property
    def endpoints(self) -> tuple[str, ...]:
        """All addresses that are asked or sent to."""
        own = (self.authorization_endpoint, self.token_endpoint, self.jwks_uri)
        return (*own, self.userinfo_endpoint) if self.userinfo_endpoint else own


class Given(NamedTuple):
    """What was given for a code."""

    id_token: str
    access_token: str

    def __repr__(self) -> str:
        return "Given(…)"


class Provider:
    """One identity provider, as `[oidc]` names it. Raises WebError for whatever goes wrong there."""

    def __init__(self, settings: OidcConfig, secret: str, trusted: ssl.SSLContext, clock: Clock) -> None:
        self._settings = settings
        self._secret = secret
        self._trusted = trusted
        self._clock = clock
        self._one_at_a_time = asyncio.Lock()
        self._discovered: Discovered | None = None
        self._keys: KeySet | None = None
        self._asked = 0

    async def discovered(self) -> Discovered:
        """What the provider says of itself; asked once an hour."""
        async with self._one_at_a_time:
            if self._discovered is None or self._clock.mono() - self._asked > _FRESH * 1000:
                self._discovered, self._keys = await self._discover(), None
                self._asked = self._clock.mono()
            return self._discovered

    async def keys(self, *, other_than: KeySet | None = None) -> KeySet:
        """Its keys; asked anew when these are not enough, for a token came with one that is not among them."""
        told = await self.discovered()
        async with self._one_at_a_time:
            if self._keys is None or self._keys is other_than:
                try:
                    self._keys = read_keys(await self._get_json(told.jwks_uri))
                except BadToken as error:
                    raise bad_token(error) from None
            return self._keys

    async def redeem(self, code: str, verifier: str, redirect_uri: str) -> Given:
        """The tokens for a code."""
        told = await self.discovered()
        async with self._client(self._method(told)) as client:
            try:
                async with asyncio.timeout(PATIENCE):
                    given = await client.fetch_token(
                        told.token_endpoint,
                        grant_type="authorization_code",
                        code=code,
                        code_verifier=verifier,
                        redirect_uri=redirect_uri,
                    )
            except OAuthError as error:
                raise provider_refused(str(error.error), str(error.description or "")) from None
            except (TimeoutError, httpx2.HTTPError, ValueError, RecursionError) as error:
                raise _away(error) from None
        tokens = [given.get(name) for name in ("id_token", "access_token")]
        if not all(isinstance(token, str) and token for token in tokens):
            raise provider_odd("there is no identity token in it", remedy='oidc.scopes must have "openid"')
        return Given(*tokens)

    async def more_claims(self, given: Given, subject: str) -> dict[str, Any]:
        """What it says at its userinfo endpoint, where some providers keep groups; {} without such an endpoint."""
        told = await self.discovered()
        if not told.userinfo_endpoint:
            return {}
        claims = await self._get_json(told.userinfo_endpoint, {"Authorization": f"Bearer {given.access_token}"})
        if not isinstance(claims, dict) or claims.get("sub") != subject:
            raise provider_odd("what it says of the user is of somebody else, or cannot be read")
        return claims

    async def _discover(self) -> Discovered:
        issuer = self._settings.issuer
        document = await self._get_json(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
        try:
            told = msgspec.convert(document, Discovered)
        except msgspec.ValidationError as error:
            raise provider_odd(f"its discovery document is none: {plain(str(error))}") from None
        if told.issuer != issuer:
            raise provider_odd(
                f"it calls itself {plain(told.issuer)!r} and not {issuer!r}",
                remedy="Write oidc.issuer exactly as the provider writes it, also the slash at its end",
            )
        for url in told.endpoints:
            if not is_safe(url, loopback=_parts(issuer)[0] == "http"):
                raise provider_odd(f"its address {plain(url)!r} is not https")
        return told

    async def _get_json(self, url: str, headers: dict[str, str] | None = None) -> Any:
        async with httpx2.AsyncClient(**self._manners()) as client:
            try:
                async with asyncio.timeout(PATIENCE):
                    answer = await client.get(url, headers=headers)
            except (TimeoutError, httpx2.HTTPError, ValueError) as error:
                raise _away(error) from None
        if answer.status_code != 200:
            raise provider_away(f"{plain(url)} answers {answer.status_code}")
        try:
            return msgspec.json.decode(answer.content)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            raise provider_odd(f"there is no JSON at {plain(url)}") from None

    def _client(self, method: str) -> AsyncOAuth2Client:
        """A client for one code: nothing of one log-in stays for the next."""
        client = AsyncOAuth2Client(
            client_id=self._settings.client_id,
            client_secret=self._secret,
            token_endpoint_auth_method=method,
            **self._manners(),
        )
        client.register_client_auth_method((_BASIC, _basic))
        return client

    def _manners(self) -> dict[str, Any]:
        """How the provider is asked, whatever is asked."""
        return {
            "verify": self._trusted,
            "timeout": PATIENCE,
            "trust_env": not is_loopback(self._settings.issuer),  # a proxy on the way out, where there is one
            "headers": {"Accept": "application/json", "Accept-Encoding": "identity"},
            "event_hooks": {"response": [_bounded]},
        }

    def _method(self, told: Discovered) -> str:
        """How the hub shows that it is itself."""
        if not self._secret:
            return _NONE
        offered = told.token_endpoint_auth_methods_supported
        if offered is None or _BASIC in offered:
            return _BASIC
        if _POST in offered:
            return _POST
        raise provider_odd(
            f"it takes no client secret, only {plain(', '.join(offered))}",
            remedy=f"Let it take {_BASIC} or {_POST} from this client",
        )


def is_loopback(url: str) -> bool:
    """Whether an address is on this very machine, where nobody listens on the way."""
    return (_parts(url)[1] or "") in _LOOPBACK


def is_safe(url: str, *, loopback: bool) -> bool:
    """Whether secrets may go to an address: by https, or on this machine for a provider that is itself here."""
    scheme, host = _parts(url)
    return bool(host) and (scheme == "https" or (loopback and scheme == "http" and host in _LOOPBACK))


def _parts(url: str) -> tuple[str, str | None]:
    try:
        parts = urlsplit(url)
    except ValueError:
        return "", None
    return parts.scheme, parts.hostname


def _basic(client: Any, method: str, uri: str, headers: Any, body: Any) -> tuple[str, Any, Any]:
    """Authlib leaves out that both are form-encoded first (RFC 6749, 2.3.1), which breaks secrets with a % or a +."""
    user, password = quote_plus(client.client_id), quote_plus(client.client_secret)
    pair = base64.b64encode(f"{user}:{password}".encode()).decode()
    headers["Authorization"] = f"Basic {pair}"
    return uri, headers, body


def _away(error: Exception) -> Exception:
    if isinstance(error, TimeoutError | httpx2.TimeoutException):
        return provider_away(f"it took longer than {PATIENCE:.0f} s")
    if isinstance(error, httpx2.HTTPStatusError):
        return provider_away(f"it answers {error.response.status_code}")
    if isinstance(error, ValueError | RecursionError):
        return provider_odd("it is no JSON, or longer than a megabyte")
    return provider_away(plain(str(error)) or type(error).__name__)


async def _bounded(response: httpx2.Response) -> None:
    """Called by the client before it reads an answer."""
    if response.headers.get("content-encoding", "identity") != "identity":
        raise ValueError("compressed, though not asked for")
    assert isinstance(response.stream, httpx2.AsyncByteStream)
    response.stream = _Bounded(response.stream)


class _Bounded(httpx2.AsyncByteStream):
    """A body that ends in an error when it is too long."""

    def __init__(self, body: httpx2.AsyncByteStream) -> None:
        self._body = body

    async def __aiter__(self) -> AsyncIterator[bytes]:
        size = 0
        async for piece in self._body:
            size += len(piece)
            if size > _LARGEST:
                raise ValueError("too long")
            yield piece

    async def aclose(self) -> None:
        await self._body.aclose()
