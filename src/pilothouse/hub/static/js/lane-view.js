// <lane-view>: what runs and waits on a node's lanes; a press takes back a command that waits, and says so when it was
// too late for that.

import { icon, make } from "./icons.js";

class LaneView extends HTMLElement {
  connectedCallback() {
    this.addEventListener("click", (event) => {
      const button = event.target.closest("button[data-cancel]");
      if (button && !button.disabled) this.#cancel(button);
    });
  }

  async #cancel(button) {
    button.disabled = true;
    const { cancel, what } = button.dataset;
    const [done, text] = await takeBack(cancel);
    if (!done) button.disabled = false;
    const words = done ? `${what} was taken back; the device was not asked.` : `${what} was not taken back: ${text}`;
    const line = this.querySelector(".say");
    line.className = `say is-${done ? "confirmed" : "refused"}`;
    line.replaceChildren(icon(done ? "check" : "slash"), make("span", "", words));
  }
}

/** [whether it will never be done, why not]. */
async function takeBack(id) {
  try {
    const answer = await fetch(`/api/commands/${encodeURIComponent(id)}`, {
      method: "DELETE",
      body: JSON.stringify({ reason: "" }),
      headers: { "Content-Type": "application/json", Accept: "application/json" },
    });
    const said = await answer.json();
    return [Boolean(said.done), said.detail || said.title || `the hub said ${answer.status}.`];
  } catch {
    return [false, "the link was lost before an answer came; look at the ledger."];
  }
}

customElements.define("lane-view", LaneView);
