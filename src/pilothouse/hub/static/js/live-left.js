// <live-left series safe max>: how long an output may still be on by its own rule.

import { lengthOf, write } from "./ages.js";
import { live } from "./live.js";
import { agree } from "./wishes.js";

class LiveLeft extends HTMLElement {
  connectedCallback() {
    this.series = this.getAttribute("series");
    this.safe = JSON.parse(this.getAttribute("safe"));
    this.most = Number(this.getAttribute("max")) * 1000;
    live.watch(this, this.series);
  }

  disconnectedCallback() {
    live.unwatch(this, this.series);
  }

  show() {
    const state = live.state(this.series);
    if (!state) return;
    const since = state.differs_since || state.accepted_time;
    const on = state.value !== null && !agree(state.value, this.safe, 0) && since;
    const left = on ? Math.ceil((since + this.most - live.nodeNow(this.series)) / 1000) : 0;
    write(this, left > 0 ? `${this.getAttribute("words")} in ${lengthOf(left)}` : "");
  }
}

customElements.define("live-left", LiveLeft);
