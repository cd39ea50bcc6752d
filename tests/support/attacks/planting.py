"""Secrets of every kind, planted by using a site as people do; and a look whether one of them stands in a text."""

from __future__ import annotations

import base64
import re
import ssl
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qs, quote, urlsplit

import httpx2

from support.attacks.callers import token as bearer
from support.stack import Stack

CONFIG = """
[node]
name = "pi"
[hub]
host = "0.0.0.0"
public_url = "https://localhost:{port}"
[bus]
url = "{url}"
user = "{user}"
password_file = "{password_file}"
[oidc]
issuer = "https://127.0.0.1:9/issuer"
client_id = "pilothouse"
client_secret_file = "{client_secret_file}"
[things.relays]
driver = "sim.relays"
[things.relays.properties.relay_1]
confirm = "yes"
[stands.bench]
things = ["relays"]
"""
RELAY = "/api/things/pi/relays/properties/relay_1"
PASSWORDS = {
    "ada's first password": "Planted-Ada-Password-1",
    "ada's password": "Planted-Ada-Password-2",
    "eve's password": "Planted-Eve-Password-1",
    "a password typed as a name": "Planted-Password-As-Name-1",
    "a wrong password": "Planted-Wrong-Password-1",
    "a password in a broken body": "Planted-Password-In-Broken-Json-1",
    "a password in a body of the wrong shape": "Planted-Password-In-Wrong-Shape-1",
    "a token that is none": "ph_Planted-Token-That-Is-None-1",
    "a session that is none": "Planted-Session-That-Is-None-1",
    "a link that is none": "Planted-Link-That-Is-None-1",
    "a confirmation that is none": "Planted-Confirmation-That-Is-None-1",
    "a secret in an address": "Planted-Secret-In-Address-1",
    "the client secret": "Planted-Client-Secret-1",
    "a password typed at a terminal": "Planted-Password-At-Terminal-1",
}


class Site(NamedTuple):
    """A site that was used, and all secrets of it."""

    stack: Stack
    secrets: dict[str, str]
    """What each is, and what it is called."""
    people: dict[str, dict[str, str]]
    """Headers of everybody who is in."""
    trust: ssl.SSLContext
    bus_log: Path
    seen: list[str]
    """Everything that was answered while it was used, but for the one answer to each secret."""

    def client(self, who: str = "") -> httpx2.Client:
        """A client of somebody."""
        headers = {"Origin": self.stack.url, **self.people.get(who, {})}
        return httpx2.Client(base_url=self.stack.url, headers=headers, verify=self.trust, timeout=30, trust_env=False)


def use(site: Site) -> None:
    """First start, people, links, guests, tokens, confirmations, slips and errors."""
    secrets = site.secrets
    secrets["the machine's token"] = (site.stack.data / "token").read_text().strip()
    for key in sorted((site.stack.data / "tls").glob("*")):
        for block in re.findall(r"-----BEGIN [A-Z ]*PRIVATE KEY-----\n(.*?)\n-----END", key.read_text(), re.DOTALL):
            secrets[f"the key in {key.name}"] = block.splitlines()[1]
    come_in(site)
    let_others_in(site)
    slip(site)
    use_the_terminal(site)


def come_in(site: Site) -> None:
    """The first administrator, by the printed link, who then changes the password."""
    secrets = site.secrets
    token = parse_qs(urlsplit(site.stack.login).query)["token"][0]
    secrets["the first link"] = token
    first, second = secrets["ada's first password"], secrets["ada's password"]
    with site.client() as client:
        keep(
            site, client.get("/"), client.get("/login"), client.get("/login?token=" + PASSWORDS["a link that is none"])
        )
        form = {"token": token, "name": "ada", "password": "short", "again": "short"}
        assert client.post("/login", data=form).status_code == 422
        answer = client.post("/login", data={**form, "password": first, "again": first})
        assert answer.status_code == 303, answer.text
        secrets["ada's first session"] = cookie_of(answer)
    site.people["ada"] = session(secrets["ada's first session"])
    with site.client("ada") as client:
        wrong = {"current": PASSWORDS["a wrong password"], "password": second, "again": second}
        keep(site, client.post("/account/password", data=wrong))
        keep(site, client.post("/account/password", data={**wrong, "current": first, "again": first}))
        answer = client.post("/account/password", data={**wrong, "current": first})
        assert answer.status_code == 303, answer.text
        secrets["ada's session"] = cookie_of(answer)
    site.people["ada"] = session(secrets["ada's session"])


def let_others_in(site: Site) -> None:
    """Eve by an invitation, a guest by a link, a program by a token; and a confirmation."""
    secrets = site.secrets
    with site.client("ada") as client:
        assert client.post("/api/people/eve", json={"rights": ["operator@bench"]}).status_code == 200
        invite = client.post("/api/people/eve/link", json={"kind": "invite"}).json()["url"]
        secrets["eve's invitation"] = parse_qs(urlsplit(invite).query)["token"][0]
        unused = client.post("/api/people/eve/link", json={"kind": "login"}).json()["url"]
        secrets["a link that was not used"] = parse_qs(urlsplit(unused).query)["token"][0]
        guest = client.post("/api/guests", json={"name": "visitors", "stand": "bench"}).json()["url"]
        secrets["the guest link"] = parse_qs(urlsplit(guest).query)["key"][0]
        secrets["ada's token"] = client.post("/api/tokens", json={"name": "t", "scope": "administer"}).json()["secret"]
        wanted = {"node": "pi", "thing": "relays", "name": "relay_1", "input": True}
        secrets["a confirmation"] = client.post("/api/confirmations", json=wanted).json()["token"]
        secrets["a used confirmation"] = client.post("/api/confirmations", json=wanted).json()["token"]
        body = {"value": True, "confirmation": secrets["a used confirmation"], "reason": "with a confirmation"}
        keep(site, client.put(RELAY, json=body))
    with site.client() as client:
        keep(site, client.get("/guest", params={"key": "wrong"}))
        password = secrets["eve's password"]
        form = {"token": secrets["eve's invitation"], "password": password, "again": password}
        secrets["eve's session"] = cookie_of(client.post("/login", data=form))
        secrets["the guest's session"] = cookie_of(client.post("/guest", data={"key": secrets["the guest link"]}))
        again = client.post("/login", data={"name": "eve", "password": password})
        secrets["eve's other session"] = cookie_of(again)
    site.people["eve"] = session(secrets["eve's session"])
    site.people["guest"] = session(secrets["the guest's session"])
    site.people["program"] = bearer(secrets["ada's token"])


def slip(site: Site) -> None:
    """Passwords in wrong fields, broken bodies, secrets in addresses, wrong secrets."""
    planted, typed = PASSWORDS, PASSWORDS["a password typed as a name"]
    ask = {"name": "x", "scope": "read"}
    with site.client() as client:
        slips: list[httpx2.Response] = [
            client.post("/login", data={"name": typed, "password": "x"}),
            client.post("/login", data={"name": "ada", "password": planted["a wrong password"]}),
            client.post("/login", data={"name": "nobody", "password": planted["a wrong password"]}),
            client.post(
                "/api/login", json={"name": planted["a password typed as a name"], "password": "x", "token": ask}
            ),
            client.post("/api/login", json={"name": "ada", "password": planted["a wrong password"], "token": ask}),
            client.post("/login", data={"token": planted["a link that is none"]}),
            client.post("/guest", data={"key": planted["a link that is none"]}),
            client.get("/login/oidc"),
            client.get("/login/oidc/callback", params={"code": planted["a secret in an address"], "state": "x"}),
        ]
        kind = {"Content-Type": "application/json"}
        broken = f'{{"name": "ada", "password": "{planted["a password in a broken body"]}", '
        slips.append(client.post("/api/login", content=broken, headers=kind))
        shape = planted["a password in a body of the wrong shape"]
        slips += [
            client.post("/api/login", json=body)
            for body in (
                {"name": "ada", "password": [shape], "token": ask},
                {"name": "ada", "password": {"text": shape}, "token": ask},
                {"name": [shape], "password": shape, "token": ask},
                [shape],
                shape,
            )
        ]
        keep(site, *slips)
        for headers in (
            {"Authorization": f"Bearer {planted['a token that is none']}"},
            {"Authorization": f"Basic {base64.b64encode(planted['a token that is none'].encode()).decode()}"},
            {"Cookie": f"__Host-ph_session={planted['a session that is none']}"},
            {"Cookie": f"ph_session={planted['a session that is none']}"},
        ):
            keep(
                site,
                client.get("/api/things", headers=headers),
                client.get("/", headers={**headers, "Accept": "text/html"}),
            )
    with site.client("ada") as client:
        secret = planted["a secret in an address"]
        for path in (
            f"/?token={secret}",
            f"/api/things?access_token={secret}",
            f"/login?token={secret}",
            f"/x/{secret}",
        ):
            client.get(path)
        body = {"value": True, "confirmation": planted["a confirmation that is none"]}
        keep(site, client.put(RELAY, json=body), client.put(RELAY, json={**body, "value": {"no": "bool"}}))
        keep(site, client.put(RELAY, json={**body, "confirmation": [body["confirmation"]]}))


def use_the_terminal(site: Site) -> None:
    """A password that is set at the machine."""
    password = PASSWORDS["a password typed at a terminal"]
    words = ("user", "passwd", "eve")
    done = subprocess.run(
        [sys.executable, "-m", "pilothouse.cli", *words, "--data", str(site.stack.data)],
        input=f"{password}\n{password}\n",
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    site.seen.append(done.stdout + done.stderr)


def session(secret: str) -> dict[str, str]:
    """The header of a browser."""
    return {"Cookie": f"__Host-ph_session={secret}"}


def cookie_of(answer: httpx2.Response) -> str:
    """The session that an answer sets."""
    assert answer.status_code == 303, answer.text
    found = re.search(r"__Host-ph_session=([^;]+)", answer.headers["set-cookie"])
    assert found, answer.headers
    return found.group(1)


def keep(site: Site, *answers: httpx2.Response) -> None:
    """Have these answers searched."""
    for answer in answers:
        assert answer.status_code < 500 or "oidc" in str(answer.url), (answer.url, answer.text[:300])
        head = " ".join(f"{name}: {value}" for name, value in answer.headers.multi_items() if name != "set-cookie")
        site.seen.append(head + answer.text)


def forms(secret: str) -> set[str]:
    """A secret as it is, and as it would stand in an address, in base64, turned around or in hexadecimal figures."""
    return {
        secret,
        quote(secret, safe=""),
        base64.b64encode(secret.encode()).decode().rstrip("="),
        secret.encode().hex(),
    }


def found_in(site: Site, text: str | bytes, *but: str) -> list[str]:
    """What of the secrets stands in a text."""
    if isinstance(text, bytes):
        text = text.decode("latin-1")
    small = text.lower()
    return [
        name
        for name, secret in site.secrets.items()
        if name not in but and any(form in text or (len(form) > 20 and form.lower() in small) for form in forms(secret))
    ]
