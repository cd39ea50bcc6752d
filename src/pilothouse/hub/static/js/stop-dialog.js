// The dialog of stop: two choices, the first is focused; then what happened, plainly. It needs no live link, and it
// goes on trying until an answer comes. Esc and Close never command anything; they only end the trying.

import { icon, make } from "./icons.js";
import { newKey } from "./press.js";
import { BY_HAND, pressStop } from "./stops.js";

const AGAIN = 1000;
const STRAY = 500; // a double click on the button must not close what its first half opened
let open = null;

/** Open it; `atOnce` is the kind of stop that is pressed already. */
export function openStop(atOnce = "") {
  if (open) return;
  const dialog = make("dialog", "stop-dialog");
  open = dialog;
  const opened = performance.now();
  const said = make("div", "stop-said");
  said.setAttribute("role", "status");
  const title = make("h2", "", "Stop");
  title.id = "stop-title";
  dialog.setAttribute("aria-labelledby", title.id);
  const close = make("button", "button plain", "Cancel");
  close.type = "button";
  close.addEventListener("click", () => dialog.close());
  const reason = make("input", "input");
  reason.maxLength = 300;
  reason.autocomplete = "off";
  const choices = [
    choice("stop-now", "hard", "Stop now", "outputs go to their safe values at once", icon("stop")),
    choice("stop-end", "end", "Let it end, then stop", "what runs comes to its end first, for 10 s at most"),
  ];
  const form = make("form", "stop-form", title, ...choices, make("label", "", "Why (optional)", reason), said, make("div", "choose", close));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (event.submitter?.value) press(event.submitter.value);
  });
  reason.addEventListener("keydown", (event) => {
    // Enter would press the first button: a stop is pressed by its button, and by nothing else.
    if (event.key === "Enter") event.preventDefault();
  });
  dialog.append(form);
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog && performance.now() - opened > STRAY) dialog.close();
  });
  dialog.addEventListener("close", () => {
    dialog.remove();
    open = null;
  });
  document.body.append(dialog);
  dialog.showModal();
  choices[0].focus();
  if (atOnce) press(atOnce);

  async function press(kind) {
    for (const each of choices) each.hidden = true;
    reason.closest("label").hidden = true;
    close.textContent = "Give up trying";
    show(said, [{ level: "open", text: kind === "hard" ? "Stopping …" : "Waiting for what runs to come to its end …" }]);
    const done = await tryOn(kind, reason.value.trim(), said, dialog);
    close.textContent = "Close";
    close.className = "button";
    close.focus();
    if (!done) return;
    if (done.every(({ level }) => level === "well")) title.textContent = "Stopped";
    show(said, done);
  }
}

/** Press until a hub answers or the dialog is closed. The key stays, so that one press stays one stop. */
async function tryOn(kind, reason, said, dialog) {
  const key = newKey();
  for (let tried = 1; dialog.open; tried += 1) {
    try {
      return await pressStop(kind, reason, key);
    } catch {
      const text = `The hub did not answer: nobody can say whether anything stopped. ${BY_HAND} Trying again (${tried}) …`;
      show(said, [{ level: "bad", text }]);
      await new Promise((resolve) => setTimeout(resolve, AGAIN));
    }
  }
  return null;
}

/** Sentences with their signs. */
export function show(element, lines) {
  element.replaceChildren(...lines.map(({ level, text }) => {
    const sign = { well: "check", warn: "warn", bad: "bad" }[level] ?? "clock";
    return make("p", `is-${level}`, icon(sign), make("span", "", text));
  }));
}

function choice(className, value, words, more, ...before) {
  const button = make("button", `button ${className}`, ...before, make("span", "", make("b", "", words), ` ${more}`));
  button.value = value;
  return button;
}
