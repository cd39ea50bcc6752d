// <live-chart lines offer>: minutes to days of some series. Filled from the record, then live; gaps stay gaps.

import { exact, hubNow, write } from "./ages.js";
import { Line } from "./chart-data.js";
import { options } from "./chart-look.js";
import { inWords } from "./format.js";
import { history } from "./history.js";
import { make } from "./icons.js";
import { live } from "./live.js";

const RANGES = [[5, "5 min"], [30, "30 min"], [180, "3 h"], [1440, "1 d"], [10080, "7 d"]];
const MOST = 4;

class LiveChart extends HTMLElement {
  connectedCallback() {
    this.minutes = RANGES[0][0];
    this.offer = JSON.parse(this.getAttribute("offer") ?? this.getAttribute("lines"));
    this.legend = make("div", "legend");
    this.plotBox = make("div", "plot");
    this.note = make("p", "note", "Loading …");
    this.#header();
    this.replaceChildren(this.legend, this.plotBox);
    this.watching = { show: () => this.#word() };
    this.onTick = () => this.#tick();
    this.onSnapshot = () => this.#fill();
    live.addEventListener("tick", this.onTick);
    live.addEventListener("snapshot", this.onSnapshot);
    this.resize = new ResizeObserver(() => this.#fit());
    this.resize.observe(this.plotBox);
    this.themes = new MutationObserver(() => this.#build());
    this.themes.observe(document.documentElement, { attributeFilter: ["data-theme"] });
    this.darkness = matchMedia("(prefers-color-scheme: dark)");
    this.onDarkness = () => this.#build();
    this.darkness.addEventListener("change", this.onDarkness);
    this.#offerChoice();
    this.choose(JSON.parse(this.getAttribute("lines")));
  }

  disconnectedCallback() {
    live.removeEventListener("tick", this.onTick);
    live.removeEventListener("snapshot", this.onSnapshot);
    this.darkness.removeEventListener("change", this.onDarkness);
    this.resize.disconnect();
    this.themes.disconnect();
    for (const line of this.lines ?? []) live.unwatch(this.watching, line.series);
    this.plot?.destroy();
  }

  /** Draw these lines from now on. */
  choose(lines) {
    for (const line of this.lines ?? []) live.unwatch(this.watching, line.series);
    this.lines = lines.slice(0, MOST);
    this.data = new Map(this.lines.map((line) => [line.series, new Line(line.stale, line.boolean)]));
    for (const line of this.lines) live.watch(this.watching, line.series);
    this.#legend();
    this.#build();
    this.#fill();
  }

  #header() {
    const header = make("header", "");
    header.append(make("h2", "", this.getAttribute("name")));
    const group = make("div", "ranges");
    group.setAttribute("role", "group");
    group.setAttribute("aria-label", "Range of time");
    for (const [minutes, words] of RANGES) {
      const button = make("button", "", words);
      button.type = "button";
      button.setAttribute("aria-pressed", String(minutes === this.minutes));
      button.addEventListener("click", () => {
        this.minutes = minutes;
        for (const other of group.children) other.setAttribute("aria-pressed", String(other === button));
        this.#fill();
      });
      group.append(button);
    }
    header.append(group);
    this.parentElement.querySelector(":scope > header")?.remove();
    this.before(header);
  }

  #offerChoice() {
    this.picks = [...document.querySelectorAll(".pick")].filter((pick) => this.offer.some((line) => line.series === pick.value));
    if (!this.hasAttribute("offer")) return;
    const chosen = new Set(JSON.parse(this.getAttribute("lines")).map((line) => line.series));
    for (const pick of this.picks) {
      pick.hidden = false;
      pick.checked = chosen.has(pick.value);
      pick.onchange = () => this.#picked(pick);
    }
  }

  #picked(pick) {
    const wanted = this.lines.map((line) => line.series).filter((series) => series !== pick.value);
    if (pick.checked) wanted.push(pick.value);
    const series = wanted.slice(-MOST);
    for (const other of this.picks) other.checked = series.includes(other.value);
    this.choose(series.map((name) => this.offer.find((line) => line.series === name)));
  }

  #legend() {
    this.values = new Map();
    const entries = this.lines.map((line, index) => {
      const value = make("b");
      this.values.set(line.series, value);
      return make("span", "", make("i", `line-${index + 1}`), make("span", "muted", line.title), value);
    });
    this.when = make("span", "when");
    this.legend.replaceChildren(...entries, this.when);
  }

  async #fill() {
    const asked = (this.asked = Symbol("asked"));
    if (!this.lines.length) return this.#say("Tick a property on the left to draw it.");
    const points = Math.max(100, Math.min(1000, Math.round(this.plotBox.clientWidth / 1.5)));
    try {
      const found = await history(this.lines.map((line) => line.series), { from: `-${this.minutes}m`, points });
      if (asked !== this.asked) return undefined;
      for (const one of found.series) this.data.get(one.series)?.fill(one.points, one.bucket);
      this.failed = false;
    } catch {
      if (asked !== this.asked) return undefined;
      this.failed = true;
    }
    this.#word();
    return this.#draw();
  }

  #word() {
    let fresh = false;
    for (const line of this.lines) {
      const state = live.state(line.series);
      if (state?.time) fresh = this.data.get(line.series).push(state.time, state.quality === "bad" ? null : state.value) || fresh;
    }
    if (fresh && this.minutes <= 30 && performance.now() - (this.drawn ?? 0) > 900) this.#draw();
  }

  #tick() {
    const every = this.minutes <= 5 ? 2 : this.minutes <= 180 ? 5 : 30;
    this.ticks = (this.ticks ?? 0) + 1;
    if (this.ticks % every === 0) this.#draw();
    // Readings pile up as they come; the record makes long ranges small again.
    if (this.minutes > 30 && this.ticks % 300 === 0) this.#fill();
  }

  #say(text) {
    this.note.textContent = text;
    if (text) this.plotBox.append(this.note);
    else this.note.remove();
  }

  #build() {
    this.plot?.destroy();
    this.plot = null;
    if (typeof uPlot === "undefined" || !this.lines.length || !this.plotBox.clientWidth) return;
    const size = [this.plotBox.clientWidth, this.plotBox.clientHeight];
    const style = getComputedStyle(document.documentElement);
    const look = options(this.lines, size, style, {
      onCursor: (seconds) => this.#values(seconds),
      whole: this.hasAttribute("whole"),
    });
    this.plot = new uPlot(look, this.#joined(), this.plotBox);
    this.plot.root.setAttribute("role", "img");
    this.plot.root.setAttribute("aria-label", `Chart of ${this.lines.map((line) => line.title).join(", ")}`);
    this.#draw();
  }

  #joined() {
    const tables = this.lines.map((line) => this.data.get(line.series).table(live.nodeNow(line.series)));
    return tables.length === 1 ? tables[0] : uPlot.join(tables);
  }

  #draw() {
    if (document.hidden || !this.plot) return;
    this.drawn = performance.now();
    const now = hubNow();
    const from = now - this.minutes * 60_000;
    for (const line of this.data.values()) line.trim(from);
    const empty = [...this.data.values()].every((line) => !line.mean.some((value) => value !== null));
    this.#say(this.failed ? "The history does not answer right now." : empty ? "No reading in this time yet." : "");
    this.plot.setData(this.#joined(), false);
    this.plot.setScale("x", { min: from / 1000, max: now / 1000 });
    if (this.cursor === undefined || this.cursor === null) this.#values(null);
  }

  #values(seconds) {
    this.cursor = seconds;
    for (const line of this.lines) {
      const state = live.state(line.series);
      const value = seconds === null ? state?.value : this.data.get(line.series).at(seconds);
      const real = line.boolean && typeof value === "number" ? value > 0.5 : value;
      write(this.values.get(line.series), inWords(real, line));
    }
    write(this.when, seconds === null ? "" : exact(seconds * 1000));
  }

  #fit() {
    if (!this.plot) return this.#build();
    const [width, height] = [this.plotBox.clientWidth, this.plotBox.clientHeight];
    if (width !== this.plot.width || height !== this.plot.height) this.plot.setSize({ width, height });
    return undefined;
  }
}

customElements.define("live-chart", LiveChart);
