// What whoever looks may do, as the server wrote it on the body. Nothing on a page guesses it.

/** Whether they may do it on the site as a whole: "stop", "lift", "people", "audit", "own"; words of hub/allowed.py. */
export function may(word) {
  return has(document.body.dataset.may, word);
}

/** Whether they may hold a stand. */
export function mayHold(stand) {
  return has(document.body.dataset.hold, stand);
}

function has(words, word) {
  return (words ?? "").split(" ").includes(word);
}
