// <spark-line series>: the last ten minutes of a value at a glance; gaps are gaps.

import { hubNow } from "./ages.js";
import { recent } from "./history.js";
import { live } from "./live.js";

const MINUTES = 10;
const POINTS = 120;
const [WIDTH, HEIGHT] = [100, 30];
const SVG = "http://www.w3.org/2000/svg";

class SparkLine extends HTMLElement {
  connectedCallback() {
    this.series = this.getAttribute("series");
    this.stale = Number(this.getAttribute("stale"));
    this.points = [];
    live.watch(this, this.series);
    this.#fill();
    this.refill = () => this.#fill();
    live.addEventListener("snapshot", this.refill);
  }

  disconnectedCallback() {
    live.unwatch(this, this.series);
    live.removeEventListener("snapshot", this.refill);
  }

  async #fill() {
    const points = await recent(this.series, MINUTES, POINTS);
    this.points = points.map(([time, , , mean]) => [time, mean]);
    this.show();
  }

  show() {
    const state = live.state(this.series);
    const last = this.points.at(-1);
    if (state && state.time > (last?.[0] ?? 0)) {
      const value = state.quality === "bad" || typeof state.value !== "number" ? null : state.value;
      if (last && state.time - last[0] > this.stale) this.points.push([last[0] + this.stale, last[1]], [state.time - 1, null]);
      this.points.push([state.time, value]);
    }
    // One pixel is some seconds, so nobody sees more.
    const turn = Math.floor(hubNow() / 5000);
    if (turn === this.drawn && this.count) return;
    this.drawn = turn;
    this.count = this.points.length;
    this.#draw();
  }

  #draw() {
    const to = live.nodeNow(this.series);
    const from = to - MINUTES * 60_000;
    while (this.points.length > 1 && this.points[1][0] < from) this.points.shift();
    const numbers = this.points.map(([, value]) => value).filter((value) => value !== null);
    if (!numbers.length) return;
    let [low, high] = [Math.min(...numbers), Math.max(...numbers)];
    const room = Math.max((high - low) * 0.1, Math.abs(high) * 0.02, 0.5);
    [low, high] = [low - room, high + room];
    const x = (time) => Math.max(0, ((time - from) / (to - from)) * WIDTH);
    const y = (value) => HEIGHT - ((value - low) / (high - low)) * HEIGHT;
    const runs = this.#runs(to);
    const steps = runs.map((run) => {
      const at = run.map(([time, value]) => [x(time).toFixed(1), y(value).toFixed(1)]);
      // A reading holds until the next one is reported.
      return at.map(([left, top], index) => (index ? `H${left}V${top}` : `${left} ${top}`)).join("");
    });
    const line = steps.map((step) => `M${step}`).join("");
    const area = steps.map((step, index) => {
      const [first, last] = [runs[index][0][0], runs[index].at(-1)[0]].map((time) => x(time).toFixed(1));
      return `M${first} ${HEIGHT}L${step}H${last}V${HEIGHT}Z`;
    }).join("");
    this.#path("area", area);
    this.#path("line", line);
  }

  /** Stretches without a gap; the last value holds until it is too old. */
  #runs(to) {
    const runs = [];
    let run = [];
    for (const point of this.points) {
      if (point[1] !== null) run.push(point);
      else if (run.length) {
        runs.push(run);
        run = [];
      }
    }
    if (run.length) {
      const [time, value] = run.at(-1);
      runs.push([...run, [Math.min(to, time + this.stale), value]]);
    }
    return runs;
  }

  #path(name, data) {
    let svg = this.querySelector("svg");
    if (!svg) {
      svg = document.createElementNS(SVG, "svg");
      svg.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
      svg.setAttribute("preserveAspectRatio", "none");
      this.replaceChildren(svg);
    }
    let path = svg.querySelector(`.${name}`);
    if (!path) {
      path = document.createElementNS(SVG, "path");
      path.setAttribute("class", name);
      svg.append(path);
    }
    path.setAttribute("d", data);
  }
}

customElements.define("spark-line", SparkLine);
