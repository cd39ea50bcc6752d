// <live-age series>: how old a reading is.

import { ago, exact, write } from "./ages.js";
import { live } from "./live.js";

class LiveAge extends HTMLElement {
  connectedCallback() {
    this.series = this.getAttribute("series");
    live.watch(this, this.series);
  }

  disconnectedCallback() {
    live.unwatch(this, this.series);
  }

  show() {
    const state = live.state(this.series);
    if (!state) return;
    write(this, state.time ? ago(state.time, live.nodeNow(this.series)) : "never read");
    if (state.time !== this.time) {
      this.time = state.time;
      this.title = exact(state.time);
    }
  }
}

customElements.define("live-age", LiveAge);
