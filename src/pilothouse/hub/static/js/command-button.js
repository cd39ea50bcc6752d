// <command-button node thing action>: an action as a form made from its input schema, and what it answered.

import { inWords } from "./format.js";
import { live } from "./live.js";
import { Pressable } from "./pressable.js";
import { whyNot } from "./why-not.js";

class CommandButton extends Pressable {
  connectedCallback() {
    this.node = this.getAttribute("node");
    this.label = this.getAttribute("name");
    this.thing = this.getAttribute("thing");
    this.action = this.getAttribute("action");
    this.path = `/api/things/${this.node}/${this.thing}/actions/${this.action}`;
    this.form = this.querySelector("form");
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    live.watch(this, `${this.node}/${this.thing}`);
  }

  disconnectedCallback() {
    live.unwatch(this, `${this.node}/${this.thing}`);
  }

  show() {
    this.allow(this.node, whyNot(`${this.node}/${this.thing}`, this.action));
  }

  /** The form can be filled in meanwhile. */
  barred(part) {
    return part.type === "submit";
  }

  /** The command that it stands for, with what is typed now; throws with a sentence for people. */
  target() {
    return { node: this.node, thing: this.thing, kind: "action", name: this.action, input: this.#input() };
  }

  async #submit() {
    if (this.sent || this.why || this.bar) return;
    let target;
    try {
      target = this.target();
    } catch (error) {
      this.say("refused", error.message);
      return;
    }
    const { input } = target;
    const body = { input, reason: "", ttl: Math.min(60, Math.max(5, Number(this.getAttribute("timeout")))) };
    if (this.getAttribute("hazard") || this.getAttribute("confirm")) {
      const text = Object.entries(input).map(([name, value]) => `${name} ${inWords(value, {})}`).join(", ");
      const answer = await this.sure({ title: `${this.label}?`, text, answers: [["", this.label]] }, target);
      if (!answer) return;
      body.reason = answer.reason;
      if (answer.confirmation) body.confirmation = answer.confirmation;
    }
    const answer = await this.press("", "POST", this.path, body);
    if (answer?.end === "confirmed" && answer.value !== null && answer.value !== undefined) {
      this.say("answer", `It answered: ${inWords(answer.value, {})}`);
    }
  }

  /** The input as the schema wants it; throws with a sentence for people. */
  #input() {
    const input = {};
    for (const field of this.form.elements) {
      if (!field.name) continue;
      const title = field.closest("label").textContent.trim().split(",")[0].trim();
      if (field.dataset.kind === "switch") input[field.name] = field.checked;
      else if (field.value === "" && field.validity.badInput === false) {
        if (field.required) throw new Error(`${title} is missing.`);
      } else input[field.name] = valueOf(field, title);
    }
    return input;
  }
}

function valueOf(field, title) {
  if (field.dataset.kind === "number") {
    if (!field.validity.valid) throw new Error(`${title}: ${field.validationMessage}`);
    return Number(field.value);
  }
  if (field.dataset.kind === "text") return field.value;
  try {
    return JSON.parse(field.value);
  } catch {
    throw new Error(`${title} is not JSON.`);
  }
}

customElements.define("command-button", CommandButton);
