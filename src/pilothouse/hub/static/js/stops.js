// The stops that hold and who obeys them, and the two calls about them. What hub/pages/stop_rows.py says on the server.

import { newKey } from "./press.js";

export const BY_HAND = "Use the emergency stop at the bench.";
const WORDS = { hard: "Stopped", end: "Stopped at the end" };
const PATIENCE = { hard: 5000, end: 20_000 };

/** [{id, kind, word, who, time, reason, obey: [names], missing: [names]}] */
export function stopRows(store) {
  const nodes = [...store.nodes.values()].filter((node) => node.life !== "left");
  return (store.hub.stops ?? []).map((stop) => {
    const obeys = (node) => (node.stops ?? []).some(({ id }) => id === stop.id);
    return {
      ...stop,
      word: WORDS[stop.kind] ?? WORDS.hard,
      obey: nodes.filter(obeys).map((node) => node.node),
      missing: nodes.filter((node) => !obeys(node)).map((node) => (node.life === "away" ? `${node.node} (away)` : node.node)),
    };
  });
}

/** Press stop, once: throws when no answer of a hub came, gives [{level, text}] of what happened when one did. */
export async function pressStop(kind, reason, key = newKey()) {
  const [ok, said] = await post("/api/stop", { kind, reason }, key, PATIENCE[kind]);
  return ok ? pressed(said) : [{ level: "bad", text: `${problem(said)} ${BY_HAND}` }];
}

/** Lift the stops of these ids; {done, said}. */
export async function liftStops(ids, reason) {
  let ok;
  let said;
  try {
    [ok, said] = await post("/api/stop/lift", { stops: ids, reason }, newKey(), PATIENCE.hard);
  } catch {
    return { done: false, said: [{ level: "bad", text: "The hub did not answer. The stop still holds, as far as this page knows." }] };
  }
  if (!ok) return { done: false, said: [{ level: "bad", text: problem(said) }] };
  const lines = [];
  if (said.still?.length) lines.push({ level: "warn", text: "A stop that was pressed meanwhile holds on." });
  for (const node of said.silent ?? []) lines.push({ level: "bad", text: `Node ${node} did not answer and may hold on.` });
  if (said.note) lines.push({ level: "warn", text: said.note });
  return { done: lines.length === 0, said: lines };
}

async function post(path, body, key, patience) {
  const answer = await fetch(path, {
    method: "POST",
    body: JSON.stringify(body),
    headers: { "Content-Type": "application/json", Accept: "application/json", "Idempotency-Key": key },
    signal: AbortSignal.timeout(patience),
  });
  return [answer.ok, await answer.json()];
}

function pressed({ nodes = [], silent = [], note = "" }) {
  const lines = nodes.map(({ node, outputs, mistakes, took_ms: took }) => {
    if (mistakes?.length) return { level: "bad", text: `Node ${node}: ${mistakes.join("; ")}. ${BY_HAND}` };
    return { level: "well", text: `Node ${node} is safe: ${outputs === 1 ? "1 output" : `${outputs} outputs`}, after ${Math.round(took)} ms.` };
  });
  for (const node of silent) lines.push({ level: "bad", text: `Node ${node} did not answer. ${BY_HAND}` });
  if (note) lines.push({ level: "warn", text: note });
  if (!nodes.length && !silent.length) lines.push({ level: "warn", text: `No node is there that could obey. ${BY_HAND}` });
  return lines;
}

function problem(said) {
  return [said.detail || said.title, said.cause, said.remedy].filter(Boolean)
    .map((part) => (/[.?!]$/.test(part) ? part : `${part}.`)).join(" ");
}
