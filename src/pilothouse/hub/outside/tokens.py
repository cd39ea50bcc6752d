"""Whether an identity token is one: signed by the provider, for us, now, and for this very log-in. No I/O.

The signature is checked with joserfc, the claims by Authlib and, where it is lenient, here.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import Any, NamedTuple

from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import ExpiredTokenError, InvalidClaimError, InvalidKeyIdError, JoseError, MissingClaimError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry

from pilothouse.errors import PilothouseError

ASYMMETRIC = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512")
"""Algorithms of signatures that nobody but the provider can make. Never none, and never HS*: their key is no secret of
the provider's, or, by mistake, its public key."""
LEEWAY = 120
"""Seconds by which our clock and the provider's may differ."""
_LONGEST = 255
"""Characters of a subject, as the standard has it."""
_RSA_BITS = 2048


class _Registry(JWSRegistry):
    """Providers may put more into a header than the standard names, also a chain of certificates."""

    max_header_length = 16_384


class BadToken(PilothouseError):
    """An identity token that is not to be believed."""


class UnknownKey(BadToken):
    """It is signed with a key that we have not seen; the provider may have a new one."""


class Expected(NamedTuple):
    """What a token must be."""

    issuer: str
    client_id: str
    nonce: str
    algorithms: Sequence[str]
    """Those that the provider announces; only asymmetric ones of them are taken."""
    now: int
    """Seconds since the Unix epoch."""


def read_keys(document: Any) -> KeySet:
    """The public keys of a provider's key set; raises BadToken when there is none of use.

    What is no public key for signatures is left out: shared secrets, keys for encryption, RSA keys that are too short.
    """
    listed = document.get("keys") if isinstance(document, dict) else None
    good = [key for key in listed if _of_use(key)] if isinstance(listed, list) else []
    try:
        return KeySet.import_key_set({"keys": good})
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise BadToken("The provider's key set has no key of use", why=type(error).__name__) from None


def _of_use(key: Any) -> bool:
    if not isinstance(key, dict) or key.get("kty") not in ("RSA", "EC", "OKP") or "d" in key:
        return False
    if key.get("use", "sig") != "sig":
        return False
    if key["kty"] != "RSA":
        return True
    try:
        number = str(key.get("n", ""))
        return len(base64.urlsafe_b64decode(number + "=" * (-len(number) % 4))) * 8 >= _RSA_BITS
    except (ValueError, binascii.Error):
        return False


def read_token(token: str, keys: KeySet, expected: Expected, access_token: str) -> dict[str, Any]:
    """The claims of an identity token; raises BadToken, UnknownKey."""
    algorithms = [name for name in expected.algorithms if name in ASYMMETRIC]
    if not algorithms:
        raise BadToken("The provider announces no way of signing that can be trusted")
    try:
        registry = _Registry(algorithms=algorithms, strict_check_header=False)
        decoded = jwt.decode(token, keys, algorithms, registry)
    except InvalidKeyIdError:
        raise UnknownKey("The identity token is signed with a key that the provider does not show") from None
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise BadToken("The identity token is not signed as it should be", why=type(error).__name__) from None
    options = {
        "iss": {"essential": True, "value": expected.issuer},
        "aud": {"essential": True, "value": expected.client_id},
    }
    known = {"nonce": expected.nonce, "client_id": expected.client_id, "access_token": access_token}
    claims = CodeIDToken(decoded.claims, decoded.header, options, known)
    try:
        claims.validate(expected.now, LEEWAY)
        _check_more(claims)
    except ExpiredTokenError:
        raise _clocks("has run out") from None
    except (MissingClaimError, InvalidClaimError) as error:
        name = str(getattr(error, "claim", ""))
        if name == "iat" and _in_future(claims, expected.now):
            raise _clocks("was made in the future") from None
        raise BadToken(f"The identity token is not for this log-in: {name or 'a claim'} is not right") from None
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise BadToken("The identity token cannot be read", why=type(error).__name__) from None
    return dict(claims)


def _check_more(claims: dict[str, Any]) -> None:
    """Where Authlib is lenient."""
    subject = claims["sub"]
    if not isinstance(subject, str) or not 0 < len(subject) <= _LONGEST:
        raise InvalidClaimError("sub")
    for name in ("nonce", "at_hash", "azp"):
        if name in claims and (not isinstance(claims[name], str) or not claims[name]):
            raise InvalidClaimError(name)


def _in_future(claims: dict[str, Any], now: int) -> bool:
    made = claims.get("iat")
    return isinstance(made, int | float) and made > now


def _clocks(what: str) -> BadToken:
    return BadToken(
        f"The identity token {what}",
        why="or the clock of this machine and that of the provider differ by more than two minutes",
        remedy="Log in again; if it goes on, set the clock: timedatectl",
    )
