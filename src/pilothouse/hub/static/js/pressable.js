// What every control does about a press: pressed → sent → confirmed, or the refusal in a sentence with its remedy.

import { ask } from "./ask.js";
import { icon, make } from "./icons.js";
import { live } from "./live.js";
import { askToken, send } from "./press.js";
import { showBar } from "./why-not.js";

const ICONS = { refused: "slash", failed: "cross", expired: "clock", unknown: "question", confirmed: "check" };
const QUIET_AFTER = 4000;

export class Pressable extends HTMLElement {
  #timer = 0;

  get sent() {
    return this.dataset.state === "sent";
  }

  /**
   * Controls are enabled exactly while a command has a chance; the reason stands on them. Without link or node nothing
   * has one; a `bar` stands against those parts that `barred` names. `state` is what that may depend on.
   */
  allow(node, bar, state = "") {
    const why = live.whyNot(node);
    this.bar = why ? null : bar;
    const line = this.querySelector(".why");
    showBar(line, this.bar);
    const key = [why, bar?.rule, bar?.text, bar?.remedy, state].join("\n");
    if (key === this.allowed) return;
    this.allowed = key;
    this.why = why;
    for (const part of this.querySelectorAll("button, input, select, textarea")) {
      if (part.closest(".say, confirm-for")) continue;
      part.disabled = Boolean(why || (this.bar && this.barred(part)));
      if (this.bar && line) part.setAttribute("aria-describedby", line.id);
      else part.removeAttribute("aria-describedby");
    }
    this.title = why || (this.bar?.text ?? "");
  }

  /** Whether what stands against it now stands against this part of it. */
  barred() {
    return true;
  }

  /**
   * Ask, and fetch the confirmation where the command needs one. `target` = {kind, name, input} and where.
   * Gives {value, reason, confirmation}, or null for no, and for a confirmation that was refused.
   */
  async sure(question, target) {
    const confirm = target ? this.getAttribute("confirm") : "";
    const answer = await ask({ ...question, hazard: this.getAttribute("hazard"), second: confirm === "two-person" && this.label });
    if (!answer) return null;
    if (!confirm) return { ...answer, confirmation: "" };
    if (confirm === "two-person") return { ...answer, confirmation: answer.code };
    const given = await askToken(target);
    if (given.token) return { ...answer, confirmation: given.token };
    this.say("refused", given.detail, given.remedy);
    return null;
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
