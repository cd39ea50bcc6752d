// <live-age series>: how old a reading is. <live-wish series>: what was asked for, how long ago, and whether it is so.

import { ago, exact, write } from "./ages.js";
import { inWords } from "./format.js";
import { live } from "./live.js";

class Watching extends HTMLElement {
  connectedCallback() {
    this.series = this.getAttribute("series");
    live.watch(this, this.series);
  }

  disconnectedCallback() {
    live.unwatch(this, this.series);
  }
}

class LiveAge extends Watching {
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

class LiveWish extends Watching {
  connectedCallback() {
    const precision = this.getAttribute("precision");
    this.rules = {
      unit: this.getAttribute("unit"), precision: precision === null ? null : Number(precision), writable: true,
    };
    super.connectedCallback();
  }

  show() {
    const state = live.state(this.series);
    if (!state) return;
    if (!state.wish_time) return write(this, "");
    const words = inWords(state.wish, this.rules);
    write(this, `asked for ${words}, ${ago(state.wish_time, live.nodeNow(this.series))}`);
    const settled = state.time > state.wish_time && words !== inWords(state.value, this.rules);
    this.classList.toggle("differs", settled && state.quality === "good");
    return undefined;
  }
}

customElements.define("live-age", LiveAge);
customElements.define("live-wish", LiveWish);
