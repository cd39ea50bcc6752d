"""Identity tokens: the one that is right is believed, and none of its neighbours."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from authlib.oidc.core.util import create_half_hash
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jws, jwt
from joserfc.jwk import ECKey, KeySet, OctKey, RSAKey
from joserfc.jws import JWSRegistry

from pilothouse.hub.outside.tokens import ASYMMETRIC, LEEWAY, BadToken, Expected, UnknownKey, read_keys, read_token

NOW = 1_700_000_000
RSA = RSAKey.generate_key(2048, {"kid": "rsa", "use": "sig"})
EC = ECKey.generate_key("P-256", {"kid": "ec", "use": "sig"})
OTHER = RSAKey.generate_key(2048, {"kid": "rsa", "use": "sig"})
KEYS = KeySet([RSA, EC])
ACCESS = "the-access-token"
GOOD: dict[str, Any] = {
    "iss": "https://id.example",
    "sub": "248289761001",
    "aud": "pilothouse",
    "exp": NOW + 300,
    "iat": NOW,
    "nonce": "the-nonce",
}
EXPECTED = Expected("https://id.example", "pilothouse", "the-nonce", ["RS256", "ES256", "HS256", "none"], NOW)


def _signed(claims: dict[str, Any], key: Any = RSA, alg: str = "RS256", **header: Any) -> str:
    named = {"alg": alg, "kid": key.kid, **header}
    registry = JWSRegistry(algorithms=[alg], strict_check_header=False)
    return jwt.encode({name: value for name, value in named.items() if value}, claims, key, [alg], registry)


def _read(token: str, expected: Expected = EXPECTED, keys: KeySet = KEYS) -> dict[str, Any]:
    return read_token(token, keys, expected, ACCESS)


def _bad(token: str, said: str = "token") -> None:
    with pytest.raises(BadToken, match=said) as caught:
        _read(token)
    assert token[:20] not in str(caught.value) or not token


def test_a_good_token_is_believed():
    """Of each algorithm that the provider announces, also with an audience of its own, more headers and at_hash."""
    assert _read(_signed(GOOD))["sub"] == "248289761001"
    assert _read(_signed(GOOD, EC, "ES256"))["sub"] == "248289761001"
    half = create_half_hash(ACCESS, "RS256").decode()
    more = GOOD | {"aud": ["pilothouse", "other"], "azp": "pilothouse", "at_hash": half, "auth_time": NOW, "acr": "1"}
    assert _read(_signed(more))["aud"] == ["pilothouse", "other"]
    assert _read(_signed(GOOD, made_up="header"))["sub"] == "248289761001"
    assert _read(_signed(GOOD | {"exp": NOW - LEEWAY + 1, "iat": NOW + LEEWAY}))


@pytest.mark.parametrize(
    "change",
    [
        {"iss": "https://other.example"},
        {"iss": "https://id.example/"},
        {"iss": ["https://id.example"]},
        {"iss": None},
        {"aud": "other"},
        {"aud": ["other"]},
        {"aud": []},
        {"aud": None},
        {"aud": ["pilothouse", "other"]},
        {"aud": ["pilothouse", "other"], "azp": "other"},
        {"azp": "other"},
        {"azp": ""},
        {"azp": ["pilothouse"]},
        {"nonce": "another"},
        {"nonce": None},
        {"nonce": ""},
        {"nonce": ["the-nonce"]},
        {"exp": NOW - LEEWAY},
        {"exp": None},
        {"exp": "soon"},
        {"exp": True},
        {"exp": float("nan")},
        {"iat": NOW + LEEWAY + 1},
        {"iat": None},
        {"iat": "now"},
        {"nbf": NOW + LEEWAY + 1},
        {"sub": None},
        {"sub": ""},
        {"sub": 5},
        {"sub": "x" * 256},
        {"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"},
        {"at_hash": ""},
        {"at_hash": None},
        {"at_hash": 0},
    ],
    ids=str,
)
def test_a_token_that_is_wrong_in_one_claim_is_not_believed(change):
    """Wrong, empty, of another type; gone, too, where the claim has to be there."""
    _bad(_signed(GOOD | change))
    for name in change:
        if name in GOOD:
            _bad(_signed({key: value for key, value in GOOD.items() if key != name}))


def test_clocks_that_differ_are_said_to():
    """A machine without a clock chip meets this first."""
    _bad(_signed(GOOD | {"exp": NOW - 400_000}), "has run out")
    _bad(_signed(GOOD | {"iat": NOW + 400_000, "exp": NOW + 500_000}), "made in the future")


def test_a_changed_token_is_not_believed():
    """Header, payload and signature, each by one character."""
    token = _signed(GOOD)
    for at in range(0, len(token), 7):
        other = "A" if token[at] != "A" else "B"
        _bad(token[:at] + other + token[at + 1 :])


def test_no_signature_is_none():
    """alg none in every spelling, with and without what stands after the last dot."""
    payload = _signed(GOOD).split(".")[1]
    for alg in ("none", "None", "NONE", "nOnE", ""):
        header = base64.urlsafe_b64encode(json.dumps({"alg": alg}).encode()).decode().rstrip("=")
        for signature in ("", _signed(GOOD).split(".")[2]):
            _bad(f"{header}.{payload}.{signature}")
    _bad(f".{payload}.")


def test_the_public_key_is_no_shared_secret():
    """HS256 made with the provider's public key in every form, though the provider even announces HS256."""
    forms = [RSA.as_pem(private=False), RSA.as_der(private=False), json.dumps(RSA.as_dict(private=False)).encode()]
    for form in forms:
        for alg in ("HS256", "HS384", "HS512"):
            key = OctKey(form, form, {"kid": "rsa"})
            _bad(jws.serialize_compact({"alg": alg, "kid": "rsa"}, json.dumps(GOOD).encode(), key, algorithms=[alg]))


def test_a_key_of_somebody_else_is_none():
    """Under the same id, under another, in the header itself, and of another kind."""
    _bad(_signed(GOOD, OTHER))
    with pytest.raises(UnknownKey):
        _read(_signed(GOOD, OTHER, kid="other"))
    _bad(_signed(GOOD, OTHER, jwk=OTHER.as_dict(private=False)))
    _bad(_signed(GOOD, OTHER, kid="rsa", jku="https://evil.example/keys"))
    _bad(_signed(GOOD, EC, "ES256", kid="rsa"))
    with pytest.raises(BadToken):
        _read(_signed(GOOD, EC, "ES256", kid=None), keys=KeySet([RSA]))


def test_only_what_is_announced_and_asymmetric_counts():
    """An algorithm that the provider does not announce is none of its; one that announces nothing good is not asked."""
    with pytest.raises(BadToken):
        _read(_signed(GOOD, EC, "ES256"), EXPECTED._replace(algorithms=["RS256"]))
    with pytest.raises(BadToken, match="announces no way"):
        _read(_signed(GOOD), EXPECTED._replace(algorithms=["none", "HS256"]))
    assert not any(name.startswith(("HS", "none")) for name in ASYMMETRIC)


def test_one_key_need_not_be_named():
    """As small providers do; with several keys nobody guesses."""
    assert _read(_signed(GOOD, kid=None), keys=KeySet([RSA]))
    with pytest.raises(BadToken):
        _read(_signed(GOOD, kid=None))


def test_keys_of_no_use_are_left_out():
    """Shared secrets, private keys, keys for encryption, short keys, kinds that nobody knows."""
    good = RSA.as_dict(private=False)
    short = {
        "kty": "RSA",
        "kid": "short",
        "e": "AQAB",
        "n": base64.urlsafe_b64encode(b"\xff" * 128).decode().rstrip("="),
    }
    odd = [
        OctKey.generate_key(256, {"kid": "oct"}).as_dict(),
        OTHER.as_dict(private=True),
        EC.as_dict(private=False) | {"use": "enc"},
        short,
        {"kty": "AKP", "kid": "later"},
        "text",
        None,
    ]
    assert [key.kid for key in read_keys({"keys": [*odd, good]})] == ["rsa"]
    for document in ({"keys": odd}, {"keys": []}, {"keys": "x"}, {}, [], None, {"keys": [good | {"n": "!"}]}):
        with pytest.raises(BadToken):
            read_keys(document)


@given(st.text(max_size=300) | st.lists(st.binary(max_size=60), min_size=1, max_size=5))
def test_garbage_is_no_token(garbage):
    """Whatever it is; and no other error than ours."""
    if isinstance(garbage, list):
        garbage = ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in garbage)
    with pytest.raises(BadToken):
        _read(garbage)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=4,
)


@given(st.sampled_from([*GOOD, "azp", "at_hash", "nbf", "auth_time", "amr"]), json_values)
def test_any_value_of_a_claim_is_believed_or_refused(name, value):
    """A signed token of a provider gone mad is no other error than ours."""
    try:
        claims = _read(_signed(GOOD | {name: value}))
    except BadToken:
        return
    assert claims["iss"] == "https://id.example" and claims["nonce"] == "the-nonce" and claims["sub"]
    assert claims["aud"] == "pilothouse" or "pilothouse" in claims["aud"]


@given(st.dictionaries(st.sampled_from(["alg", "kid", "typ", "crit", "b64", "jwk", "zip"]), json_values))
def test_any_header_is_refused(header):
    """Without a signature that is good for it."""
    token = _signed(GOOD)
    head = base64.urlsafe_b64encode(json.dumps(header).encode()).decode().rstrip("=")
    with pytest.raises(BadToken):
        _read(".".join([head, *token.split(".")[1:]]))
