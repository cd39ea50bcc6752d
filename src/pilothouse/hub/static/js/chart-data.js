// What a chart draws: points of the record, then live ones. No page, no drawing.

/** One line's points: times in ms with lowest, highest and mean; null is a gap. */
export class Line {
  constructor(stale, boolean) {
    this.stale = stale;
    this.boolean = boolean;
    this.bucket = 0;
    this.clear();
  }

  clear() {
    this.times = [];
    this.low = [];
    this.high = [];
    this.mean = [];
  }

  /** Points as the record gives them; `bucket` = milliseconds that each stands for, 0 = single readings. */
  fill(points, bucket = 0) {
    this.clear();
    this.bucket = bucket;
    for (const [time, low, high, mean] of points) this.#add(time, low, high, mean);
  }

  /** A live reading; older ones than the last are dropped. */
  push(time, value) {
    const last = this.times.at(-1) ?? 0;
    if (time <= last) return false;
    if (last && time - last > this.stale && this.mean.at(-1) !== null) {
      this.#add(Math.min(last + this.stale, time - 1), ...Array(3).fill(this.mean.at(-1)));
      if (time - last > this.stale + 2) this.#add(Math.min(last + this.stale + 1, time - 1), null, null, null);
    }
    const number = typeof value === "boolean" ? Number(value) : typeof value === "number" ? value : null;
    this.#add(time, number, number, number);
    return true;
  }

  #add(time, low, high, mean) {
    if (this.times.length && time <= this.times.at(-1)) return;
    this.times.push(time);
    this.low.push(low);
    this.high.push(high);
    this.mean.push(mean);
  }

  /** Forget what lies before `from`, but keep one point, from which the line comes in. */
  trim(from) {
    let drop = 0;
    while (drop + 1 < this.times.length && this.times[drop + 1] < from) drop += 1;
    if (drop) for (const column of [this.times, this.low, this.high, this.mean]) column.splice(0, drop);
  }

  /** A uPlot table [seconds, mean, low, high]; the last value holds until now, or until it is too old. */
  table(now) {
    const table = [[], [], [], []];
    const put = (time, index) => {
      table[0].push(time / 1000);
      [this.mean, this.low, this.high].forEach((column, at) => table[at + 1].push(column[index]));
    };
    // A reading holds until the next one is reported, so single readings are steps; means of buckets are not.
    const steps = this.boolean || !this.bucket;
    for (let index = 0; index < this.times.length; index += 1) {
      const held = index > 0 && this.mean[index - 1] !== null && this.times[index] - this.times[index - 1] > 1;
      if (steps && held) put(this.times[index] - 1, index - 1);
      put(this.times[index], index);
    }
    const last = this.times.length - 1;
    if (last >= 0 && this.mean[last] !== null) {
      const until = Math.min(now, this.times[last] + this.stale);
      if (until > this.times[last]) put(until, last);
    }
    return table;
  }

  /** The mean at or before a time in seconds, null in a gap. */
  at(seconds) {
    const wanted = seconds * 1000;
    let index = this.times.length - 1;
    while (index >= 0 && this.times[index] > wanted) index -= 1;
    return index < 0 ? null : this.mean[index];
  }
}
