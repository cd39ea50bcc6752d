"""One log-in at an identity provider, from the button to a name: OpenID Connect, code flow with PKCE."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from authlib.oauth2.rfc7636 import create_s256_code_challenge

from pilothouse.clock import Clock
from pilothouse.config.site import OidcConfig
from pilothouse.hub.outside.mapping import NoName, Outsider, claim_at, groups_in, name_in, title_in
from pilothouse.hub.outside.pending import Begun, Pending
from pilothouse.hub.outside.provider import Provider
from pilothouse.hub.outside.refusals import bad_callback, bad_token, not_let_in, provider_refused, unknown_state
from pilothouse.hub.outside.tokens import BadToken, Expected, UnknownKey, read_token

CALLBACK = "/login/oidc/callback"
_LONGEST = 4096
"""Characters of a parameter of the callback."""


class Leaving(NamedTuple):
    """A browser on its way to the provider."""

    location: str
    """Where it is sent; holds the state, so it belongs in no log."""
    browser: str
    """What its cookie holds from now on."""


class Back(NamedTuple):
    """A browser that came back, and whose it is."""

    outsider: Outsider
    next: str
    """Where on this hub it wanted to go."""


class Oidc:
    """Log-ins at one provider. `url` is how browsers reach this hub, without a slash at the end."""

    def __init__(self, settings: OidcConfig, provider: Provider, url: str, clock: Clock) -> None:
        self._settings = settings
        self._provider = provider
        self._clock = clock
        self._url = url
        self._pending = Pending(clock)

    @property
    def url(self) -> str:
        """How browsers reach this hub, and where the provider sends them back to."""
        return self._url

    async def leave(self, next: str, address: str, browser: str) -> Leaving:
        """Begin a log-in; raises WebError when the provider does not answer."""
        told = await self._provider.discovered()
        ticket = self._pending.begin(next, address, browser)
        parameters = {
            "response_type": "code",
            "client_id": self._settings.client_id,
            "redirect_uri": self._url + CALLBACK,
            "scope": " ".join(self._settings.scopes),
            "state": ticket.state,
            "nonce": ticket.begun.nonce,
            "code_challenge": create_s256_code_challenge(ticket.begun.verifier),
            "code_challenge_method": "S256",
        }
        parts = urlsplit(told.authorization_endpoint)
        query = urlencode([*parse_qsl(parts.query), *parameters.items()])
        return Leaving(urlunsplit(parts._replace(query=query, fragment="")), ticket.browser)

    async def come_back(self, query: Sequence[tuple[str, str]], browser: str) -> Back:
        """Who came back with these parameters; raises WebError, which says nothing of what they were."""
        given = _read(query)
        begun = self._pending.take(given.get("state", ""), browser)
        if begun is None:
            raise unknown_state(self._url)
        told = await self._provider.discovered()
        issuer = given.get("iss")
        if issuer != told.issuer and (issuer or told.authorization_response_iss_parameter_supported):
            raise bad_callback("it comes from another provider than the one that was asked")
        if "error" in given:
            raise provider_refused(given["error"], given.get("error_description", ""))
        if not given.get("code"):
            raise bad_callback("it holds no code")
        return Back(await self._outsider(given["code"], begun), begun.next)

    async def _outsider(self, code: str, begun: Begun) -> Outsider:
        claims = await self._claims(code, begun)
        try:
            name = name_in(claims, self._settings.name_claim)
        except NoName as error:
            raise not_let_in(error) from None
        groups = groups_in(claim_at(claims, self._settings.groups_claim))
        return Outsider(name, f"{claims['iss']} {claims['sub']}", groups, title_in(claims))

    async def _claims(self, code: str, begun: Begun) -> dict[str, Any]:
        """All that the provider says of whoever it gave the code for."""
        tokens = await self._provider.redeem(code, begun.verifier, self._url + CALLBACK)
        told, keys = await self._provider.discovered(), await self._provider.keys()
        expected = Expected(
            issuer=told.issuer,
            client_id=self._settings.client_id,
            nonce=begun.nonce,
            algorithms=told.id_token_signing_alg_values_supported,
            now=self._clock.now() // 1000,
        )
        try:
            try:
                claims = read_token(tokens.id_token, keys, expected, tokens.access_token)
            except UnknownKey:
                keys = await self._provider.keys(other_than=keys)
                claims = read_token(tokens.id_token, keys, expected, tokens.access_token)
        except BadToken as error:
            raise bad_token(error) from None
        wanted = (self._settings.name_claim, self._settings.groups_claim)
        if any(claim_at(claims, path) is None for path in wanted):
            # Some providers keep them for this second question. What is signed counts more.
            claims = {**await self._provider.more_claims(tokens, claims["sub"]), **claims}
        return claims


def _read(query: Sequence[tuple[str, str]]) -> dict[str, str]:
    given: dict[str, str] = {}
    for name, value in query:
        if name in given:
            raise bad_callback(f"it says {name[:40]!r} twice")
        if len(value) > _LONGEST:
            raise bad_callback(f"its {name[:40]!r} is too long")
        given[name] = value
    return given
