// <stop-button>: stop, on every page. A press opens the dialog with its first choice focused; a press that is held for a
// second stops at once. Why not a double click: see hub/pages/stops.py. Without JavaScript its form opens /stop.

import { openStop } from "./stop-dialog.js";

const HELD = 1000;

class StopButton extends HTMLElement {
  #timer = 0;

  connectedCallback() {
    const button = this.querySelector("button");
    this.querySelector("form").addEventListener("submit", (event) => {
      event.preventDefault();
      openStop();
    });
    button.addEventListener("pointerdown", (event) => {
      if (event.button === 0) this.#hold();
    });
    for (const name of ["pointerup", "pointerleave", "pointercancel", "blur"]) button.addEventListener(name, () => this.#release());
    // A long touch would open the browser's own menu.
    button.addEventListener("contextmenu", (event) => event.preventDefault());
  }

  #hold() {
    this.classList.add("is-held");
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#release();
      openStop("hard");
    }, HELD);
  }

  #release() {
    clearTimeout(this.#timer);
    this.classList.remove("is-held");
  }
}

customElements.define("stop-button", StopButton);
