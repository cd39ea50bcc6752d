// <property-control series kind …>: a switch, a choice, a number, a text or JSON. It shows what the device says, never
// what was pressed.

import { inWords, shown } from "./format.js";
import { live } from "./live.js";
import { Pressable } from "./pressable.js";
import { nodeOf } from "./store.js";
import { whyNot } from "./why-not.js";
import { agree } from "./wishes.js";

class PropertyControl extends Pressable {
  connectedCallback() {
    this.series = this.getAttribute("series");
    this.kind = this.getAttribute("kind");
    this.label = this.getAttribute("name");
    const precision = this.getAttribute("precision");
    this.rules = {
      unit: this.getAttribute("unit"), precision: precision === null ? null : Number(precision), writable: true,
    };
    [this.address, this.property] = this.series.split(".");
    this.path = `/api/things/${this.address}/properties/${this.property}`;
    this.tolerance = Number(this.getAttribute("tolerance"));
    this.hasSafe = this.hasAttribute("safe");
    this.safe = this.hasSafe ? JSON.parse(this.getAttribute("safe")) : undefined;
    this.value = JSON.parse(this.getAttribute("value"));
    this.toSafe = this.querySelector(".to-safe");
    this.toSafe?.addEventListener("click", () => this.#write(this.safe));
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
    const state = live.state(this.series);
    if (state) this.#take(state);
    this.allow(nodeOf(this.series), whyNot(this.address, this.property), this.now);
  }

  #take(state) {
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
    if (this.toSafe) this.toSafe.hidden = this.#readable && this.#isSafe(state.value, this.tolerance);
  }

  get #readable() {
    return this.fresh !== "bad" && this.fresh !== "none";
  }

  #isSafe(value, tolerance = 0) {
    return this.hasSafe && agree(value, this.safe, tolerance);
  }

  /** Nothing ever stands against the safe value; a form stays usable, for the safe value can be typed. */
  barred(part) {
    if (!this.hasSafe) return true;
    if (part === this.toggle) return !part.hasAttribute("data-unknown") && !this.#isSafe(!this.value);
    if (part.closest(".segments")) return !this.#isSafe(JSON.parse(part.value));
    return false;
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
    const both = [["false", "Turn off"], ["true", "Turn on"]];
    const answer = await this.sure({
      title: this.label,
      text: "How it stands is not known right now. What shall it be?",
      answers: both.filter(([value]) => !this.bar || this.#isSafe(JSON.parse(value))),
    });
    if (!answer) return;
    const value = JSON.parse(answer.value);
    if (this.getAttribute("confirm") && !this.#isSafe(value)) await this.#write(value);
    else await this.#put(value, answer);
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
    if (this.sent || this.why) return undefined;
    if (this.#isSafe(value)) return this.#put(value, {});
    if (this.bar) return this.say("refused", "Nothing was sent: only its safe value is let through now.");
    if (!this.getAttribute("hazard") && !this.getAttribute("confirm")) return this.#put(value, {});
    const words = inWords(value, this.rules);
    const [node, thing] = this.address.split("/");
    const answer = await this.sure(
      {
        title: `${this.label}: ${words}?`,
        change: [this.#readable ? inWords(this.value, this.rules) : "not known", words],
        answers: [["", this.toggle ? `Turn ${words}` : "Set it"]],
      },
      { node, thing, kind: "property", name: this.property, input: value },
    );
    return answer && this.#put(value, answer);
  }

  async #put(value, { reason = "", confirmation = "" }) {
    const body = confirmation ? { value, reason, confirmation } : { value, reason };
    const answer = await this.press(inWords(value, this.rules), "PUT", this.path, body);
    if (answer?.end !== "confirmed") return;
    const field = this.querySelector(".setter input");
    if (field) field.value = "";
    const select = this.querySelector("select");
    if (select) delete select.dataset.touched;
  }
}

customElements.define("property-control", PropertyControl);
