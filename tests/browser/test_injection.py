"""A device whose every word is an attack, in a real browser: nothing runs, nothing is refused by the policy because
there is nothing to refuse, and no script, handler or address is made from data.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from support.attacks.hostile import NODE, TEXTS, hostile_beside
from support.browsing import Watched, control, person, window
from support.stack import QUIET_CONFIG, Stack, wait_for

TRAP = """
window.ran = [];
window.pwn = (number) => { window.ran.push(number); };
for (const name of ["alert", "confirm", "prompt", "print"]) {
    window[name] = (text) => { window.ran.push(`${name} ${text}`); };
}
document.addEventListener("securitypolicyviolation", (event) => {
    window.ran.push(`policy: ${event.violatedDirective}`);
});
window.clean = Object.getOwnPropertyNames(Object.prototype).sort().join();
"""
LOOK = """() => {
    const found = [...window.ran];
    const own = (address) => new URL(address, location.href).origin === location.origin;
    for (const element of document.querySelectorAll("*")) {
        const name = element.localName;
        if (name === "script" && !element.src && !element.type.includes("json")) {
            found.push(`a script: ${element.textContent.slice(0, 80)}`);
        }
        if (["iframe", "object", "embed", "base"].includes(name)) {
            found.push(`<${name}>`);
        }
        for (const attribute of element.attributes) {
            if (/^on./.test(attribute.name) || attribute.name === "srcdoc") {
                found.push(`<${name} ${attribute.name}>`);
            }
            if (["href", "src", "action", "formaction"].includes(attribute.name) && !name.includes("-")) {
                if (!own(attribute.value) && !attribute.value.startsWith("data:image/")) {
                    found.push(`<${name} ${attribute.name}=${attribute.value.slice(0, 80)}>`);
                }
            }
        }
    }
    if (window.clean !== Object.getOwnPropertyNames(Object.prototype).sort().join()) {
        found.push("the prototype of all objects was changed");
    }
    if ({}.polluted !== undefined || Object.keys({}).length) {
        found.push("an empty object is not empty");
    }
    return found;
}"""
"""What must not be on a page, of that which was found on it."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A site with the agent beside it, and a command of each kind that it has answered."""
    with Stack(tmp_path_factory.mktemp("injection"), config=QUIET_CONFIG) as running, hostile_beside(running.data):
        wait_for(lambda: running.call("GET", f"/api/things/{NODE}/format")[0] == 200, "its things")
        for thing, text in TEXTS.items():
            path = f"/api/things/{NODE}/{thing}"
            running.call("PUT", f"{path}/properties/out", {"value": True, "reason": text})
            running.call("POST", f"{path}/actions/act", {"input": {"word": text}, "reason": text})
        yield running


@pytest.fixture
def trapped(site: Stack, browser: Browser) -> Iterator[Watched]:
    """Anna's window, in which all that a device's words could call is noted."""
    context = window(browser, person(site, browser, "anna"))
    context.add_init_script(TRAP)
    made = Watched(context.new_page(), site.url)
    made.page.on("dialog", lambda dialog: made.wrong.append(f"dialog: {dialog.message}"))
    yield made
    context.close()
    assert made.wrong == []


def live(page: Page, thing: str) -> None:
    """Wait until the page of a thing has taken what the agent says live, again and again."""
    level = page.locator(f"live-value[series='{NODE}/{thing}.level'] .v").first
    before = level.inner_text()
    expect(level).not_to_have_text(before)


def touched(page: Page) -> None:
    """Do what people do with a mouse: over everything that is there, and open what can be opened."""
    page.evaluate(
        """() => {
            for (const each of document.querySelectorAll("main details")) {
                each.open = true;
            }
            for (const each of document.querySelectorAll("main *")) {
                for (const kind of ["mouseover", "mouseenter", "focus", "pointerdown"]) {
                    each.dispatchEvent(new Event(kind, {bubbles: true}));
                }
            }
        }"""
    )


@pytest.mark.parametrize("thing", TEXTS)
def test_no_word_of_a_device_does_anything_on_its_page(trapped: Watched, thing: str) -> None:
    """Neither when it is drawn by the hub, nor when it is replaced live."""
    page = trapped.open(f"/things/{NODE}/{thing}")
    live(page, thing)
    touched(page)
    assert page.evaluate(LOOK) == []


def test_no_word_of_a_device_does_anything_on_other_pages(trapped: Watched, site: Stack) -> None:
    """The overview, the node with its lanes, the ledger and each of its lines, stop, people."""
    lines = site.call("GET", f"/api/ledger?node={NODE}&limit=1000")[1]["lines"]
    paths = ["/", f"/nodes/{NODE}", "/ledger", "/stop", "/stands", *(f"/ledger/{line['id']}" for line in lines[:6])]
    for path in paths:
        page = trapped.open(path)
        touched(page)
        assert page.evaluate(LOOK) == [], path


@pytest.mark.parametrize("thing", ["script", "attribute", "image", "template", "json"])
def test_a_question_and_a_refusal_say_words_and_do_not_obey_them(trapped: Watched, thing: str) -> None:
    """The dialog with the hazard, and the sentence of the device under the control after the press."""
    trapped.allowed.append("the server responded with a status")
    page = trapped.open(f"/things/{NODE}/{thing}")
    act = page.locator("command-button[action=act]")
    act.locator("button[type=submit]").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text(TEXTS[thing])
    assert page.evaluate(LOOK) == []
    dialog.get_by_role("button").last.click()
    expect(act.locator(".say")).to_contain_text(TEXTS[thing])
    expect(control(page, f"{NODE}/{thing}.out").locator(".why")).to_contain_text(TEXTS[thing])
    assert page.evaluate(LOOK) == []


def test_what_names_a_property_is_a_name_and_no_part_of_a_program(trapped: Watched) -> None:
    """`__proto__`, `constructor` and the like are shown with their values, and change nothing else."""
    page = trapped.open(f"/things/{NODE}/address")
    live(page, "address")
    assert page.evaluate(LOOK) == []
    for name in ("__proto__", "constructor", "toString", "hasOwnProperty", "innerHTML"):
        value = page.locator(f"live-value[series='{NODE}/address.{name}'] .v").first
        expect(value).to_have_text(TEXTS["address"])


def test_a_script_that_were_there_would_be_refused(trapped: Watched) -> None:
    """That these tests would see something: the policy stops what is put into a page by hand, and says so."""
    trapped.allowed.append("Content Security Policy")
    page = trapped.open("/")
    page.evaluate("() => { document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=\"pwn(1)\">'); }")
    page.wait_for_function("() => window.ran.length > 0")
    assert "policy: script-src-attr" in page.evaluate(LOOK)
    trapped.wrong.clear()
