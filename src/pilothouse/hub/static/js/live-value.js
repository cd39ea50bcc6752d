// <live-value series unit precision writable stale>: a reading, replaced in place, with what is wrong with it.

import { exact, lengthOf, write } from "./ages.js";
import { shown } from "./format.js";
import { icon, make } from "./icons.js";
import { live } from "./live.js";

const WORDS = { stale: "", away: "node not there", bad: "cannot be read", doubtful: "doubtful", none: "no reading yet" };
const ICONS = { stale: "clock", away: "clock", none: "clock", bad: "warn", doubtful: "warn" };

class LiveValue extends HTMLElement {
  connectedCallback() {
    this.series = this.getAttribute("series");
    this.stale = Number(this.getAttribute("stale"));
    const precision = this.getAttribute("precision");
    this.rules = {
      unit: this.getAttribute("unit"),
      precision: precision === null ? null : Number(precision),
      writable: this.hasAttribute("writable"),
    };
    live.watch(this, this.series);
  }

  disconnectedCallback() {
    live.unwatch(this, this.series);
  }

  show() {
    const state = live.state(this.series);
    if (!state) return;
    const [text, unit] = shown(state.value, this.rules);
    write(this.querySelector(".v"), text);
    this.#unit(unit);
    if (state.time !== this.time) {
      this.time = state.time;
      this.title = state.time ? `read ${exact(state.time)}` : "never read";
    }
    this.#mark(live.freshness(this.series, state, this.stale), state);
  }

  #unit(text) {
    let element = this.querySelector(".u");
    if (!element && text) {
      element = document.createElement("span");
      element.className = "u";
      this.querySelector(".v").after(" ", element);
    }
    write(element, text);
  }

  #mark(fresh, state) {
    const word = fresh === "stale" ? `${lengthOf((live.nodeNow(this.series) - state.time) / 1000)} old` : WORDS[fresh];
    if (fresh === this.fresh && word === this.word) return;
    if (this.fresh !== undefined) this.classList.remove(`is-${this.fresh}`);
    else this.className = this.className.replace(/\bis-\w+/g, "");
    this.fresh = fresh;
    this.word = word;
    this.classList.add(`is-${fresh}`);
    const mark = this.querySelector(".mark");
    mark.replaceChildren(...(fresh === "live" ? [] : [icon(ICONS[fresh]), make("span", "word", word)]));
  }
}

customElements.define("live-value", LiveValue);
