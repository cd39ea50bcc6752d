"""Bodies of every bad kind: bombs of JSON, forms of very many fields, packed ones, cut ones."""

from __future__ import annotations

import gzip
import socket
from urllib.parse import urlsplit

import httpx2
import pytest

from support.attacks.wire import status
from support.attacks.world import SEEN, World

RELAY = f"/api/things/{SEEN}/properties/relay_1"


DEEP = b"[" * 500_000
BOMBS: dict[str, tuple[bytes, set[int]]] = {
    "a million brackets": (b"[" * 999_990, {400, 413}),
    "deep objects": (b'{"value":' * 100_000 + b"1" + b"}" * 100_000, {400, 422}),
    "a deep value": (b'{"value":' + DEEP[:400_000] + b"]" * 400_000 + b"}", {400, 422}),
    "a rather deep value": (b'{"value":' + b"[" * 900 + b"]" * 900 + b"}", {400, 409, 422}),
    "a long number": (b'{"value":' + b"9" * 900_000 + b"}", {400, 422}),
    "a long fraction": (b'{"value":0.' + b"9" * 900_000 + b"}", {400, 409, 422}),
    "a large exponent": (b'{"value":1e999999999}', {400, 422}),
    "a small exponent": (b'{"value":1e-999999999}', {400, 409, 422}),
    "many doubles of one key": (b'{"value":true' + b',"value":true' * 60_000 + b"}", {400, 422, 200}),
    "very many keys": (b"{" + b",".join(b'"k%d":1' % n for n in range(80_000)) + b"}", {422}),
    "keys that clash": (b"{" + b",".join(b'"%s":1' % (b"\\u0000" * n) for n in range(500)) + b"}", {400, 422}),
    "a lone surrogate": (b'{"value":"\\ud800"}', {400, 422}),
    "a very long string": (b'{"value":"' + b"a" * 900_000 + b'"}', {400, 409, 422}),
    "escapes": (b'{"value":"' + b"\\u0000" * 100_000 + b'"}', {400, 409, 422}),
    "a bom": (b'\xef\xbb\xbf{"value":true}', {400}),
    "utf-16": ('{"value":true}'.encode("utf-16"), {400}),
    "two documents": (b'{"value":true}{"value":false}', {400}),
    "a comment": (b'{"value":true/*x*/}', {400}),
    "nothing but spaces": (b" " * 900_000, {400}),
    "an empty body": (b"", {400}),
}


@pytest.mark.parametrize("what", BOMBS)
def test_a_bomb_of_json_is_a_bad_body(world: World, what: str) -> None:
    """At every call that takes a body; the hub goes on and nothing is done."""
    body, statuses = BOMBS[what]
    before = world.traced()
    for method, path in (
        ("PUT", RELAY),
        ("POST", f"/api/things/{SEEN}/actions/fail"),
        ("POST", "/api/confirmations"),
        ("POST", "/api/stands/bench-ibis/lease"),
        ("POST", "/api/stop/lift"),
        ("POST", "/api/tokens"),
        ("POST", "/api/people/newcomer"),
        ("PATCH", "/api/people/zed-zebra"),
        ("POST", "/api/guests"),
        ("POST", "/api/login"),
        ("DELETE", "/api/commands/no-such-command"),
    ):
        if not body and method == "DELETE":
            continue
        answer = world.call("ada", method, path, content=body, headers={"Content-Type": "application/json"})
        assert answer.status_code in statuses | {400, 413, 422}, (path, answer.status_code, answer.text[:200])
        assert len(answer.content) < 3000, "a bad body came back"
    assert what == "many doubles of one key" or world.traced() == before
    assert world.call("ada", "GET", "/healthz").json()["status"] == "ok"


def test_a_form_of_a_hundred_thousand_fields_is_refused_or_read(world: World) -> None:
    """As a form, in parts, with one name or many, with names that are odd: no error, no long wait, nothing is done."""
    fields = "&".join(f"f{n}={n}" for n in range(100_000)).encode()
    same = b"&".join([b"stops=x"] * 100_000)
    empty = b"&" * 900_000
    part = b'--b\r\nContent-Disposition: form-data; name="f"\r\n\r\nx\r\n'
    parts = part * 15_000 + b"--b--\r\n"
    files = (
        b'--b\r\nContent-Disposition: form-data; name="f"; filename="../../token"\r\n\r\nx\r\n' * 9_000 + b"--b--\r\n"
    )
    plain, multi = "application/x-www-form-urlencoded", "multipart/form-data; boundary=b"
    before = world.state()
    for body, kind in (
        (fields, plain),
        (same, plain),
        (empty, plain),
        (b"%" * 100_000, plain),
        (b"a=%ff%fe&%00=%00", plain),
        (b"do=" + b"x" * 900_000, plain),
        (b"__proto__[role]=admin&constructor.prototype.role=admin&do[]=take&do.x=take", plain),
        (parts, multi),
        (files, multi),
        (part, "multipart/form-data"),
        (part, 'multipart/form-data; boundary=""'),
        (part, "multipart/form-data; boundary=" + "b" * 5000),
        (b"--b\r\n" * 100_000, multi),
        (b'--b\r\nContent-Disposition: form-data; name="' + b"n" * 500_000 + b'"\r\n\r\nx\r\n--b--\r\n', multi),
        (b"--b\r\n" + b"X: y\r\n" * 50_000 + b"\r\nx\r\n--b--", multi),
        (b"--b\r\nContent-Disposition: form-data\r\n\r\nx", multi),
        (b"", multi),
    ):
        for path in (
            "/stands/bench-ibis/lease",
            "/stop/lift",
            "/people",
            "/people/zed-zebra",
            "/account/tokens",
            "/login",
            "/guest",
        ):
            answer = world.call("ada", "POST", path, content=body, headers={"Content-Type": kind})
            assert 400 <= answer.status_code < 500, (path, kind, body[:30], answer.status_code, answer.text[:200])
    assert world.state() == before


def test_packed_bodies_are_not_unpacked(world: World) -> None:
    """What would be a gigabyte is refused by its first bytes: bodies are plain."""
    bomb = gzip.compress(b"0" * 10_000_000)
    before = world.traced()
    for encoding in ("gzip", "deflate", "br", "zstd", "gzip, gzip", "identity"):
        for content in (bomb, gzip.compress(b'{"value": true}')):
            headers = {"Content-Type": "application/json", "Content-Encoding": encoding}
            answer = world.call("ada", "PUT", RELAY, content=content, headers=headers)
            assert answer.status_code in (400, 415), (encoding, answer.status_code)
    assert world.traced() == before


def test_cut_and_doubled_requests_do_nothing_twice(world: World) -> None:
    """Half a body is no body; what comes behind a request on the same line is a request of its own or none."""
    parts = urlsplit(world.url)
    before = world.traced()
    key = "".join(f"{name}: {value}\r\n" for name, value in world.headers("ada").items())
    head = f"PUT {RELAY} HTTP/1.1\r\nHost: {parts.netloc}\r\n{key}Content-Type: application/json\r\n"
    for tail in (
        b"Content-Length: 500\r\n\r\n" + b'{"value": true}',
        b"Transfer-Encoding: chunked\r\n\r\n" + b'f\r\n{"value": true}\r\n',
        b"Content-Length: 15\r\nContent-Length: 500\r\n\r\n" + b'{"value": true}',
        b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n" + b'f\r\n{"value": true}\r\n0\r\n\r\n',
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n" + b'{"value": true}',
    ):
        with socket.create_connection((parts.hostname, parts.port), timeout=10) as link:
            link.sendall(head.encode() + tail)
            link.shutdown(socket.SHUT_WR)
            answer = b""
            while piece := link.recv(65536):
                answer += piece
        assert status(answer) in (0, 400, 408, 413), answer[:300]
    assert world.traced() == before


def test_httpx_speaks_as_expected(world: World) -> None:
    """That these tests ask what they say they ask: a good request passes."""
    with httpx2.Client(base_url=world.url, headers=world.headers("ada"), trust_env=False) as client:
        assert client.put(RELAY, json={"value": False}).status_code == 200
