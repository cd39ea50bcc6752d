// One live connection for all pages of a person in this browser: browsers allow six to a host, and six tabs would use
// them up. The worker is called as the person whose pages it serves, so that another one's have another worker.

import { Feed } from "./feed.js";
import { Store } from "./store.js";

const FORGOTTEN_AFTER = 180_000; // hidden pages may speak once a minute only

const ports = new Map();
let store = new Store();
let feed = null;

function start() {
  const known = (store = new Store());
  const made = (feed = new Feed(self.name, (message) => {
    if (feed !== made) return; // the one before it has one more word to say, and not to these pages
    if (message.kind === "snapshot") known.replace(message.data);
    else if (message.kind === "change") known.apply(message.data);
    for (const port of ports.keys()) port.postMessage(message);
  }));
}

function welcome(port) {
  ports.set(port, Date.now());
  if (store.filled && feed.link.up) port.postMessage({ kind: "snapshot", data: store.snapshot(), old: true });
  port.postMessage(feed.link);
}

self.addEventListener("connect", (event) => {
  const port = event.ports[0];
  port.onmessage = ({ data }) => {
    if (data === "bye") ports.delete(port);
    else if (ports.has(port)) ports.set(port, Date.now());
    else welcome(port);
  };
  // A page that is new was given to somebody who is logged in: what ended can begin again.
  if (!feed || feed.link.ended) start();
  welcome(port);
});

setInterval(() => {
  const limit = Date.now() - FORGOTTEN_AFTER;
  for (const [port, seen] of ports) if (seen < limit) ports.delete(port);
}, 30_000);
