// The one live connection to the hub: notices within 3 s that it is gone, comes back by itself, never gives up.

const LOST_AFTER = 2700; // the hub beats every 2 s; the page must say it within 3 s
const LOOK_EVERY = 100;
const ANSWER_WITHIN = 4000; // a new connection that says nothing for so long is tried anew
const BACK_OFF = [50, 200, 400, 800, 1500];

export class Feed {
  #source = null;
  #heard = 0;
  #tried = 0;
  #retry = 0;
  #down = true;
  #locked = false;

  /** `tell` is called with {kind: "snapshot" | "change" | "beat", data} and {kind: "link", up, locked}. */
  constructor(url, tell) {
    this.url = url;
    this.tell = tell;
    this.#open();
    setInterval(() => this.#look(), LOOK_EVERY);
  }

  /** What a new listener must know of the link. */
  get link() {
    return { kind: "link", up: !this.#down, locked: this.#locked };
  }

  #open() {
    clearTimeout(this.#retry);
    this.#source?.close();
    const source = new EventSource(this.url);
    this.#source = source;
    this.#heard = performance.now();
    for (const kind of ["snapshot", "change", "beat"]) {
      source.addEventListener(kind, (event) => {
        if (source === this.#source) this.#hear(kind, event.data);
      });
    }
    source.onerror = () => {
      if (source === this.#source) this.#broke();
    };
  }

  #hear(kind, text) {
    this.#heard = performance.now();
    const data = JSON.parse(text);
    if (kind === "snapshot") {
      this.#tried = 0;
      this.#locked = false;
      this.#down = false;
      this.tell({ kind, data });
      this.tell(this.link);
    } else if (!this.#down) {
      this.tell({ kind, data });
    }
  }

  #look() {
    const silent = performance.now() - this.#heard;
    if (!this.#down && silent > LOST_AFTER) {
      this.#lost();
      this.#open();
    } else if (this.#down && this.#source && silent > ANSWER_WITHIN) {
      this.#open();
    }
  }

  #lost() {
    if (this.#down) return;
    this.#down = true;
    this.tell(this.link);
  }

  #broke() {
    const refused = this.#source.readyState === EventSource.CLOSED;
    this.#source.close();
    this.#source = null;
    this.#lost();
    if (refused) this.#askWhy();
    const wait = BACK_OFF[Math.min(this.#tried++, BACK_OFF.length - 1)];
    this.#retry = setTimeout(() => this.#open(), wait);
  }

  async #askWhy() {
    try {
      const answer = await fetch("/api/nodes", { headers: { Accept: "application/json" }, cache: "no-store" });
      const locked = answer.status === 401;
      if (locked !== this.#locked) {
        this.#locked = locked;
        this.tell(this.link);
      }
    } catch {
      // The hub is not there at all; the next try says more.
    }
  }
}
