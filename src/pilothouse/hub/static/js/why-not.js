// Why something may not be done right now, said before the press: stop, somebody else's lease, a rule of the agent's.
// Nothing of this ever stands against an output's safe value.

import { exact, hubNow, lengthOf, write } from "./ages.js";
import { icon, make } from "./icons.js";
import { live } from "./live.js";
import { mayHold } from "./may.js";
import { nodeOf } from "./store.js";

const NO_LEASE = "Holding it takes a right that you do not have.";

/** What stands against an output or an action: {rule, text, remedy, until by the hub's clock}, or null. */
export function whyNot(address, name) {
  return againstAll(address) ?? ownBar(address, name);
}

/** What stands against all of a thing for this person, or null; in the words of hub/why_not.py. */
export function againstAll(address) {
  return stopNow(nodeOf(address)) ?? leaseAgainst(address);
}

/** The stop that holds for a node, or null. */
function stopNow(node) {
  const stops = [...(live.store.hub.stops ?? []), ...(live.store.nodes.get(node)?.stops ?? [])];
  if (!stops.length) return null;
  const first = stops.reduce((one, other) => (other.time < one.time ? other : one));
  const reason = first.reason ? `: ${first.reason.replace(/\.+$/, "")}` : "";
  const text = `Stop was pressed by ${first.who} at ${hour(first.time)}${reason}.`;
  const remedy = document.body.dataset.lifts ?? "Lift the stop, with a reason, when it is safe.";
  return { rule: "stop", text, remedy, until: 0 };
}

/** A lease that stands against this person on a stand that the thing belongs to, or null. */
function leaseAgainst(address) {
  for (const stand of live.store.stands.values()) {
    const bar = stand.things.includes(address) ? leaseBar(stand) : null;
    if (bar) return bar;
  }
  return null;
}

function leaseBar({ stand, holder, required, until }) {
  if (holder === document.body.dataset.who || !(holder || required)) return null;
  const may = mayHold(stand);
  if (holder) {
    const text = `Stand ${stand} is held by ${holder} until ${hour(until)}.`;
    return { rule: "lease", text, remedy: may ? `Ask ${holder} for it.` : NO_LEASE, until };
  }
  const text = `Stand ${stand} must be held before it is used, and nobody holds it.`;
  return { rule: "lease", text, remedy: may ? "Take it." : NO_LEASE, until: 0 };
}

const hours = new Intl.DateTimeFormat("sv-SE", { hour: "2-digit", minute: "2-digit" });

/** 14:03, with its day when that is another one than today. */
function hour(time) {
  const [day, minute] = [exact(time).slice(0, 10), hours.format(time)];
  return day === exact(hubNow()).slice(0, 10) ? minute : `${day} ${minute}`;
}

function ownBar(address, name) {
  const bar = live.store.things.get(address)?.bars?.[name];
  if (!bar) return null;
  const offset = live.store.nodes.get(nodeOf(address))?.clock_offset ?? 0;
  return { remedy: "", ...bar, until: bar.until ? bar.until - offset : 0 };
}

/** Show a bar in its line, as the macro `why` in parts.html does; touches the page only where it differs. */
export function showBar(line, bar) {
  if (!line) return;
  const key = bar ? [bar.rule, bar.text, bar.remedy].join("\n") : "";
  if (line.key !== key) {
    line.key = key;
    line.hidden = !bar;
    line.dataset.rule = bar?.rule ?? "";
    const words = (name, text) => make("span", name, text);
    line.replaceChildren(...(bar ? [icon("slash"), make("span", "", asSentence(bar.text), " ",
      words("remedy", asSentence(bar.remedy)), " ", words("left", ""))] : []));
  }
  // A lease says its end in words, and it moves on with every use.
  const left = bar?.until && bar.rule !== "lease" ? Math.ceil((bar.until - hubNow()) / 1000) : 0;
  write(line.querySelector(".left"), left > 0 ? `Over in ${lengthOf(left)}.` : "");
}

/** With a large first letter and a full stop, a name at its front as it is; as hub/pages/render.py does. */
export function asSentence(text) {
  const bare = (text ?? "").trim();
  if (!bare) return "";
  const first = /^[a-z][\w-]*[./_][a-z0-9]/.test(bare) ? bare[0] : bare[0].toUpperCase();
  return first + bare.slice(1) + (/[.?!:]$/.test(bare) ? "" : ".");
}
