// What this page knows right now, and whom on it to tell. Everything else on the page gets its data from here.

import { hubNow, setHubTime, tickTimes } from "./ages.js";
import { Feed } from "./feed.js";
import { Store, nodeOf } from "./store.js";

const WORKER_SILENT = 4500; // more than the hub's beat and the worker's own patience: the worker itself is gone

class Live extends EventTarget {
  store = new Store();
  /** "none" before the first word, then "up", "lost", or "locked" when the log-in has ended; see `ended`. */
  link = "none";
  lostAt = 0;
  /** null, or why this page will never be live again: {why: "ended" | "renewed" | "other", who}; see feed.js. */
  ended = null;
  /** Why the page should be made anew when whoever uses it is ready: "", "rights" or "renewed". */
  offered = "";
  #who = document.body.dataset.who;
  #watchers = new Map();
  #everyone = new Set();
  #dirty = new Set();
  #frame = 0;
  #heard = performance.now();
  #port = null;

  start() {
    this.#connect();
    this.#hearOthers();
    setInterval(() => this.#tick(), 1000);
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden) this.#all();
    });
    addEventListener("pagehide", () => this.#port?.postMessage("bye"));
    addEventListener("pageshow", (event) => {
      if (event.persisted) this.#port?.postMessage("here");
    });
  }

  /** `element.show()` is called when the series, its node or the link changes, and every second. */
  watch(element, series) {
    if (!this.#watchers.has(series)) this.#watchers.set(series, new Set());
    this.#watchers.get(series).add(element);
    this.#everyone.add(element);
    if (this.link !== "none") this.#mark([element]);
  }

  unwatch(element, series) {
    this.#watchers.get(series)?.delete(element);
    this.#everyone.delete(element);
  }

  state(series) {
    return this.store.state(series);
  }

  /** How far a value can be trusted: live, stale, away, bad, doubtful, none; the same rule as hub/pages/rows.py. */
  freshness(series, state, staleAfter) {
    const node = this.store.nodes.get(nodeOf(series));
    if (!state || state.time === 0) return "none";
    if (!node || node.life !== "here") return "away";
    if (state.quality === "bad") return "bad";
    if (this.nodeNow(series) - state.time > staleAfter) return "stale";
    return state.quality === "good" ? "live" : "doubtful";
  }

  /** The time now by the clock of the node that a series is on: its readings carry that. */
  nodeNow(series) {
    return hubNow() + (this.store.nodes.get(nodeOf(series))?.clock_offset ?? 0);
  }

  /** Why nothing can be commanded on a node right now, in one sentence; "" when it can. */
  whyNot(node) {
    if (this.link === "none") return "Waiting for the hub.";
    if (this.ended?.why === "other") return `${this.ended.who} is logged in here now.`;
    if (this.link === "locked") return "You are not logged in any more.";
    if (this.link !== "up") return "The link to the hub is lost.";
    if (!this.store.hub.link) return "The hub has no link to the bus.";
    const life = this.store.nodes.get(node)?.life;
    if (life === "here") return "";
    return life === "left" ? `The agent of node ${node} was stopped.` : `Node ${node} is away.`;
  }

  /** Have the banner say that the page should be made anew, and why: "rights" or "renewed". */
  offer(why) {
    this.offered = why;
    this.#say("link");
  }

  #connect() {
    const direct = () => {
      this.#port = null;
      this.#heard = Infinity;
      new Feed(this.#who, (message) => this.#hear(message));
    };
    if (typeof SharedWorker === "undefined") return direct();
    let worker;
    try {
      worker = new SharedWorker(document.body.dataset.worker, { type: "module", name: this.#who });
    } catch {
      return direct();
    }
    worker.addEventListener("error", () => {
      if (this.#port) direct();
    });
    this.#port = worker.port;
    this.#port.onmessage = ({ data }) => this.#hear(data);
    setInterval(() => {
      this.#port?.postMessage("here");
      if (performance.now() - this.#heard > WORKER_SILENT && this.link === "up" && !document.hidden) direct();
    }, 2000);
    return undefined;
  }

  /** Pages of one browser share its log-in: where somebody else's page comes up, this one's person has left. */
  #hearOthers() {
    if (typeof BroadcastChannel === "undefined") return;
    const others = new BroadcastChannel("pilothouse");
    others.onmessage = ({ data }) => {
      if (data !== this.#who) this.#end({ why: "other", who: data });
      else if (this.ended) this.#end({ why: "renewed", who: data });
    };
    others.postMessage(this.#who);
  }

  #hear(message) {
    if (this.#port) this.#heard = performance.now();
    const { kind, data } = message;
    if (kind === "link" && message.ended) return this.#end(message.ended);
    if (this.ended) return undefined; // what it shows now is not for this page
    if (kind === "link") return this.#setLink(message);
    if (kind === "rights") return this.#say("rights");
    if (!message.old) setHubTime(data.time, kind === "snapshot");
    if (kind === "snapshot") {
      const first = !this.store.filled;
      const described = this.store.replace(data);
      this.#all();
      this.#say("snapshot", { first, described });
    } else if (kind === "change") {
      this.#changed(this.store.apply(data));
    }
    return undefined;
  }

  #changed(touched) {
    for (const series of touched.series) this.#mark(this.#watchers.get(series) ?? []);
    if (touched.nodes.size || touched.hub || touched.stands.size) this.#all();
    this.#say("change", touched);
  }

  #end(ended) {
    if (ended.why === this.ended?.why && ended.who === this.ended.who) return;
    this.ended = ended;
    this.link = "locked";
    document.documentElement.classList.add("link-lost");
    this.#all(true);
    this.#say("link");
    this.#say("ended", ended);
  }

  #setLink({ up }) {
    const link = up ? "up" : "lost";
    if (link === this.link || (link === "lost" && this.link === "none" && performance.now() < 3000)) return;
    if (this.link === "up") this.lostAt = Date.now();
    this.link = link;
    document.documentElement.classList.toggle("link-lost", link !== "up");
    this.#all(true);
    this.#say("link");
  }

  #say(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }

  #tick() {
    if (document.hidden) return;
    tickTimes();
    if (this.ended) return;
    this.#all();
    this.#say("tick");
  }

  #all(atOnce = false) {
    this.#mark(this.#everyone);
    if (atOnce) this.#draw();
  }

  #mark(elements) {
    for (const element of elements) this.#dirty.add(element);
    if (this.#dirty.size && !this.#frame && !document.hidden) {
      this.#frame = requestAnimationFrame(() => this.#draw());
    }
  }

  #draw() {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    const dirty = this.#dirty;
    this.#dirty = new Set();
    for (const element of dirty) element.show();
  }
}

export const live = new Live();
