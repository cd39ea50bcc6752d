// Times: relative where people glance, exact where they hover. All ages count from the hub's clock, not the browser's.

let offset = Number(document.body.dataset.now) - Date.now();
let since = -1;

/** The hub's time now, Unix milliseconds. */
export function hubNow() {
  return Date.now() + offset;
}

/** The hub said its time. The message was on its way for a while, so the largest difference is nearest to the truth. */
export function setHubTime(time, afresh = false) {
  const seen = time - Date.now();
  if (afresh || since < 0 || seen > offset || Date.now() - since > 60_000) {
    offset = seen;
    since = Date.now();
  }
}

/** "now", "12 s ago", "5 min ago", "never" for 0, "in 5 s" for what is to come; as hub/pages/times.py. */
export function ago(then, now = hubNow()) {
  if (!(then > 0)) return "never";
  const seconds = (now - then) / 1000;
  if (seconds < -1.5) return `in ${lengthOf(-seconds)}`;
  return seconds < 1.5 ? "now" : `${lengthOf(seconds)} ago`;
}

/** How long: "12 s", "5 min", "3 h". */
export function lengthOf(seconds) {
  for (const [size, name] of [[86400, "d"], [3600, "h"], [60, "min"]]) {
    if (seconds >= size) return `${Math.floor(seconds / size)} ${name}`;
  }
  return `${Math.floor(Math.max(0, seconds))} s`;
}

/** How long until then: "24 min 31 s", "58 s"; "" when it is over. */
export function leftOf(until, now = hubNow()) {
  const seconds = Math.ceil((until - now) / 1000);
  if (!(seconds > 0)) return "";
  const parts = [[Math.floor(seconds / 3600), "h"], [Math.floor(seconds / 60) % 60, "min"], [seconds % 60, "s"]];
  const first = parts.findIndex(([number]) => number);
  return parts.slice(first, first + 2).map((part) => part.join(" ")).join(" ");
}

const exactly = new Intl.DateTimeFormat("sv-SE", {
  dateStyle: "short", timeStyle: "medium",
});

/** "2026-11-21 01:45:12" in this browser's time zone, "" for 0. */
export function exact(then) {
  return then > 0 ? exactly.format(then) : "";
}

/** "2026-11-21 01:45:12.345", in this browser's time zone. */
export function precise(then) {
  return `${exact(then)}.${String(then % 1000).padStart(3, "0")}`;
}

/** Put text where it differs: touching the page costs. */
export function write(element, text) {
  if (element && element.textContent !== text) element.textContent = text;
}

/** Bring every `<time data-ms>` on the page up to date. */
export function tickTimes(now = hubNow()) {
  for (const element of document.querySelectorAll("time[data-exact]:not([data-local])")) {
    element.dataset.local = "yes";
    element.textContent = precise(Number(element.dataset.exact));
  }
  for (const element of document.querySelectorAll("time[data-minute]:not([data-local])")) {
    element.dataset.local = "yes";
    element.textContent = exact(Number(element.dataset.minute)).slice(0, 16);
  }
  for (const element of document.querySelectorAll("time[data-until]")) {
    const until = Number(element.dataset.until);
    const left = leftOf(until, now);
    write(element, left ? `${left} left` : "over");
    if (!element.dataset.local) {
      element.dataset.local = "yes";
      element.title = `until ${exact(until)}`;
    }
  }
  for (const element of document.querySelectorAll("time[data-ms]")) {
    const then = Number(element.dataset.ms);
    write(element, ago(then, now));
    if (!element.dataset.local) {
      element.dataset.local = "yes";
      element.title = exact(then);
    }
  }
}
