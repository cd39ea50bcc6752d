// The log-in behind the page: when it is over nothing can be pressed any more, and when rights change the page is made
// anew. What somebody is in the middle of is not taken from them: then the banner has a button for it.

import { live } from "./live.js";

const ON_ITS_WAY = 5000; // ms that a form that was sent has to bring its own page
const TEXTS = "input:not([type=checkbox], [type=radio], [type=button], [type=submit]), textarea, select, [contenteditable]";

const typed = new Set();
let sentAt = -ON_ITS_WAY;

document.addEventListener("input", (event) => typed.add(event.target), true);
document.addEventListener("submit", (event) => {
  if (event.target.method !== "dialog") sentAt = performance.now();
}, true);

/** Whether making the page anew would take something from somebody. */
function inUse() {
  const half = [...typed].some((field) => field.isConnected && field.form && isHalf(field));
  const sent = performance.now() - sentAt < ON_ITS_WAY;
  return half || sent || Boolean(document.querySelector("dialog[open]") || document.activeElement?.matches(TEXTS));
}

function isHalf(field) {
  return field.type === "checkbox" || field.type === "radio" ? field.checked !== field.defaultChecked : field.value !== field.defaultValue;
}

/** Make the page anew, or have the banner offer it. */
function renew(why) {
  if (!inUse()) location.reload();
  else live.offer(why);
}

/** A stop that was pressed goes on saying what became of it. */
function close(dialog) {
  if (!dialog.querySelector(".stop-now[hidden]")) dialog.close("");
}

function lock() {
  document.querySelectorAll("dialog[open]").forEach(close);
  for (const part of document.querySelectorAll("button, input, select, textarea")) {
    if (!part.closest("dialog, link-banner")) part.disabled = true;
  }
}

live.addEventListener("rights", () => renew("rights"));
live.addEventListener("ended", ({ detail }) => {
  const using = inUse();
  lock();
  if (detail.why !== "renewed") return;
  if (using) live.offer("renewed");
  else location.reload();
});
