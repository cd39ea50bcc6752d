// The keyboard: `/` searches, `g` and a letter goes to a page. No key commands a device.

import { openSearch } from "./search.js";

const PAGES = { o: "/", s: "/stands", l: "/ledger", p: "/people", a: "/api" };
const TOGETHER = 1200;
let wentAt = 0;

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest?.("input, textarea, select, [contenteditable]");
  if (typing || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  if (event.key === "/") {
    event.preventDefault();
    openSearch();
  } else if (event.key === "g") {
    wentAt = performance.now();
  } else if (PAGES[event.key] && performance.now() - wentAt < TOGETHER) {
    // Only to what the navigation leads to: there is nothing for this person on the others.
    document.querySelector(`.nav a[href="${PAGES[event.key]}"]`)?.click();
  }
});
