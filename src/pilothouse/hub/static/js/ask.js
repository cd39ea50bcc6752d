// Asking before something that can hurt, with what will happen. Esc and a click beside it always mean no.

import { icon, make } from "./icons.js";

/**
 * Ask; gives the chosen answer's value and the reason typed, or null for no.
 * `question` = {title, text, hazard, confirm, answers: [[value, words]]}.
 */
export function ask(question) {
  const dialog = make("dialog");
  const reason = make("input", "input");
  reason.autocomplete = "off";
  reason.maxLength = 300;
  const choose = make("div", "choose");
  const no = make("button", "button plain", "Cancel");
  no.value = "";
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
  if (question.text) form.append(make("p", "", question.text));
  if (question.hazard) form.append(make("p", "hazard", icon("warn"), make("span", "", question.hazard)));
  form.append(make("label", "", "Why (optional; it goes into the ledger)", reason), choose);
  dialog.append(form);
  document.body.append(dialog);
  return new Promise((resolve) => {
    reason.addEventListener("keydown", (event) => {
      // Enter in the reason would press the first button, which is "Cancel"; let it press nothing at all.
      if (event.key === "Enter") event.preventDefault();
    });
    dialog.addEventListener("click", (event) => {
      if (event.target === dialog) dialog.close("");
    });
    dialog.addEventListener("close", () => {
      dialog.remove();
      const said = dialog.returnValue;
      resolve(said.startsWith("yes:") ? { value: said.slice(4), reason: reason.value.trim() } : null);
    });
    dialog.showModal();
    no.focus();
  });
}
