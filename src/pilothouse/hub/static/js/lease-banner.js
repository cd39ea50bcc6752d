// <lease-banner>: what a holder must know on every page: a lease that ends soon, and who asks for the stand.

import { hubNow, tickTimes, write } from "./ages.js";
import { icon, make } from "./icons.js";
import { changeLease } from "./leases.js";
import { live } from "./live.js";
import { mayHold } from "./may.js";

const SOON = 120_000;

class LeaseBanner extends HTMLElement {
  connectedCallback() {
    live.addEventListener("change", ({ detail }) => detail.stands.size && this.show());
    live.addEventListener("snapshot", () => this.show());
    live.addEventListener("tick", () => this.show());
  }

  show() {
    const { who } = document.body.dataset;
    const mine = [...live.store.stands.values()].filter((stand) => stand.holder !== "" && stand.holder === who);
    const notes = mine.flatMap((stand) => [
      // On its own page the asks stand with the lease.
      ...(location.pathname === `/stands/${stand.stand}` ? [] : stand.asks.map((ask) => ({ stand, ask }))),
      ...(stand.until - hubNow() < SOON && stand.until > hubNow() ? [{ stand }] : []),
    ]);
    const drawn = JSON.stringify(notes.map(({ stand, ask }) => [stand.stand, stand.title, ask?.who ?? stand.until, ask?.note]));
    if (drawn === this.drawn) return;
    this.drawn = drawn;
    this.replaceChildren(...notes.map(({ stand, ask }) => (ask ? asked(stand, ask) : ending(stand))));
    tickTimes();
  }
}

function asked(stand, ask) {
  const words = make("span", "words", `${ask.who} asks for stand `, link(stand), ask.note ? `: “${ask.note}”` : ".");
  return note(words, icon("question"), stand, [
    action("Give", stand, { do: "give", to: ask.who }, `Give stand ${stand.title} to ${ask.who}`),
    action("Deny", stand, { do: "deny", to: ask.who }, `Deny ${ask.who} stand ${stand.title}`),
  ]);
}

function ending(stand) {
  const left = make("time");
  left.dataset.until = stand.until;
  left.setAttribute("aria-hidden", "true"); // else a screen reader would count along
  const after = stand.safe_on_expiry ? " Its outputs go to their safe values then." : "";
  const words = make("span", "words", "Your lease of stand ", link(stand), " ends in less than 2 minutes.", after, " ", left);
  return note(words, icon("clock"), stand, [action("Extend", stand, { do: "extend" }, `Extend the lease of stand ${stand.title}`)]);
}

/** Whoever may not hold the stand any more, though they do, is told all the same. */
function note(words, sign, { stand }, buttons) {
  return make("div", "lease-note", sign, words, ...(mayHold(stand) ? buttons : []), make("span", "refused"));
}

function link(stand) {
  const made = make("a", "", stand.title);
  made.href = `/stands/${stand.stand}`;
  return made;
}

function action(words, stand, body, label) {
  const button = make("button", "button", words);
  button.type = "button";
  button.setAttribute("aria-label", label);
  button.addEventListener("click", async () => {
    button.disabled = true;
    write(button.parentElement.querySelector(".refused"), await changeLease(stand.stand, body));
    button.disabled = false;
  });
  return button;
}

customElements.define("lease-banner", LeaseBanner);
