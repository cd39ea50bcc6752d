// What is known of every node and thing, as the live stream says it. No page, no network: the worker has one too.

export class Store {
  constructor() {
    this.filled = false;
    this.time = 0;
    this.hub = { link: true, processes: {} };
    this.nodes = new Map();
    this.things = new Map();
    this.stands = new Map();
    this.lanes = new Map();
  }

  /** A snapshot replaces everything: nothing can have been missed. Gives whether what is there differs from before. */
  replace(data) {
    const before = this.#shape();
    this.filled = true;
    this.time = data.time;
    this.hub = data.hub ?? this.hub;
    this.nodes = new Map((data.nodes ?? []).map((node) => [node.node, node]));
    this.things = new Map((data.things ?? []).map((thing) => [`${thing.node}/${thing.thing}`, thing]));
    this.stands = new Map((data.stands ?? []).map((stand) => [stand.stand, stand]));
    this.lanes = new Map((data.lanes ?? []).map((lanes) => [lanes.node, lanes]));
    return this.#shape() !== before;
  }

  /** Names of all that is there, and the runs of the agents: a new run may have a new configuration. */
  #shape() {
    const nodes = [...this.nodes.values()].map((node) => `${node.node} ${node.epoch}`);
    const things = [...this.things.values()].map((thing) => [thing.node, thing.thing, ...Object.keys(thing.properties)]);
    const stands = [...this.stands.values()].map((stand) => [stand.stand, ...stand.things]);
    return JSON.stringify([nodes.sort(), things.map(String).sort(), stands.map(String).sort()]);
  }

  /** A change. Gives what it touched: Sets series, nodes, health, stands, lanes; booleans quality, described, hub, stops; ended. */
  apply(data) {
    this.time = data.time ?? this.time;
    const touched = {
      series: new Set(), nodes: new Set(), health: new Set(), stands: new Set(), lanes: new Set(),
      quality: false, described: Boolean(data.described), hub: Boolean(data.hub), ended: data.ended ?? [],
    };
    const stops = data.hub || data.nodes ? this.#stops() : "";
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
    for (const stand of data.stands ?? []) {
      this.stands.set(stand.stand, stand);
      touched.stands.add(stand.stand);
    }
    for (const lanes of data.lanes ?? []) {
      this.lanes.set(lanes.node, lanes);
      touched.lanes.add(lanes.node);
    }
    if (data.hub) this.hub = data.hub;
    touched.stops = stops !== "" && this.#stops() !== stops;
    return touched;
  }

  /** Which stops hold, and who obeys them. */
  #stops() {
    const nodes = [...this.nodes.values()].map((node) => [node.node, node.life, (node.stops ?? []).map(({ id }) => id)]);
    return JSON.stringify([(this.hub.stops ?? []).map(({ id }) => id), nodes]);
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
    const all = (map) => [...map.values()];
    const { time, hub } = this;
    return { time, hub, nodes: all(this.nodes), things: all(this.things), stands: all(this.stands), lanes: all(this.lanes) };
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
