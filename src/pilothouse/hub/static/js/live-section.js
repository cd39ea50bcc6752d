// <live-section id on>: a part of the page that the server draws, fetched again when something in `on` happened.
// Words in `on`: nodes, node:NAME, health, health:NODE/THING, hub, quality, ended, described, stops, stands, stand:NAME,
// lanes:NODE.

import { tickTimes } from "./ages.js";
import { live } from "./live.js";

const GATHER = 250;
const waiting = new Set();
let timer = 0;
let again = false;
let busy = false;

class LiveSection extends HTMLElement {
  connectedCallback() {
    this.words = new Set((this.getAttribute("on") ?? "").split(" ").filter(Boolean));
    sections.add(this);
  }

  disconnectedCallback() {
    sections.delete(this);
    waiting.delete(this);
  }

  wants(touched) {
    const { words } = this;
    if (touched.described && words.has("described")) return true;
    if (touched.hub && words.has("hub")) return true;
    if (touched.quality && words.has("quality")) return true;
    if (touched.ended.length && words.has("ended")) return true;
    if (touched.stops && words.has("stops")) return true;
    return this.#named("nodes", "node", touched.nodes) || this.#named("health", "health", touched.health)
      || this.#named("stands", "stand", touched.stands) || this.#named("", "lanes", touched.lanes);
  }

  /** Whether one of the `names` is wanted: all of them by the one word, or that one by `word:name`. */
  #named(all, word, names) {
    return names.size > 0 && (this.words.has(all) || [...names].some((name) => this.words.has(`${word}:${name}`)));
  }

  /** Whether somebody is in the middle of something in it. */
  get inUse() {
    return Boolean(this.querySelector('[data-state="sent"], input:focus, textarea:focus, select:focus, details:is(.pop, .second)[open]'));
  }

  take(page) {
    if (this.hasAttribute("whole")) {
      const main = page.getElementById("main");
      document.getElementById("main").replaceChildren(...main.childNodes);
      return;
    }
    const fresh = page.getElementById(this.id);
    if (!fresh || fresh.innerHTML === this.drawn) return;
    this.drawn = fresh.innerHTML;
    const above = this.getAttribute("class-of");
    if (above) this.closest(above).className = fresh.closest(above).className;
    this.replaceChildren(...[...fresh.childNodes].map((child) => document.adoptNode(child)));
    tickTimes();
  }
}

const sections = new Set();

function ask(touched) {
  for (const section of sections) if (section.wants(touched)) waiting.add(section);
  if (waiting.size && !timer) timer = setTimeout(fetchAll, GATHER);
}

async function fetchAll() {
  timer = 0;
  if (document.hidden || live.link !== "up" || busy) {
    again = true;
    return;
  }
  const wanted = [...waiting].filter((section) => !section.inUse);
  const held = waiting.size > wanted.length;
  for (const section of wanted) waiting.delete(section);
  busy = true;
  try {
    if (wanted.length) {
      const answer = await fetch(location.href, { headers: { Accept: "text/html" }, cache: "no-store" });
      // What leads to the log-in is not this page any more.
      if (answer.ok && !answer.redirected && live.link === "up") {
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        for (const section of wanted) if (section.isConnected) section.take(page);
      }
    }
  } catch {
    // The link is going; what was missed is fetched when it is back.
    for (const section of wanted) waiting.add(section);
    again = true;
  } finally {
    busy = false;
  }
  if (held && !timer) timer = setTimeout(fetchAll, 1000);
}

function catchUp() {
  if (again && !timer) {
    again = false;
    timer = setTimeout(fetchAll, GATHER);
  }
}

live.addEventListener("change", ({ detail }) => ask(detail));
live.addEventListener("tick", catchUp);
live.addEventListener("snapshot", ({ detail: { first, described } }) => {
  if (first) return;
  // The link was gone for a while: anything may have happened.
  const nodes = new Set(live.store.nodes.keys());
  const health = new Set(live.store.things.keys());
  const stands = new Set(live.store.stands.keys());
  const lanes = new Set(live.store.lanes.keys());
  ask({ described, nodes, health, stands, lanes, hub: true, stops: true, quality: true, ended: [true] });
});

customElements.define("live-section", LiveSection);
