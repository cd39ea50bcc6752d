"""Paths, names, queries and heads that no page and no client of ours would send."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from support.attacks.markup import Page
from support.attacks.wire import raw, status
from support.attacks.world import SEEN, World

RELAY = f"/api/things/{SEEN}/properties/relay_1"
UP = [
    "../",
    "..%2f",
    "%2e%2e/",
    "%2e%2e%2f",
    "..\\",
    "..%5c",
    "%252e%252e%252f",
    "....//",
    "..;/",
    ".%00./",
    "%c0%ae%c0%ae/",
    "%c0%ae%c0%ae%c0%af",
    "..%c0%af",
    "..%ef%bc%8f",
    "%uff0e%uff0e/",
    ".%2e/",
    "..//",
    "../\\",
    "%2e%2e%5c",
]
FILES = [
    "pilothouse.toml",
    "token",
    "record/main.db",
    "etc/passwd",
    "templates/base.html",
    "app.py",
    "proc/self/environ",
]


@pytest.mark.parametrize("up", UP)
def test_no_path_leads_out_of_what_is_served(world: World, up: str) -> None:
    """Neither files of the data folder, nor of the system, nor of the program itself; and no error of the hub."""
    for before in ("/static/", "/static/js/", "/static//", "/"):
        for file in FILES:
            for times in (1, 5):
                answer = raw(world, f"GET {before}{up * times}{file} HTTP/1.1\r\n".encode())
                assert status(answer) in (0, 303, 400, 404, 405), (before, up, file, answer[:200])
                for mark in (b"[node]", b"SQLite format", b"ph_", b"root:x", b"{% block", b"import ", b"PATH="):
                    assert mark not in answer.partition(b"\r\n\r\n")[2].replace(b"data-", b""), (before, up, file)


@pytest.mark.parametrize(
    "path",
    [
        "/etc/passwd",
        "//etc/passwd",
        "/static//etc/passwd",
        "/static/%2fetc%2fpasswd",
        "/static/file:///etc/passwd",
        "/static/.",
        "/static/..",
        "/static",
        "/static/",
        "/static/js",
        "/static/js/",
        "/static/js/app.js/",
        "/static/js/app.js%00.css",
        "/static/js/app.js/../../../../token",
        "/static/vendor/../../app.py",
        "/static/CON",
        "/static/js\\app.js",
        "/static/%e0%80%af",
        "/static/\u00ff",
        "/static/" + "a" * 5000,
        "/static/" + "a/" * 2000,
        "/static/js/app.js?../../token",
        "/static/~root",
    ],
)
def test_a_folder_is_no_file(world: World, path: str) -> None:
    """Folders are not listed, absolute paths mean nothing, odd names are not there."""
    answer = raw(world, f"GET {path} HTTP/1.1\r\n".encode())
    if "app.js" in path and status(answer) == 200:
        assert b"text/javascript" in answer
        return
    assert status(answer) in (0, 303, 400, 404, 414, 431), answer[:300]
    assert b"root:x" not in answer and b"Index of" not in answer


ODD = [
    "..",
    ".",
    "%00",
    "a%00b",
    "a%0d%0ab",
    "%0a",
    "a b",
    "a%20b",
    "a%2fb",
    "%2f",
    "%5c",
    "%e2%80%ae",
    "%ff",
    "%c0%af",
    "a" * 300,
    "'",
    '"',
    "';--",
    "%27%20OR%201=1--",
    "{7*7}",
    "%7b%7b7*7%7d%7d",
    "$%7b7*7%7d",
    "<b>",
    "%3Cscript%3E",
    "*",
    ">",
    "relays-quokka.>",
    "pi-heron.*",
    "NaN",
    "-1",
    "null",
    "__proto__",
    "constructor",
    "%F0%9F%98%80",
    "~",
    "$JS",
    "%2e%2e%2f%2e%2e",
    "..%252f",
    "\u0430da".encode().hex(),
    "%d0%b0da",
]
PLACES = [
    "/api/things/{}/relays-quokka",
    "/api/things/pi-heron/{}",
    f"/api/things/{SEEN}/properties/{{}}",
    f"/api/things/{SEEN}/actions/{{}}",
    "/api/things/{}/{}/description",
    "/api/nodes/{}/lanes",
    "/api/stands/{}",
    "/api/ledger/{}",
    "/things/{}/relays-quokka",
    "/things/pi-heron/{}",
    "/nodes/{}",
    "/stands/{}",
    "/ledger/{}",
    "/people/{}",
    "/api/people/{}",
    "/api/people/{}/tokens",
]


@pytest.mark.parametrize("place", PLACES)
def test_odd_names_in_a_path_are_not_there(world: World, place: str) -> None:
    """No odd name finds a thing, breaks the hub, or stands in an answer other than as text."""
    for odd in ODD:
        path = place.replace("{}", odd)
        for method in ("GET", "PUT" if "properties" in place else "POST"):
            body = b"" if method == "GET" else b'{"value":true,"input":{},"do":"take"}'
            length = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n" if body else ""
            head = f"{method} {path} HTTP/1.1\r\nOrigin: http://localhost\r\n{length}"
            answer = raw(world, head.encode(), body)
            assert status(answer) in (0, 303, 400, 404, 405, 409, 415, 422), (method, path, answer[:400])
            if b"content-type: text/html" in answer.partition(b"\r\n\r\n")[0].lower():
                assert not Page(answer.partition(b"\r\n\r\n")[2].decode()).could_run(), path


def test_sql_in_a_filter_is_text(world: World) -> None:
    """Every parameter of every question takes quotes, comments and operators as what they are: letters."""
    shapes = [
        "' OR '1'='1",
        "'; DROP TABLE command; --",
        '" OR ""="',
        "1) OR 1=1 --",
        "%",
        "_",
        "\\",
        "' UNION SELECT * FROM person --",
        "x' AND randomblob(100000000) --",
        "'||(SELECT password FROM person)||'",
        "\x00",
        "NULL",
        "1e999",
        "0x41",
        "*",
        "\u2028",
    ]
    before = world.state()
    paths = {
        "/api/ledger": (
            "node",
            "thing",
            "name",
            "who",
            "origin",
            "kind",
            "end",
            "q",
            "since",
            "until",
            "before",
            "limit",
        ),
        "/ledger": ("node", "thing", "who", "origin", "kind", "end", "q", "since", "until", "before", "trail", "tz"),
        "/api/events": ("node", "thing", "before", "limit"),
        "/api/history": ("series", "from", "to", "points"),
        "/api/live": ("things",),
        "/people/rights": ("who", "place"),
        "/stats": ("interval",),
    }
    for path, names in paths.items():
        for name in names:
            for shape in shapes:
                query = f"?{name}={quote(shape)}" + (
                    "&series=pi-heron/a.b" if path == "/api/history" and name != "series" else ""
                )
                answer = world.call("ada", "GET", path + query)
                assert answer.status_code in (200, 400, 404), (path, query, answer.text[:300])
                assert "argon2" not in answer.text and "sqlite" not in answer.text.lower(), (path, query)
                if (
                    path == "/api/ledger"
                    and answer.status_code == 200
                    and name in ("node", "thing", "name", "who", "q")
                ):
                    assert answer.json()["lines"] == [] or shape in ("%", "_", "\\", "*", "\x00"), (name, shape)
    for shape in ("%", "_", "*"):
        for name in ("node", "thing", "who", "name"):
            assert world.call("ada", "GET", f"/api/ledger?{name}={quote(shape)}").json()["lines"] == []
    assert world.state() == before


HEADERS = [
    "\r\nX-Evil: 1",
    "\nX-Evil: 1",
    "\rX-Evil: 1",
    "%0d%0aX-Evil:%201",
    "%0aX-Evil:1",
    "\u560a\u560dX-Evil: 1",
    "\x85X-Evil: 1",
    "%E5%98%8A%E5%98%8DX-Evil:%201",
    "\r\n\r\n<script>",
    "%0d%0a%0d%0a<script>",
    "\x00",
    "%00",
]


@pytest.mark.parametrize("evil", HEADERS, ids=[repr(evil) for evil in HEADERS])
def test_no_header_of_an_answer_is_made_from_a_question(world: World, evil: str) -> None:
    """In queries, names, where to go after the log-in, the key of a command: no line of the head is added by it."""
    text = quote(evil, safe="%")
    for caller, method, path, headers in (
        ("stranger", "GET", f"/?x={text}", {}),
        ("stranger", "GET", f"/stands/{text}?x={text}", {}),
        ("stranger", "GET", f"/login?next=/{text}", {}),
        ("ada", "GET", f"/login?next=/{text}", {}),
        ("ada", "GET", f"/login?next=/stands/{text}&token={text}", {}),
        ("ada", "GET", f"/stands/{text}", {}),
        ("ada", "GET", f"/static/{text}", {}),
        ("ada", "GET", f"/people?said={text}", {}),
        ("ada", "GET", f"/account?done={text}", {}),
        ("ada", "PUT", RELAY, {"Idempotency-Key": text}),
        ("ada", "GET", "/", {"X-Forwarded-Host": text, "Origin": text}),
        ("ada", "OPTIONS", RELAY, {"Origin": text, "Access-Control-Request-Method": text}),
    ):
        more = {"json": {"value": False}} if method == "PUT" else {}
        answer = world.call(caller, method, path, headers={"Accept": "text/html", **headers}, **more)
        assert "x-evil" not in answer.headers, path
        assert answer.status_code < 500
        location = answer.headers.get("location", "/")
        assert location.startswith("/") and not {"\r", "\n", "\x00"} & set(location)
        assert "<script>" not in answer.text, path
    form = {"do": "take", "to": evil, "note": evil, "reason": evil}
    answer = world.call("ada", "POST", "/stands/bench-ibis/lease", data=form)
    assert answer.status_code in (303, 423) and "x-evil" not in answer.headers
