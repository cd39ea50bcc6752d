// What can be done with the lease of a stand: one call, and its refusal in a sentence.

const PATIENCE = 10_000;

/** Change a lease; "" when it was done, else why not. `body` = {do, to, note, reason, force}. */
export async function changeLease(stand, body) {
  try {
    const answer = await fetch(`/api/stands/${stand}/lease`, {
      method: "POST",
      body: JSON.stringify(body),
      headers: { "Content-Type": "application/json", Accept: "application/json" },
      signal: AbortSignal.timeout(PATIENCE),
    });
    if (answer.ok) return "";
    const { detail, title, cause, remedy } = await answer.json();
    return [detail || title, cause, remedy].filter(Boolean).map((part) => (/[.?!]$/.test(part) ? part : `${part}.`)).join(" ");
  } catch {
    return "The hub did not answer, so nobody can say whether it was done. Who holds the stand is shown above as soon as the link is back.";
  }
}
