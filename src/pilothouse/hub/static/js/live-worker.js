// One live connection for all pages of this browser: browsers allow six to a host, and six tabs would use them up.

import { Feed } from "./feed.js";
import { Store } from "./store.js";

const FORGOTTEN_AFTER = 180_000; // hidden pages may speak once a minute only

const ports = new Map();
const store = new Store();

const feed = new Feed("/api/live", (message) => {
  if (message.kind === "snapshot") store.replace(message.data);
  else if (message.kind === "change") store.apply(message.data);
  for (const port of ports.keys()) port.postMessage(message);
});

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
  welcome(port);
});

setInterval(() => {
  const limit = Date.now() - FORGOTTEN_AFTER;
  for (const [port, seen] of ports) if (seen < limit) ports.delete(port);
}, 30_000);
