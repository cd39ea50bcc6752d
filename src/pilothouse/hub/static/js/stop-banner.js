// <stop-banner>: which stops hold, who pressed them and who obeys, on every page of every browser at once.

import { ago, hubNow, tickTimes } from "./ages.js";
import { icon, make } from "./icons.js";
import { live } from "./live.js";
import { openLift } from "./lift-dialog.js";
import { may } from "./may.js";
import { stopRows } from "./stops.js";

class StopBanner extends HTMLElement {
  connectedCallback() {
    live.addEventListener("change", ({ detail }) => detail.stops && this.show());
    live.addEventListener("snapshot", () => this.show());
    this.addEventListener("click", (event) => {
      if (!event.target.closest(".lift")) return;
      event.preventDefault();
      openLift();
    });
  }

  show() {
    const rows = stopRows(live.store);
    const drawn = JSON.stringify(rows);
    if (drawn === this.drawn) return;
    this.drawn = drawn;
    this.replaceChildren(...rows.map((row, index) => banner(row, index === rows.length - 1)));
    document.documentElement.classList.toggle("is-stopped", rows.length > 0);
    tickTimes();
  }
}

function banner(row, last) {
  const when = make("time", "", ago(row.time, hubNow()));
  when.dataset.ms = row.time;
  when.dateTime = new Date(row.time).toISOString();
  const words = make("span", "words", `by ${row.who}, `, when, row.reason ? `: “${row.reason}”.` : ".");
  words.append(" Outputs are held at their safe values; nothing else is let through. ");
  if (row.obey.length) words.append(make("span", "obey", `Obeyed by ${row.obey.join(", ")}. `));
  if (row.missing.length) words.append(make("b", "obey", `Not yet by ${row.missing.join(", ")}.`));
  const made = make("div", "stopped", make("span", "sign", icon("stop"), make("b", "", row.word)), words);
  if (last && !may("lift")) made.append(make("span", "lifted-by", document.body.dataset.lifts));
  else if (last) {
    const lift = make("a", "button lift", "Lift …");
    lift.href = "/stop";
    made.append(lift);
  }
  return made;
}

customElements.define("stop-banner", StopBanner);
