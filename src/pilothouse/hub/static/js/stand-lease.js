// <stand-lease stand>: the lease on the page of a stand. Its forms work without JavaScript; with it they answer in place.

import { icon, make } from "./icons.js";
import { changeLease } from "./leases.js";

class StandLease extends HTMLElement {
  connectedCallback() {
    this.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#send(event.target);
    });
    this.addEventListener("keydown", (event) => {
      const open = event.target.closest("details.pop[open]");
      if (event.key !== "Escape" || !open) return;
      open.open = false;
      open.querySelector("summary").focus();
    });
  }

  async #send(form) {
    const given = Object.fromEntries(new FormData(form));
    if (given.force) given.force = true;
    const button = form.querySelector("button");
    button.disabled = true;
    const refused = await changeLease(this.getAttribute("stand"), given);
    button.disabled = false;
    if (!refused) {
      document.activeElement?.blur();
      for (const open of this.querySelectorAll("details.pop[open]")) open.open = false;
    }
    const say = this.querySelector(":scope > .say");
    say.className = refused ? "say is-refused" : "say";
    say.replaceChildren(...(refused ? [icon("slash"), make("span", "", refused)] : []));
  }
}

customElements.define("stand-lease", StandLease);
