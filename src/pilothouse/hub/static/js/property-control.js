// <property-control series kind …>: a switch, a choice, a number, a text or JSON. It shows what the device says, never
// what was pressed.

import { ask } from "./ask.js";
import { inWords, shown } from "./format.js";
import { live } from "./live.js";
import { Pressable } from "./pressable.js";
import { nodeOf } from "./store.js";

class PropertyControl extends Pressable {
  connectedCallback() {
    this.series = this.getAttribute("series");
    this.kind = this.getAttribute("kind");
    this.label = this.getAttribute("name");
    const precision = this.getAttribute("precision");
    this.rules = {
      unit: this.getAttribute("unit"), precision: precision === null ? null : Number(precision), writable: true,
    };
    const [address, name] = this.series.split(".");
    this.path = `/api/things/${address}/properties/${name}`;
    this.toggle = this.querySelector(".switch");
    this.toggle?.addEventListener("click", () => this.#toggle());
    for (const segment of this.querySelectorAll(".segments button")) {
      segment.addEventListener("click", () => this.#write(JSON.parse(segment.value)));
    }
    const form = this.querySelector("form.setter");
    form?.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit(form);
    });
    form?.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.#forget();
    });
    form?.querySelector("select")?.addEventListener("change", (event) => (event.target.dataset.touched = "yes"));
    live.watch(this, this.series);
  }

  disconnectedCallback() {
    live.unwatch(this, this.series);
  }

  show() {
    this.allow(nodeOf(this.series));
    const state = live.state(this.series);
    if (!state) return;
    this.fresh = live.freshness(this.series, state, Number(this.getAttribute("stale")));
    const json = JSON.stringify(state.value);
    const now = `${json} ${this.fresh}`;
    if (now === this.now) return;
    this.now = now;
    this.value = state.value;
    if (this.toggle) this.#showSwitch(state.value);
    for (const segment of this.querySelectorAll(".segments button")) {
      segment.setAttribute("aria-pressed", String(segment.value === json));
    }
    const select = this.querySelector("select");
    if (select && !select.dataset.touched) select.value = json;
    const input = this.querySelector(".setter input");
    if (input) input.placeholder = shown(state.value, this.rules)[0];
  }

  #showSwitch(value) {
    const known = this.fresh === "live" && typeof value === "boolean";
    this.toggle.setAttribute("aria-checked", String(value === true));
    this.toggle.toggleAttribute("data-unknown", !known);
    this.toggle.querySelector(".word").textContent =
      this.fresh === "bad" || value === null ? "not known" : shown(value, this.rules)[0] + (known ? "" : ", old");
  }

  #toggle() {
    if (this.sent || this.why) return undefined;
    if (this.toggle.hasAttribute("data-unknown")) return this.#askBoth();
    return this.#write(!this.value);
  }

  async #askBoth() {
    const answer = await ask({
      title: this.label,
      text: "How it stands is not known right now. What shall it be?",
      hazard: this.getAttribute("hazard"),
      answers: [["false", "Turn off"], ["true", "Turn on"]],
    });
    if (answer) await this.#put(JSON.parse(answer.value), answer.reason);
  }

  #submit(form) {
    const field = form.querySelector("input, select, textarea");
    if (this.kind === "choice") return this.#write(JSON.parse(field.value));
    if (field.type === "number") {
      if (field.value === "" || !field.validity.valid) return this.say("refused", this.#limits(field));
      return this.#write(Number(field.value));
    }
    if (this.kind === "text") return this.#write(field.value);
    try {
      return this.#write(JSON.parse(field.value));
    } catch {
      return this.say("refused", "That is not JSON.");
    }
  }

  #limits(field) {
    const unit = this.getAttribute("symbol");
    const tail = unit ? ` ${unit}` : "";
    const [min, max] = [field.min, field.max].map((limit) => (limit === "" ? "" : inWords(Number(limit), {})));
    if (field.validity.badInput || field.value === "") return "Type a number first.";
    if (field.validity.stepMismatch) return `It takes steps of ${field.step}${tail}.`;
    if (min !== "" && max !== "") return `It takes from ${min} to ${max}${tail}.`;
    return min === "" ? `It takes at most ${max}${tail}.` : `It takes at least ${min}${tail}.`;
  }

  #forget() {
    const field = this.querySelector("input, textarea");
    if (field) field.value = this.kind === "data" ? JSON.stringify(this.value) : "";
    field?.blur();
    this.hush();
  }

  async #write(value) {
    if (this.sent || this.why) return;
    let reason = "";
    const dangerous = this.getAttribute("hazard") || this.getAttribute("confirm");
    if (dangerous && JSON.stringify(value) !== this.getAttribute("safe")) {
      const answer = await ask({
        title: `${this.label}: ${inWords(value, this.rules)}?`,
        hazard: this.getAttribute("hazard"),
        answers: [["", this.toggle ? `Turn ${inWords(value, this.rules)}` : "Set it"]],
      });
      if (!answer) return;
      reason = answer.reason;
    }
    await this.#put(value, reason);
  }

  async #put(value, reason) {
    const answer = await this.press(inWords(value, this.rules), "PUT", this.path, { value, reason });
    if (answer?.end !== "confirmed") return;
    const field = this.querySelector(".setter input");
    if (field) field.value = "";
    const select = this.querySelector("select");
    if (select) delete select.dataset.touched;
  }
}

customElements.define("property-control", PropertyControl);
