// Sending one command, and its honest end. Nothing here or elsewhere on the page guesses what a device did.

const PATIENCE = 70_000; // more than any time to live; the hub always answers before

/** PUT or POST a command; gives {end, detail, remedy, took_ms, value}, never throws. */
export async function send(method, path, body) {
  try {
    const answer = await fetch(path, {
      method,
      body: JSON.stringify(body),
      // Browsers may repeat a PUT by themselves on a fresh connection: the key makes sure that it is done once.
      headers: { "Content-Type": "application/json", Accept: "application/json", "Idempotency-Key": newKey() },
      signal: AbortSignal.timeout(PATIENCE),
    });
    const said = await answer.json();
    if (said.end) return said;
    return { end: "refused", detail: said.detail || said.title || `The hub said ${answer.status}.`, remedy: said.remedy };
  } catch {
    return {
      end: "unknown",
      detail: "The link was lost before the answer came, so nobody can say whether it was done.",
      remedy: "Look at the device, or at the ledger.",
    };
  }
}

/** The agent's confirmation for exactly one command: {token, lives, …}, or {detail, remedy} when it gives none. */
export async function askToken(target) {
  try {
    const answer = await fetch("/api/confirmations", {
      method: "POST",
      body: JSON.stringify(target),
      headers: { "Content-Type": "application/json", Accept: "application/json" },
      signal: AbortSignal.timeout(PATIENCE),
    });
    const said = await answer.json();
    if (said.token) return said;
    return { detail: said.detail || said.title || `The hub said ${answer.status}.`, remedy: said.remedy };
  } catch {
    return { detail: "The link was lost before a confirmation came. Nothing was sent.", remedy: "Press again." };
  }
}

/** A random key; crypto.randomUUID is only there on https. */
export function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
