// What was asked for, what the device took, and what it shows, in one line: calm when they agree. The same rules as
// hub/pages/wishes.py, tested against the same table (tests/fixtures/wishes.json).

import { ago } from "./ages.js";
import { shown } from "./format.js";

const AT_ONCE = 3000; // ms beyond its time to settle within which a device that shows something else never followed

/**
 * [text, look] of a writable property; look is "calm", "open" or "differs". `now` is the node's clock,
 * `rules` = {unit, precision, writable, tolerance, settle}.
 */
export function told(state, rules, fresh, now) {
  const { wish, wish_time: wished, accepted, accepted_time: taken, differs_since: differs, time } = state;
  if (!(wished || taken)) return [time ? `read ${ago(time, now)}` : "never read", "calm"];
  const known = fresh !== "bad" && fresh !== "none";
  const pending = wished > taken;
  if (!pending && known && !differs && time >= taken && agree(state.value, accepted, rules.tolerance)) {
    return [`confirmed ${ago(time, now)}`, "calm"];
  }
  const wanted = words(wished ? wish : accepted, rules);
  const value = words(state.value, rules);
  if (differs && !pending && known) {
    const asked = ago(wished || taken, now);
    if (differs <= taken + rules.settle * 1000 + AT_ONCE) {
      return [`the device does not show it: asked for ${wanted} ${asked}, it shows ${value}`, "differs"];
    }
    const since = ago(differs, now);
    return [`changed at the device ${since}: it shows ${value}, asked for was ${wanted} ${asked}`, "differs"];
  }
  const first = wished ? `asked for ${wanted} ${ago(wished, now)}` : `set to ${wanted}`;
  const second = pending ? "the device has not taken it yet" : `the device took it ${ago(taken, now)}`;
  return [[first, second, reading(fresh, value, ago(time, now))].join(" · "), "open"];
}

/** Whether two values are the same, as exactly as the property can tell; true is not 1. */
export function agree(one, other, tolerance) {
  if (typeof one === "number" && typeof other === "number") {
    return Math.abs(one - other) <= Math.max(tolerance, 1e-9 * Math.abs(other)) * (1 + 1e-9);
  }
  return JSON.stringify(one) === JSON.stringify(other);
}

function words(value, rules) {
  return shown(value, rules).filter(Boolean).join("\u00a0");
}

function reading(fresh, value, age) {
  if (fresh === "none") return "no reading yet";
  if (fresh === "bad") return "cannot be read";
  return `${fresh === "stale" || fresh === "away" ? "showed" : "shows"} ${value} ${age}`;
}
