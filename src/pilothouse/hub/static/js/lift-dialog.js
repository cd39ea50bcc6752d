// Lifting stop: a separate act, with a reason. It lifts the stops that it shows, and no other: one pressed meanwhile holds.

import { make } from "./icons.js";
import { live } from "./live.js";
import { show } from "./stop-dialog.js";
import { liftStops, stopRows } from "./stops.js";

let open = null;

/** Open it for the stops that hold now. */
export function openLift() {
  const rows = stopRows(live.store);
  if (open || !rows.length) return;
  const dialog = make("dialog", "stop-dialog");
  open = dialog;
  const title = make("h2", "", rows.length === 1 ? "Lift the stop?" : `Lift ${rows.length} stops?`);
  title.id = "lift-title";
  dialog.setAttribute("aria-labelledby", title.id);
  const reason = make("input", "input");
  reason.required = true;
  reason.maxLength = 300;
  reason.autocomplete = "off";
  const said = make("div", "stop-said");
  said.setAttribute("role", "status");
  const cancel = make("button", "button plain", "Cancel");
  cancel.type = "button";
  cancel.addEventListener("click", () => dialog.close());
  const lift = make("button", "button primary", "Lift");
  const list = make("ul", "", ...rows.map((row) => make("li", "", `${row.word} by ${row.who}${row.reason ? `: “${row.reason}”` : ""}`)));
  const form = make(
    "form", "stop-form", title, list,
    make("p", "", "Commands are let through again. Outputs stay as they are until somebody switches them."),
    make("label", "", "Why is it safe again?", reason), said, make("div", "choose", cancel, lift),
  );
  form.noValidate = true;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (!reason.value.trim()) {
      show(said, [{ level: "warn", text: "Say why it is safe again; it goes into the ledger." }]);
      reason.focus();
      return;
    }
    lift.disabled = true;
    const answer = await liftStops(rows.map(({ id }) => id), reason.value.trim());
    lift.disabled = false;
    if (answer.done) dialog.close();
    else show(said, answer.said);
  });
  dialog.append(form);
  dialog.addEventListener("close", () => {
    dialog.remove();
    open = null;
  });
  document.body.append(dialog);
  dialog.showModal();
  reason.focus();
}
