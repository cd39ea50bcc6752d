// <confirm-for node thing kind name>: the second person of a command that needs two. Gives a code that is good for one
// press of exactly that command, by somebody else.

import { write } from "./ages.js";
import { icon, make } from "./icons.js";
import { live } from "./live.js";
import { askToken } from "./press.js";

class ConfirmFor extends HTMLElement {
  connectedCallback() {
    const [node, thing, kind, name] = ["node", "thing", "kind", "name"].map((each) => this.getAttribute(each));
    this.target = { node, thing, kind, name };
    this.line = this.querySelector(".say");
    this.endsAt = 0;
    this.querySelector("form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    live.watch(this, `${node}/${thing}`);
  }

  disconnectedCallback() {
    live.unwatch(this, `${this.target.node}/${this.target.thing}`);
  }

  show() {
    const off = Boolean(live.whyNot(this.target.node));
    for (const part of this.querySelectorAll("button, input, select, textarea")) {
      if (part.disabled !== off) part.disabled = off;
    }
    if (this.endsAt) this.#count();
  }

  async #submit() {
    let target;
    try {
      target = this.#whole();
    } catch (error) {
      this.#say("refused", make("span", "", error.message));
      return;
    }
    const given = await askToken(target);
    if (!given.token) {
      this.#say("refused", icon("slash"), make("span", "", `${given.detail} ${given.remedy ?? ""}`.trim()));
      return;
    }
    this.endsAt = performance.now() + given.lives * 1000;
    const code = make("output", "code", given.token);
    this.#say("code", make("span", "", "Code"), code, make("span", "left"));
    this.#count();
  }

  /** The whole command; an action's input is what its own form says. Throws with a sentence for people. */
  #whole() {
    const { node, thing, kind, name } = this.target;
    if (kind === "action") {
      const form = `command-button[node="${node}"][thing="${thing}"][action="${name}"]`;
      return document.querySelector(form).target();
    }
    const field = this.querySelector("input, select, textarea");
    if (field.value === "" || !field.validity.valid) throw new Error("Give the value that the other person asks for.");
    try {
      const text = field.type === "text";
      return { ...this.target, input: text ? field.value : JSON.parse(field.value) };
    } catch {
      throw new Error("That is not JSON.");
    }
  }

  #count() {
    const left = Math.ceil((this.endsAt - performance.now()) / 1000);
    if (left > 0) return write(this.querySelector(".left"), `good for ${left} s`);
    this.endsAt = 0;
    return this.#say("expired", icon("clock"), make("span", "", "The code is over. Get a new one."));
  }

  #say(end, ...parts) {
    if (end !== "code") this.endsAt = 0;
    this.line.className = `say is-${end}`;
    this.line.replaceChildren(...parts);
  }
}

customElements.define("confirm-for", ConfirmFor);
