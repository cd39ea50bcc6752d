// What is known of every node and thing, as the live stream says it. No page, no network: the worker has one too.

export class Store {
  constructor() {
    this.filled = false;
    this.time = 0;
    this.hub = { link: true, processes: {} };
    this.nodes = new Map();
    this.things = new Map();
  }

  /** A snapshot replaces everything: nothing can have been missed. Gives whether what is there differs from before. */
  replace(data) {
    const before = this.#shape();
    this.filled = true;
    this.time = data.time;
    this.hub = data.hub ?? this.hub;
    this.nodes = new Map((data.nodes ?? []).map((node) => [node.node, node]));
    this.things = new Map((data.things ?? []).map((thing) => [`${thing.node}/${thing.thing}`, thing]));
    return this.#shape() !== before;
  }

  /** Names of all that is there, and the runs of the agents: a new run may have a new configuration. */
  #shape() {
    const nodes = [...this.nodes.values()].map((node) => `${node.node} ${node.epoch}`);
    const things = [...this.things.values()].map((thing) => [thing.node, thing.thing, ...Object.keys(thing.properties)]);
    return JSON.stringify([nodes.sort(), things.map(String).sort()]);
  }

  /** A change. Gives what it touched: {series, nodes, health: Set, quality, described, hub: boolean, ended}. */
  apply(data) {
    this.time = data.time ?? this.time;
    const touched = {
      series: new Set(), nodes: new Set(), health: new Set(),
      quality: false, described: Boolean(data.described), hub: Boolean(data.hub), ended: data.ended ?? [],
    };
    for (const [node, thing, property, time, value, quality] of data.values ?? []) {
      const state = this.things.get(`${node}/${thing}`)?.properties[property];
      if (!state) continue;
      if ((state.quality === "bad") !== (quality === "bad")) touched.quality = true;
      Object.assign(state, { time, value, quality });
      touched.series.add(`${node}/${thing}.${property}`);
    }
    for (const thing of data.things ?? []) this.#thing(thing, touched);
    for (const node of data.nodes ?? []) {
      this.nodes.set(node.node, node);
      touched.nodes.add(node.node);
    }
    if (data.hub) this.hub = data.hub;
    return touched;
  }

  #thing(thing, touched) {
    const address = `${thing.node}/${thing.thing}`;
    const before = this.things.get(address);
    const [was, is] = [before?.health, thing.health];
    if (!was || was.ok !== is.ok || was.error !== is.error) touched.health.add(address);
    for (const [name, state] of Object.entries(thing.properties)) {
      const old = before?.properties[name];
      if (old && (old.quality === "bad") !== (state.quality === "bad")) touched.quality = true;
      touched.series.add(`${address}.${name}`);
    }
    this.things.set(address, thing);
  }

  /** Everything, in the shape of a snapshot. */
  snapshot() {
    return { time: this.time, hub: this.hub, nodes: [...this.nodes.values()], things: [...this.things.values()] };
  }

  /** The state of `node/thing.property`, undefined when there is none. */
  state(series) {
    const dot = series.lastIndexOf(".");
    return this.things.get(series.slice(0, dot))?.properties[series.slice(dot + 1)];
  }
}

/** The node in `node/thing.property` or `node/thing`. */
export function nodeOf(series) {
  return series.slice(0, series.indexOf("/"));
}
