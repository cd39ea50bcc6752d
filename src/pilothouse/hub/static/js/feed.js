// The one live connection to the hub: notices within 3 s that it is gone, comes back by itself, never gives up; but
// when the log-in that it stands on is over, it ends and says so.

const LOST_AFTER = 2700; // the hub beats every 2 s; the page must say it within 3 s
const LOOK_EVERY = 100;
const ANSWER_WITHIN = 4000; // a new connection that says nothing for so long is tried anew
const BACK_OFF = [50, 200, 400, 800, 1500];

export class Feed {
  #source = null;
  #heard = 0;
  #tried = 0;
  #retry = 0;
  #looking = 0;
  #down = true;
  #ended = null;
  #asking = false;

  /**
   * A stream for `who` and nobody else, whoever logs in in this browser. `tell` is called with {kind: "snapshot" |
   * "change" | "beat" | "rights", data} and {kind: "link", up, ended}; see `link`.
   */
  constructor(who, tell) {
    this.who = who;
    this.url = `/api/live?for=${encodeURIComponent(who)}`;
    this.tell = tell;
    this.#open();
    this.#looking = setInterval(() => this.#look(), LOOK_EVERY);
  }

  /**
   * What a new listener must know of the link. `ended` is null, or {why, who} when it will never be up again: "ended"
   * = nobody is logged in any more, "renewed" = the same person is again, "other" = `who` is.
   */
  get link() {
    return { kind: "link", up: !this.#down, ended: this.#ended };
  }

  #open() {
    clearTimeout(this.#retry);
    this.#source?.close();
    const source = new EventSource(this.url);
    this.#source = source;
    this.#heard = performance.now();
    for (const kind of ["snapshot", "change", "beat", "rights", "bye"]) {
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
    if (kind === "bye") {
      this.#end({ why: "ended" });
      this.#askWho();
    } else if (kind === "snapshot") {
      this.#tried = 0;
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
    if (refused) this.#askWho();
    const wait = BACK_OFF[Math.min(this.#tried++, BACK_OFF.length - 1)];
    this.#retry = setTimeout(() => this.#open(), wait);
  }

  #end(ended) {
    clearTimeout(this.#retry);
    clearInterval(this.#looking);
    this.#source?.close();
    this.#source = null;
    this.#down = true;
    this.#ended = ended;
    this.tell(this.link);
  }

  /** Who is logged in in this browser now: a stream that is refused does not say why. */
  async #askWho() {
    if (this.#asking) return;
    this.#asking = true;
    try {
      const answer = await fetch("/api/me", { headers: { Accept: "application/json" }, cache: "no-store" });
      const who = answer.ok ? (await answer.json()).who : null;
      if (answer.status === 401) {
        if (!this.#ended) this.#end({ why: "ended" });
      } else if (who && who !== this.who) {
        this.#end({ why: "other", who });
      } else if (who && this.#ended) {
        this.#end({ why: "renewed", who });
      }
    } catch {
      // The hub is not there at all; the next try says more.
    } finally {
      this.#asking = false;
    }
  }
}
