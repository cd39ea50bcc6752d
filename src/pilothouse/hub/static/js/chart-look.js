// How charts look: uPlot's options from our tokens.

import { inWords, shown, symbol } from "./format.js";

const DASHES = [[], [7, 4], [2, 3], [10, 3, 2, 3]];

/** uPlot options for some lines; `size` = [width, height], `onCursor` gets seconds or null, `whole` draws % from 0 to 100. */
export function options(lines, [width, height], style, { onCursor, whole }) {
  const colour = (name) => style.getPropertyValue(name).trim();
  const scales = [...new Set(lines.map(scaleOf))];
  const font = `11px ${colour("--font") || "sans-serif"}`;
  const axis = { stroke: colour("--ink-3"), font, ticks: { show: false } };
  return {
    width,
    height,
    padding: [8, scales.length > 1 ? 0 : 8, 0, 0],
    legend: { show: false },
    cursor: {
      y: false,
      points: { size: 6 },
      drag: { x: false, y: false },
      focus: { prox: 1e6 },
    },
    hooks: {
      setCursor: [(plot) => onCursor(plot.cursor.left >= 0 ? plot.posToVal(plot.cursor.left, "x") : null)],
    },
    scales: Object.fromEntries([["x", { time: true }], ...scales.map((key) => [key, { range: rangeOf(key, whole) }])]),
    axes: [
      { ...axis, grid: { stroke: colour("--line"), width: 1 }, space: width < 480 ? 52 : 80, size: 28, values: timesOf },
      ...scales.slice(0, 2).map((key, index) => ({
        ...axis,
        scale: key,
        side: index ? 1 : 3,
        size: sizeOf,
        gap: 6,
        grid: { show: !index, stroke: colour("--line"), width: 1 },
        splits: key === "switch" ? () => [0, 1] : undefined,
        values: (_, splits) => splits.map((split) => label(key, split, splits)),
      })),
    ],
    series: [{}, ...lines.flatMap((line, index) => look(line, index, colour(`--line-${index + 1}`)))],
    bands: lines.flatMap((line, index) => {
      const first = 1 + 3 * index;
      return line.boolean ? [] : [{ series: [first + 2, first + 1], fill: `${colour(`--line-${index + 1}`)}22` }];
    }),
  };
}

function look(line, index, stroke) {
  const paths = uPlot.paths.linear();
  const hidden = { scale: scaleOf(line), stroke: "transparent", width: 0, points: { show: false }, paths };
  const mean = {
    scale: scaleOf(line), stroke, width: 1.5, dash: DASHES[index], paths, points: { show: false },
  };
  return [mean, { ...hidden }, { ...hidden }];
}

/** The scale of a line: one a unit, one for all switches. */
export function scaleOf(line) {
  return line.boolean ? "switch" : `u:${line.unit}`;
}

function rangeOf(key, whole) {
  if (key === "switch") return () => [-0.1, 1.1];
  if (key === "u:%" && whole) return () => [0, 100];
  return (_, low, high) => {
    if (low === null || high === null || (low === 0 && high === 0)) return [0, 1];
    const room = Math.max((high - low) * 0.08, Math.abs(high) * 0.002, 1e-9);
    return [low - room, high + room];
  };
}

function label(key, split, splits) {
  if (key === "switch") return split ? "on" : "off";
  const unit = key.slice(2);
  const step = Math.abs(splits[1] - splits[0]) || 1;
  const decimals = Math.max(0, Math.min(6, -Math.floor(Math.log10(step) + 1e-9)));
  if (unit === "By" || unit === "By/s" || unit === "bit/s" || unit === "Hz") return inWords(split, { unit });
  const words = shown(split, { unit: "", precision: decimals })[0];
  return split === splits.at(-1) ? `${words} ${symbol(unit)}` : words;
}

function sizeOf(plot, values) {
  const longest = (values ?? []).reduce((most, text) => Math.max(most, text.length), 0);
  return Math.max(34, 14 + 6.5 * longest);
}

function timesOf(plot, splits, _axis, _space, step) {
  const day = { month: "short", day: "numeric" };
  const clock = step < 60 ? { hour: "2-digit", minute: "2-digit", second: "2-digit" } : { hour: "2-digit", minute: "2-digit" };
  const form = new Intl.DateTimeFormat("en-GB", step >= 86400 ? day : { ...clock, hour12: false });
  return splits.map((split) => form.format(split * 1000));
}
