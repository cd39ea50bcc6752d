// <live-wish series unit precision tolerance settle stale>: what was asked for, what the device took, what it shows.

import { exact, write } from "./ages.js";
import { live } from "./live.js";
import { told } from "./wishes.js";

class LiveWish extends HTMLElement {
  connectedCallback() {
    this.series = this.getAttribute("series");
    const number = (name) => (this.hasAttribute(name) ? Number(this.getAttribute(name)) : null);
    this.stale = number("stale");
    this.rules = {
      unit: this.getAttribute("unit"), precision: number("precision"), writable: true,
      tolerance: number("tolerance"), settle: number("settle"),
    };
    live.watch(this, this.series);
  }

  disconnectedCallback() {
    live.unwatch(this, this.series);
  }

  show() {
    const state = live.state(this.series);
    if (!state) return;
    const fresh = live.freshness(this.series, state, this.stale);
    const [text, look] = told(state, this.rules, fresh, live.nodeNow(this.series));
    write(this, text);
    if (this.className !== `is-${look}`) this.className = `is-${look}`;
    const times = [["asked", state.wish_time], ["taken", state.accepted_time], ["read", state.time]];
    const title = times.filter(([, time]) => time).map(([word, time]) => `${word} ${exact(time)}`).join("\n");
    if (title !== this.title) this.title = title;
  }
}

customElements.define("live-wish", LiveWish);
