// Asking before something that can hurt, with what will happen. Esc and a click beside it always mean no.

import { icon, make } from "./icons.js";

/**
 * Ask; gives the chosen answer's {value, reason, code}, or null for no.
 * `question` = {title, text, change: [from, to], hazard, second, answers: [[value, words]]}. `second` is the name of
 * the control where a second person gets the code that is asked for.
 */
export function ask(question) {
  const dialog = make("dialog");
  const reason = field();
  reason.maxLength = 300;
  const code = field();
  const choose = make("div", "choose");
  const no = make("button", "button plain", "Cancel");
  no.value = "";
  no.formNoValidate = true;
  choose.append(no);
  for (const [value, words] of question.answers) {
    const button = make("button", "button primary", words);
    button.value = `yes:${value}`;
    choose.append(button);
  }
  const title = make("h2", "", question.title);
  title.id = "ask-title";
  dialog.setAttribute("aria-labelledby", title.id);
  const form = make("form", "ask", title);
  form.method = "dialog";
  if (question.change) form.append(make("p", "change", ...changeOf(question.change)));
  if (question.text) form.append(make("p", "", question.text));
  if (question.hazard) form.append(make("p", "hazard", icon("warn"), make("span", "", question.hazard)));
  if (question.second) form.append(...second(question.second, code));
  form.append(make("label", "", "Why (optional; it goes into the ledger)", reason), choose);
  dialog.append(form);
  document.body.append(dialog);
  return new Promise((resolve) => {
    for (const input of [reason, code]) {
      input.addEventListener("keydown", (event) => {
        // Enter in a field would press the first button, which is "Cancel"; let it press nothing at all.
        if (event.key === "Enter") event.preventDefault();
      });
    }
    dialog.addEventListener("click", (event) => {
      if (event.target === dialog) dialog.close("");
    });
    dialog.addEventListener("close", () => {
      dialog.remove();
      const said = dialog.returnValue;
      const answer = { value: said.slice(4), reason: reason.value.trim(), code: code.value.trim() };
      resolve(said.startsWith("yes:") ? answer : null);
    });
    dialog.showModal();
    no.focus();
  });
}

function field() {
  const input = make("input", "input");
  input.autocomplete = "off";
  return input;
}

function changeOf([from, to]) {
  const arrow = make("span", "muted", " → ");
  arrow.setAttribute("aria-label", " to ");
  arrow.setAttribute("role", "img");
  return [make("span", "muted", from), arrow, make("b", "", to)];
}

/** What a command needs that one person alone may not give. */
function second(label, code) {
  code.required = true;
  code.spellcheck = false;
  const words =
    `This needs a second person. Somebody with another log-in opens this page, chooses “Confirm for somebody else” at ` +
    `${label} with the same value, and tells you the code. It is good for one press.`;
  return [make("p", "", words), make("label", "", "Code of the second person", code)];
}
