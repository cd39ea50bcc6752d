"""Coming in: first start, name and password, links, guests, logging out; and one's own account."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import httpx2
import pytest

from pilothouse.record.passwords import Passwords
from pilothouse.record.rows import Line, Wanted
from support.form_browser import FormBrowser
from support.people import PASSWORD, known


@pytest.fixture
async def browser(lonely_hub) -> AsyncIterator[FormBrowser]:
    """A browser that nobody is logged in with; what it sends comes from a page of the hub."""
    made = FormBrowser()
    made.client.headers["Origin"] = lonely_hub.url
    yield made
    await made.close()


async def audit(hub, name: str = "") -> list[Line]:
    """What the ledger says about people, newest first."""
    found = (await hub.site.ledger.page(Wanted(kind="people"))).lines
    return [line for line in found if name in ("", line.name)]


async def who_is(browser: FormBrowser, hub) -> str:
    """Whom the hub takes this browser for; "" = nobody."""
    answer = await browser.client.get(f"{hub.url}/api/me")
    return answer.json()["who"] if answer.status_code == 200 else ""


async def log_in(browser: FormBrowser, hub, name: str, password: str, path: str = "/login") -> httpx2.Response:
    """By the form."""
    await browser.go(f"{hub.url}{path}")
    return await browser.send(name=name, password=password)


def session(browser: FormBrowser) -> str:
    """The secret in its cookie."""
    return browser.client.cookies.get("ph_session") or ""


# the first administrator


async def test_the_first_link_makes_the_first_administrator(lonely_hub, browser) -> None:
    """A name and a password of their own; then they are in, and the link and all others of its kind are of no use."""
    hub, links = lonely_hub, lonely_hub.site.people.links
    link, other = await links.make("first"), await links.make("first")
    page = await browser.go(f"{hub.url}/login")
    assert "pilothouse link" in page.text
    for _ in range(2):  # opening it, as messengers do, does not use it up
        page = await browser.go(f"{hub.url}/login?token={link}")
        assert page.status_code == 200
    assert page.headers["cache-control"] == "no-store"
    await browser.send(name="grace", password=PASSWORD, again=PASSWORD)
    assert await who_is(browser, hub) == "grace"
    person = await hub.site.people.persons.get("grace")
    assert person.grants == ("admin",)
    for used in (link, other):
        late = await browser.go(f"{hub.url}/login?token={used}")
        assert late.status_code == 410
        assert "was used already" in late.text
    names = [(line.name, line.thing, line.who, line.input) for line in await audit(hub)]
    assert names[:2] == [
        ("login", "grace", "grace", {"from": "127.0.0.1"}),
        ("user.add", "grace", "grace", {"from": "127.0.0.1"}),
    ]


async def test_bad_input_loses_nothing(lonely_hub, browser) -> None:
    """It is said what is wrong, the name stays, no password comes back, and the link is still good."""
    hub = lonely_hub
    link = await hub.site.people.links.make("first")
    cases = [
        ({"name": "Grace Hopper"}, "Did you mean grace-hopper?"),
        ({"name": "owner"}, "uses itself"),
        ({"password": "short", "again": "short"}, "10 characters"),
        ({"again": "something else"}, "The two passwords differ"),
        ({"password": "gracegrace", "again": "gracegrace"}, "is the name"),
        ({"password": "password123", "again": "password123"}, "one of the most common"),
    ]
    for fields, says in cases:
        await browser.go(f"{hub.url}/login?token={link}")
        page = await browser.send(**{"name": "grace", "password": PASSWORD, "again": PASSWORD, **fields})
        assert page.status_code in (400, 422)
        assert says in page.text.replace("&#39;", "'")
        assert f'value="{fields.get("name", "grace")}"' in page.text
        assert PASSWORD not in page.text
        assert await hub.site.people.links.peek(link) is not None
    await browser.send(name="grace", password=PASSWORD, again=PASSWORD)
    assert await who_is(browser, hub) == "grace"


# name and password


async def test_name_and_password_let_in_and_lead_to_where_one_was_going(lonely_hub, browser) -> None:
    """The cookie is for this host alone and for no script; the ledger has the line."""
    hub = lonely_hub
    await hub.knows("ada", ["viewer"])
    page = await browser.go(f"{hub.url}/ledger?who=ada")
    assert str(page.url).startswith(f"{hub.url}/login?next=")
    await browser.send(name=" Ada ", password=PASSWORD)  # as telephones write it
    assert browser.trail[-1] == f"{hub.url}/ledger?who=ada"
    assert await who_is(browser, hub) == "ada"
    (line,) = await audit(hub, "login")
    assert (line.who, line.origin, line.detail) == ("ada", "page", "With a password.")
    again = await browser.go(f"{hub.url}/login?next=/stands")
    assert str(again.url) == f"{hub.url}/stands"


async def test_the_cookie_is_kept_from_scripts_and_other_sites(lonely_hub) -> None:
    """HttpOnly, SameSite, the whole path, no domain."""
    hub = lonely_hub
    await hub.knows("ada")
    answer = await hub.stranger.post("/login", data={"name": "ada", "password": PASSWORD}, headers={"Origin": hub.url})
    cookie = answer.headers["set-cookie"].lower()
    assert answer.status_code == 303
    assert cookie.startswith("ph_session=")
    for part in ("httponly", "samesite=lax", "path=/", "max-age="):
        assert part in cookie
    assert "domain" not in cookie


async def test_a_log_in_leads_to_no_other_site(lonely_hub) -> None:
    """Whatever somebody writes into a link to the log-in page."""
    hub = lonely_hub
    await hub.knows("ada")
    for evil in ("//evil.example", "/\\evil.example", "https://evil.example/", "/\t/evil.example"):
        fields = {"name": "ada", "password": PASSWORD, "next": evil}
        answer = await hub.stranger.post("/login", data=fields, headers={"Origin": hub.url})
        assert answer.headers["location"] == "/"
        hub.stranger.cookies.clear()
        page = await hub.stranger.get("/login", params={"next": evil})
        assert "evil" not in page.text


async def test_whatever_is_wrong_the_answer_is_the_same(lonely_hub) -> None:
    """Unknown name, wrong password, disabled, invited, from outside: nobody learns who has an account."""
    hub, persons = lonely_hub, lonely_hub.site.people.persons
    await hub.knows("ada")
    await hub.knows("gone", ["viewer"])
    await persons.set_active("gone", False)
    await persons.add("invited", grants=("viewer",))
    await persons.arrive("outsider", "oidc", "https://id.example 7", ["viewer"])
    texts = set()
    for name in ("ada", "gone", "invited", "outsider", "nobody-at-all", "owner", "Ä" * 90):
        password = PASSWORD if name == "gone" else "a wrong password"
        fields = {"name": name, "password": password}
        answer = await hub.stranger.post("/login", data=fields, headers={"Origin": hub.url})
        assert answer.status_code == 401
        assert "set-cookie" not in answer.headers
        texts.add(answer.text.replace(name, "NAME"))
    assert len(texts) == 1
    assert "do not let you in" in texts.pop()
    lines = await audit(hub, "login.failed")
    assert {line.who for line in lines} == {"nobody"}
    assert [line.thing for line in reversed(lines)] == ["ada", "gone", "invited", "outsider", "", "", ""]
    assert "disabled" in next(line for line in lines if line.thing == "gone").detail


async def test_a_password_typed_as_the_name_is_kept_nowhere(lonely_hub) -> None:
    """Neither the ledger nor the record has a name that nobody has."""
    hub = lonely_hub
    typed = "hunter2hunter2"
    for _ in range(8):
        await hub.stranger.post("/login", data={"name": typed, "password": "x"}, headers={"Origin": hub.url})
    assert [line.thing for line in await audit(hub)][:2] == ["", ""]
    assert typed not in str(await audit(hub))


async def test_tries_become_slow_and_say_when_to_come_again(lonely_hub) -> None:
    """Five at once; then a refusal at once, one line for the ledger, and the owner's desk is not concerned."""
    hub = lonely_hub
    await known(hub.site.people, "ada", ["viewer"], password=True)
    await hub.site.people.sessions.start("ada", "password", address="10.9.9.9")
    fields = {"name": "ada", "password": "a wrong password"}
    origin = {"Origin": hub.url}
    for _ in range(5):
        assert (await hub.stranger.post("/login", data=fields, headers=origin)).status_code == 401
    for _ in range(4):
        late = await hub.stranger.post("/login", data={**fields, "password": PASSWORD}, headers=origin)
        assert late.status_code == 429
        assert 1 <= int(late.headers["retry-after"]) <= 2
        assert "Try again in" in late.text
        assert 'value="ada"' in late.text
    assert len(await audit(hub, "login.locked")) == 1
    # The same refusal by REST: both are counted together.
    body = {"name": "ada", "password": PASSWORD, "token": {"name": "t"}}
    refused = await hub.stranger.post("/api/login", json=body, headers=origin)
    assert refused.status_code == 429
    assert refused.json()["type"].endswith("too-often")
    assert "retry-after" in refused.headers


async def test_a_hash_that_costs_too_little_is_renewed(lonely_hub, browser) -> None:
    """At the next log-in, without ending anything."""
    hub = lonely_hub
    await hub.knows("ada")
    before = await hub.site.people.persons.password_hash("ada")
    hub.site.proving._passwords = dear = Passwords(hub.site.passwords.cost._replace(passes=3))
    try:
        await log_in(browser, hub, "ada", PASSWORD)
        assert await who_is(browser, hub) == "ada"
        after = await hub.site.people.persons.password_hash("ada")
        assert after != before
        await browser.client.post(f"{hub.url}/logout", headers={"Origin": hub.url})
        await log_in(browser, hub, "ada", PASSWORD)
        assert await hub.site.people.persons.password_hash("ada") == after
    finally:
        await dear.close()


async def test_a_log_in_ends_the_session_that_the_browser_had(lonely_hub, browser) -> None:
    """Whoever planted a session in somebody's browser is not in theirs after it."""
    hub = lonely_hub
    await hub.knows("ada")
    planted = await hub.site.people.sessions.start(await known(hub.site.people, "eve", ["viewer"]), "password")
    browser.client.cookies.set("ph_session", planted)
    answer = await browser.client.post(
        f"{hub.url}/login", data={"name": "ada", "password": PASSWORD}, headers={"Origin": hub.url}
    )
    fresh = answer.headers["set-cookie"].partition(";")[0].partition("=")[2]
    assert fresh != planted
    assert await hub.site.people.by_session(planted) is None
    known_now = await hub.site.people.by_session(fresh)
    assert known_now is not None
    assert known_now.who == "ada"


async def test_another_site_cannot_log_somebody_in(lonely_hub) -> None:
    """Nor out: a form of a stranger's page comes with its own origin."""
    hub = lonely_hub
    await hub.knows("ada")
    fields = {"name": "ada", "password": PASSWORD}
    for headers in ({}, {"Origin": "http://evil.example"}, {"Origin": hub.url, "Sec-Fetch-Site": "cross-site"}):
        answer = await hub.stranger.post("/login", data=fields, headers=headers)
        assert answer.status_code == 403
    assert (await hub.stranger.post("/guest", data={"key": "x"})).status_code == 403


async def test_logging_out_ends_the_session(lonely_hub, browser) -> None:
    """In the record, not only in the browser."""
    hub = lonely_hub
    await hub.knows("ada")
    await log_in(browser, hub, "ada", PASSWORD)
    (row,) = await hub.site.people.sessions.of("ada")
    answer = await browser.client.post(f"{hub.url}/logout", headers={"Origin": hub.url})
    assert answer.headers["location"] == "/login"
    assert await who_is(browser, hub) == ""
    assert await hub.site.people.sessions.of("ada") == []
    assert row.how == "password"
    assert (await audit(hub, "logout"))[0].who == "ada"


# links


async def test_an_invitation_sets_the_password(lonely_hub, browser) -> None:
    """And ends the sessions that there were; a second use is refused."""
    hub = lonely_hub
    await known(hub.site.people, "ada", ["viewer"])
    old = await hub.site.people.sessions.start("ada", "link")
    link = await hub.site.people.links.make("invite", "ada")
    page = await browser.go(f"{hub.url}/login?token={link}")
    assert "Set your password" in page.text
    weak = await browser.send(password="short", again="short")
    assert weak.status_code == 422
    await browser.send(password=PASSWORD, again=PASSWORD)
    assert await who_is(browser, hub) == "ada"
    assert await hub.site.people.by_session(old) is None
    assert (await hub.site.passwords.verify(await hub.site.people.persons.password_hash("ada"), PASSWORD)).ok
    assert (await browser.go(f"{hub.url}/login?token={link}")).status_code == 410
    assert [line.name for line in await audit(hub)] == ["login", "password.set"]


async def test_a_login_link_lets_in_by_its_button(lonely_hub, browser) -> None:
    """Once; programs that look at links first do no harm."""
    hub = lonely_hub
    await known(hub.site.people, "ada", ["viewer"])
    link = await hub.site.people.links.make("login", "ada")
    for _ in range(3):
        page = await browser.go(f"{hub.url}/login?token={link}")
        assert "Log in as ada" in page.text
    await browser.send()
    assert await who_is(browser, hub) == "ada"
    assert (await hub.stranger.get(f"/login?token={link}")).status_code == 410


async def test_a_link_of_somebody_disabled_does_not_let_in(lonely_hub, browser) -> None:
    """Neither does nonsense, of any length."""
    hub = lonely_hub
    await known(hub.site.people, "ada", ["viewer"])
    link = await hub.site.people.links.make("login", "ada")
    await browser.go(f"{hub.url}/login?token={link}")
    await hub.site.people.persons.set_active("ada", False)
    assert (await browser.send()).status_code == 410
    for nonsense in ("x", "ä", "x" * 500, "%00"):
        page = await browser.go(f"{hub.url}/login?token={nonsense}")
        assert page.status_code == 410
        assert "pilothouse" in page.text


# guests


async def test_a_guest_link_lets_look_on_by_its_button(lonely_hub, browser) -> None:
    """As a guest of that stand and nothing else, until it ends."""
    hub = lonely_hub
    await hub.knows("ada")
    key, row = await hub.site.people.guests.make("visitors", "bench", by="ada", life=3600)
    page = await browser.go(f"{hub.url}/guest?key={key}")
    assert "Look on at bench" in page.text
    assert re.search(r"ada\s+lets you look on until", page.text)
    assert await who_is(browser, hub) == ""
    await browser.send()
    assert browser.trail[-1].startswith(f"{hub.url}/stands/bench")
    me = (await browser.client.get(f"{hub.url}/api/me")).json()
    assert (me["who"], me["through"], me["how"]) == ("guest:visitors", "guest", "guest")
    assert (await browser.client.get(f"{hub.url}/account")).status_code == 403
    assert "Password" in (await browser.go(f"{hub.url}/login")).text  # for guests who have an account, too
    await hub.site.people.guests.end(row.id)
    assert await who_is(browser, hub) == ""
    assert (await browser.go(f"{hub.url}/guest?key={key}")).status_code == 410


async def test_a_guest_link_says_what_it_costs_somebody_who_is_logged_in(lonely_hub, browser) -> None:
    """Their session would end, so the page leads to the stand as whom they are."""
    hub = lonely_hub
    await hub.knows("ada")
    key, _ = await hub.site.people.guests.make("visitors", "bench", by="ada", life=3600)
    await log_in(browser, hub, "ada", PASSWORD)
    page = await browser.go(f"{hub.url}/guest?key={key}")
    assert "Go to the stand as ada" in page.text
    assert await who_is(browser, hub) == "ada"


# pages for strangers


async def test_pages_for_strangers_carry_all_that_they_need(lonely_hub) -> None:
    """No other file, no script, a policy without unsafe-anything, nothing to keep."""
    for path in ("/login", "/login?token=x", "/guest?key=x"):
        page = await lonely_hub.stranger.get(path, headers={"Accept": "text/html"})
        policy = page.headers["content-security-policy"]
        assert "unsafe" not in policy
        assert "default-src 'none'" in policy
        assert "<script" not in page.text
        assert not re.search(r"(src|href)=\"(?!/login|/guest|/stands)", page.text)
        assert page.headers["cache-control"] == "no-store"


# one's own account


async def test_the_account_page_says_who_one_is(lonely_hub, browser) -> None:
    """Rights in words, this session marked."""
    hub = lonely_hub
    await hub.knows("ada", ["viewer"])
    await log_in(browser, hub, "ada", PASSWORD)
    page = await browser.go(f"{hub.url}/account")
    assert page.status_code == 200
    assert "this one" in page.text
    assert "Sees everything" in page.text


async def test_somebody_without_rights_sees_only_their_account(lonely_hub, browser) -> None:
    """And is told whom to ask."""
    hub = lonely_hub
    await hub.knows("ada", [])
    await log_in(browser, hub, "ada", PASSWORD, "/login?next=/account")
    page = await browser.go(f"{hub.url}/account")
    assert page.status_code == 200
    assert "have no rights here yet" in page.text
    assert (await browser.client.get(f"{hub.url}/api/me")).json()["rights"] == []


async def test_a_changed_password_ends_every_other_session(lonely_hub, browser) -> None:
    """This browser goes on with a new one; tokens go on."""
    hub = lonely_hub
    await hub.knows("ada", ["viewer"])
    other = await hub.site.people.sessions.start("ada", "password")
    token, _ = await hub.site.people.tokens.make("ada", "t", "read")
    await log_in(browser, hub, "ada", PASSWORD)
    before = session(browser)
    fields = {"current": PASSWORD, "password": "four other small words", "again": "four other small words"}
    answer = await browser.client.post(f"{hub.url}/account/password", data=fields, headers={"Origin": hub.url})
    assert (answer.status_code, answer.headers["location"]) == (303, "/account?done=password")
    assert session(browser) != before
    assert await hub.site.people.by_session(other) is None
    assert await hub.site.people.by_session(before) is None
    assert await hub.site.people.by_token(token) is not None
    assert await who_is(browser, hub) == "ada"
    assert "Your password is changed" in (await browser.go(f"{hub.url}/account?done=password")).text
    assert (await audit(hub, "password.set"))[0].who == "ada"


async def test_a_password_that_is_not_changed_stays(lonely_hub, browser) -> None:
    """And the reason is said."""
    hub = lonely_hub
    await hub.knows("ada", ["viewer"])
    await log_in(browser, hub, "ada", PASSWORD)
    new = "four other small words"
    cases = [
        ({"current": "not that one"}, 403, "This is not your password"),
        ({"again": "another one entirely"}, 422, "The two passwords differ"),
        ({"password": "short", "again": "short"}, 422, "10 characters"),
    ]
    for fields, status, says in cases:
        data = {"current": PASSWORD, "password": new, "again": new, **fields}
        answer = await browser.client.post(f"{hub.url}/account/password", data=data)
        assert answer.status_code == status
        assert says in answer.text
        assert new not in answer.text
    assert (await hub.site.passwords.verify(await hub.site.people.persons.password_hash("ada"), PASSWORD)).ok
    assert await who_is(browser, hub) == "ada"


async def test_whoever_sits_at_an_open_browser_cannot_guess_the_password_either(lonely_hub, browser) -> None:
    """The tries count as at the log-in, and the ledger says whose browser it was."""
    hub = lonely_hub
    await hub.knows("ada", ["viewer"])
    await log_in(browser, hub, "ada", PASSWORD)
    data = {"current": "a guess at it", "password": "four small words", "again": "four small words"}
    statuses = [
        (await browser.client.post(f"{hub.url}/account/password", data=data, headers={"Origin": hub.url})).status_code
        for _ in range(7)
    ]
    assert statuses == [403] * 5 + [429] * 2
    assert {line.who for line in await audit(hub, "login.failed")} == {"ada"}


async def test_sessions_are_listed_and_ended(lonely_hub, browser) -> None:
    """One, or all but this one; those of others cannot be."""
    hub, sessions = lonely_hub, lonely_hub.site.people.sessions
    await hub.knows("ada", ["viewer"])
    for _ in range(3):
        await sessions.start("ada", "password", agent="Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0")
    theirs = await sessions.start(await known(hub.site.people, "bob", ["viewer"]), "password")
    await log_in(browser, hub, "ada", PASSWORD)
    assert (await browser.go(f"{hub.url}/account")).text.count("Firefox on Linux") >= 3
    here = (await browser.client.get(f"{hub.url}/api/sessions")).json()
    assert len(here["sessions"]) == 4
    other = next(row["id"] for row in here["sessions"] if row["id"] != here["here"])
    origin = {"Origin": hub.url}
    assert (await browser.client.delete(f"{hub.url}/api/sessions/{other}", headers=origin)).status_code == 200
    assert (await browser.client.delete(f"{hub.url}/api/sessions/{other}", headers=origin)).status_code == 404
    (row,) = await sessions.of("bob")
    for path, data in (("/account/sessions", {"id": row.id}), ("/account/sessions", {"id": ""})):
        assert (await browser.client.post(hub.url + path, data=data, headers=origin)).status_code == 404
    assert (await browser.client.delete(f"{hub.url}/api/sessions/{row.id}", headers=origin)).status_code == 404
    done = await browser.client.post(f"{hub.url}/account/sessions", data={"id": "others"}, headers=origin)
    assert done.headers["location"] == "/account?done=others"
    assert [row.id for row in await sessions.of("ada")] == [here["here"]]
    assert await hub.site.people.by_session(theirs) is not None


async def test_a_token_is_shown_once(lonely_hub, browser) -> None:
    """On the page that answers; it lets a program in, as its owner within its scope."""
    hub = lonely_hub
    await hub.knows("eva", ["operator"])
    await log_in(browser, hub, "eva", PASSWORD)
    origin = {"Origin": hub.url}
    fields = {"name": "backup <script>", "scope": "read", "only": "", "days": "30"}
    made = await browser.client.post(f"{hub.url}/account/tokens", data=fields, headers=origin)
    assert made.status_code == 200
    (secret,) = set(re.findall(r"ph_[\w-]{20,}", made.text))
    assert "<script>" not in made.text.partition("<main")[2]
    page = await browser.go(f"{hub.url}/account")
    assert secret not in page.text
    assert "backup &lt;script&gt;" in page.text
    program = {"Authorization": f"Bearer {secret}"}
    me = (await hub.stranger.get("/api/me", headers=program)).json()
    assert (me["who"], me["through"], me["most"]) == ("eva", "token", "viewer")
    # A token makes no tokens, ends no sessions, changes no password.
    for method, path in (("POST", "/api/tokens"), ("GET", "/api/sessions"), ("POST", "/account/password")):
        assert (await hub.stranger.request(method, path, headers=program)).status_code == 403
    (row,) = await hub.site.people.tokens.of("eva")
    ended = await browser.client.post(f"{hub.url}/account/tokens/end", data={"id": row.id}, headers=origin)
    assert ended.headers["location"] == "/account?done=token"
    assert (await hub.stranger.get("/api/me", headers=program)).status_code == 401
    assert [line.name for line in await audit(hub)][:2] == ["token.ended", "token.made"]


async def test_a_token_that_cannot_be_made_is_told_and_loses_nothing(lonely_hub, browser) -> None:
    """What was typed stands in the form again."""
    hub = lonely_hub
    await hub.knows("eva", ["operator"])
    await log_in(browser, hub, "eva", PASSWORD)
    for fields in ({"name": ""}, {"scope": "everything"}, {"only": "no/such/place"}, {"days": "4000"}, {"days": "x"}):
        data = {"name": "my script", "scope": "operate", "only": "", "days": "30", **fields}
        answer = await browser.client.post(f"{hub.url}/account/tokens", data=data)
        assert answer.status_code in (400, 422)
        assert f'value="{data["name"]}"' in answer.text
    assert await hub.site.people.tokens.of("eva") == []


# programs


async def test_a_program_gets_a_token_for_name_and_password(lonely_hub) -> None:
    """As `pilothouse login` does; and ends it with itself."""
    hub = lonely_hub
    await hub.knows("eva", ["operator@bench"])
    body = {"name": "eva", "password": PASSWORD, "token": {"name": "laptop", "scope": "operate", "days": 1}}
    made = await hub.stranger.post("/api/login", json=body, headers={"Origin": hub.url})
    assert made.status_code == 200
    assert "set-cookie" not in made.headers
    program = {"Authorization": f"Bearer {made.json()['secret']}"}
    me = (await hub.stranger.get("/api/me", headers=program)).json()
    assert me["rights"] == ["operator@bench"]
    assert me["expires"] == made.json()["token"]["expires"]
    assert (await hub.stranger.post("/api/logout", headers=program)).status_code == 200
    assert (await hub.stranger.get("/api/me", headers=program)).status_code == 401
    wrong = await hub.stranger.post("/api/login", json={**body, "password": "x"}, headers={"Origin": hub.url})
    assert wrong.status_code == 401
    assert wrong.json()["type"].endswith("log-in")
    assert (await hub.stranger.post("/api/login", json=body)).status_code == 403  # no page and no program of ours


async def test_tokens_by_rest(lonely_hub) -> None:
    """Made, listed without secrets, ended; only one's own."""
    hub = lonely_hub
    ada, bob = await hub.person("eva", ["operator"]), await hub.person("bob", ["viewer"])
    made = (await ada.post("/api/tokens", json={"name": "script", "scope": "operate", "only": "bench"})).json()
    assert made["token"]["only"] == "bench"
    listed = await ada.get("/api/tokens")
    assert made["secret"] not in listed.text
    ids = [row["id"] for row in listed.json()["tokens"]]
    assert made["token"]["id"] in ids
    assert (await bob.delete(f"/api/tokens/{made['token']['id']}")).status_code == 404
    assert (await ada.delete(f"/api/tokens/{made['token']['id']}")).status_code == 200
    assert (await ada.post("/api/tokens", json={"name": "x", "scope": "root"})).status_code == 422
    assert (await ada.post("/api/tokens", json={"name": "x", "days": 400})).status_code == 422


async def test_the_token_of_the_machine_is_not_ended_from_afar(lonely_hub) -> None:
    """It is in a file of the data folder."""
    secret = await lonely_hub.site.people.tokens.make_machine("here")
    program = {"Authorization": f"Bearer {secret}"}
    me = (await lonely_hub.stranger.get("/api/me", headers=program)).json()
    assert (me["who"], me["how"]) == ("owner", "machine")
    assert (await lonely_hub.stranger.post("/api/logout", headers=program)).status_code == 409
