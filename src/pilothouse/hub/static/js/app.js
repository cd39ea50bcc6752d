// The one entry: brings the page to life. Without it the page reads as the server drew it.

import "./command-button.js";
import "./confirm-for.js";
import "./keys.js";
import "./lane-view.js";
import "./lease-banner.js";
import "./link-banner.js";
import "./live-age.js";
import "./live-chart.js";
import "./live-left.js";
import "./live-section.js";
import "./live-value.js";
import "./live-wish.js";
import "./log-in.js";
import "./property-control.js";
import "./spark-line.js";
import "./stand-lease.js";
import "./stop-banner.js";
import "./stop-button.js";
import "./thing-bar.js";
import { tickTimes } from "./ages.js";
import { live } from "./live.js";
import { openSearch } from "./search.js";

const seek = document.getElementById("seek");
seek.hidden = false;
seek.addEventListener("click", openSearch);

const theme = document.getElementById("theme");
theme.hidden = false;
theme.addEventListener("click", () => {
  const root = document.documentElement;
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
  try {
    localStorage.setItem("pilothouse-theme", root.dataset.theme);
  } catch {
    // Storage is forbidden here: the choice holds for this page.
  }
});

// Days in the filters of the ledger are meant where the person is, as all times are shown.
for (const zone of document.querySelectorAll("input[name=tz]")) {
  zone.value = Intl.DateTimeFormat().resolvedOptions().timeZone ?? "";
}

tickTimes();
live.start();
