// What every control does about a press: pressed → sent → confirmed, or the refusal in a sentence with its remedy.

import { icon, make } from "./icons.js";
import { live } from "./live.js";
import { send } from "./press.js";

const ICONS = { refused: "slash", failed: "cross", expired: "clock", unknown: "question", confirmed: "check" };
const QUIET_AFTER = 4000;

export class Pressable extends HTMLElement {
  #timer = 0;

  get sent() {
    return this.dataset.state === "sent";
  }

  /** Controls are enabled exactly while a command has a chance; the reason stands on them. */
  allow(node) {
    const why = live.whyNot(node);
    if (why === this.why) return;
    this.why = why;
    for (const part of this.querySelectorAll("button, input, select, textarea")) {
      if (!part.closest(".say")) part.disabled = Boolean(why);
    }
    this.title = why;
  }

  /** Send and show; `words` says what was asked for. Gives the answer. */
  async press(words, method, path, body) {
    if (this.sent) return null;
    this.dataset.state = "sent";
    this.setAttribute("aria-busy", "true");
    this.say("sent", words ? `asked: ${words} …` : "sent …");
    const answer = await send(method, path, body);
    this.removeAttribute("aria-busy");
    this.dataset.state = answer.end;
    if (answer.end === "confirmed") {
      this.say("confirmed", "confirmed");
      if (answer.took_ms > 0) {
        const took = `after ${answer.took_ms < 10 ? answer.took_ms.toFixed(1) : Math.round(answer.took_ms)} ms`;
        this.querySelector(".say").append(make("span", "took", took));
      }
    } else {
      this.say(answer.end, answer.detail || `The command ended as ${answer.end}.`, answer.remedy);
    }
    return answer;
  }

  /** One line under the control; quiet ones go away by themselves, the others stay until they are dismissed. */
  say(end, text, remedy = "") {
    clearTimeout(this.#timer);
    const line = this.querySelector(".say");
    line.className = `say is-${end}`;
    const parts = ICONS[end] ? [icon(ICONS[end])] : [];
    const words = make("span", "", remedy ? text.replace(/([^.!?…])$/, "$1.") : text);
    if (remedy) words.append(" ", make("span", "remedy", remedy));
    parts.push(words);
    if (end === "confirmed") this.#timer = setTimeout(() => this.hush(), QUIET_AFTER);
    else if (end !== "sent") parts.push(this.#dismiss());
    line.replaceChildren(...parts);
  }

  hush() {
    const line = this.querySelector(".say");
    line.className = "say";
    line.replaceChildren();
    if (!this.sent) delete this.dataset.state;
  }

  #dismiss() {
    const button = make("button", "dismiss", icon("cross"));
    button.type = "button";
    button.setAttribute("aria-label", "Dismiss");
    button.addEventListener("click", () => this.hush());
    return button;
  }
}
