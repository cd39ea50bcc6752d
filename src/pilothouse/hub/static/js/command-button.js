// <command-button node thing action>: an action as a form made from its input schema, and what it answered.

import { ask } from "./ask.js";
import { inWords } from "./format.js";
import { live } from "./live.js";
import { Pressable } from "./pressable.js";

class CommandButton extends Pressable {
  connectedCallback() {
    this.node = this.getAttribute("node");
    this.label = this.getAttribute("name");
    this.path = `/api/things/${this.node}/${this.getAttribute("thing")}/actions/${this.getAttribute("action")}`;
    this.form = this.querySelector("form");
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    live.watch(this, `${this.node}/`);
  }

  disconnectedCallback() {
    live.unwatch(this, `${this.node}/`);
  }

  show() {
    this.allow(this.node);
  }

  async #submit() {
    if (this.sent || this.why) return;
    let input;
    try {
      input = this.#input();
    } catch (error) {
      this.say("refused", error.message);
      return;
    }
    let reason = "";
    if (this.getAttribute("hazard") || this.getAttribute("confirm")) {
      const given = Object.entries(input).map(([name, value]) => `${name} ${inWords(value, {})}`).join(", ");
      const answer = await ask({
        title: `${this.label}?`,
        text: given,
        hazard: this.getAttribute("hazard"),
        answers: [["", this.label]],
      });
      if (!answer) return;
      reason = answer.reason;
    }
    const ttl = Math.min(60, Math.max(5, Number(this.getAttribute("timeout"))));
    const answer = await this.press("", "POST", this.path, { input, reason, ttl });
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
