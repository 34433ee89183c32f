// @ts-check
/** How a figure is shown: coverage class, text and scale. Pure; a figure has the fields of docs/wire.md. */

import { number } from "./format.js";

/**
 * @typedef {{kind: string, label: string, start: string, end: string}} Window
 * @typedef {{name: string, machine: string, window: Window, value: number | null, unit: string,
 *   low: number | null, high: number | null, numerator: number, denominator: number, covered_s: number,
 *   expected_s: number, coverage: number, target: number | null, revision: number, closed: boolean,
 *   time: string, sim: boolean}} Figure
 * @typedef {{kind: "value" | "seen" | "range" | "none" | "few", text: string}} Face
 */

/** Fewer judged parts than this and a yield says nothing. */
export const FEWEST = 30;

/** none below the site's `least`; else full 98 % and more, most 80, part. @param {number} share @param {number} least @returns {"full" | "most" | "part" | "none"} */
export function coverageClass(share, least) {
  if (share < least) return "none";
  if (share >= 0.98) return "full";
  return share >= 0.8 ? "most" : "part";
}

/** @param {string} unit */
const DIGITS = { parts: 0, stops: 0, kWh: 3 };
export const digits = (unit) => DIGITS[unit] ?? 1;

/** What stands where the value stands: the value, a range, the value of what was seen, or a dash.
 * @param {string} lang @param {Figure} figure @param {number} least @returns {Face} */
export function face(lang, figure, least) {
  const seen = coverageClass(figure.coverage, least);
  if (figure.value === null || seen === "none") return { kind: "none", text: "—" };
  if (figure.name === "first_pass_yield" && figure.denominator < FEWEST) return { kind: "few", text: "—" };
  const text = number(lang, figure.value, digits(figure.unit));
  if (seen !== "part") return { kind: "value", text };
  if (figure.unit !== "%" || figure.low === null || figure.high === null) return { kind: "seen", text };
  return { kind: "range", text: `${number(lang, Math.floor(figure.low))}–${number(lang, Math.ceil(figure.high))}` };
}

/** Figures of the line that are of its last station alone. */
const AT_END = ["takt", "good", "availability", "effectiveness", "quality_ratio", "oee"];

/** The machine whose silence leaves a figure without data, the first to fall silent; null where all it is of is seen again.
 * @template {{name: string, word: string, since: string | null}} M @param {Figure} figure @param {M[]} machines @returns {M | null} */
export function silent(figure, machines) {
  const last = AT_END.includes(figure.name) ? machines.at(-1)?.name : null;
  const one = figure.machine || last;
  const found = machines.filter((m) => m.word === "unknown" && m.since && (!one || m.name === one));
  return found.sort((a, b) => Date.parse(a.since ?? "") - Date.parse(b.since ?? ""))[0] ?? null;
}

/** What was planned: the target of the line file, or for parts what takt asks of the time so far. @param {Figure} figure */
export function target(figure) {
  if (figure.target !== null) return figure.target;
  return figure.name === "good" && figure.denominator > 0 ? figure.denominator : null;
}

/** A target of this many per cent or more is read on the top tenth of the scale. */
const FINE = 95;

/** Ends and steps of the scale that shows all of `values`; a percentage keeps its ends while it moves about its goal.
 * @param {string} unit @param {number[]} values @param {number | null} goal
 * @returns {{min: number, max: number, major: number, minor: number}} */
export function ends(unit, values, goal) {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  if (unit === "%") {
    if (low >= 90 && (goal ?? 0) >= FINE) return { min: 90, max: 100, major: 2, minor: 1 };
    if (low >= 50) return { min: 50, max: 100, major: 10, minor: 5 };
    return { min: 0, max: 100, major: 20, minor: 10 };
  }
  const from = unit === "parts" ? 0 : low - (high - low) - low * 0.2;
  const to = unit === "parts" ? high * 1.25 : high + (high - low) + high * 0.2;
  const major = step(Math.max(to - from, 1e-6) / 4);
  const min = unit === "parts" ? 0 : Math.max(0, Math.floor(from / major) * major);
  return { min, max: Math.max(min + major, Math.ceil(to / major) * major), major, minor: major / 2 };
}

/** The next of 1, 2, 5, 10 ... that is not smaller. @param {number} raw */
function step(raw) {
  const power = 10 ** Math.floor(Math.log10(raw));
  return ([1, 2, 5].find((n) => n * power >= raw * 0.999) ?? 10) * power;
}

/** Where needle, bug, box and ticks stand, 0..1 from the left; null where the figure shows no value.
 * @param {string} lang @param {Figure} figure @param {number} least */
export function scale(lang, figure, least) {
  const { kind } = face(lang, figure, least);
  if (figure.value === null || kind === "none" || kind === "few") return null;
  const goal = target(figure);
  const box = figure.low !== null && figure.high !== null && figure.high - figure.low > 0.05 * 10 ** -digits(figure.unit);
  const all = [figure.value, goal, box ? figure.low : null, box ? figure.high : null].filter((v) => v !== null);
  const { min, max, major, minor } = ends(figure.unit, /** @type {number[]} */ (all), goal);
  const at = (/** @type {number | null} */ v) => (v === null ? null : (Math.min(max, Math.max(min, v)) - min) / (max - min));
  const ticks = Array.from({ length: Math.round((max - min) / minor) + 1 }, (_, i) => {
    const value = min + i * minor;
    const major_ = Math.abs(value / major - Math.round(value / major)) < 1e-9;
    return { at: i / Math.round((max - min) / minor), label: major_ ? number(lang, value, major < 1 ? 1 : 0) : null };
  });
  return {
    ticks, needle: kind === "range" ? null : at(figure.value), bug: at(goal),
    box: box ? { from: /** @type {number} */ (at(figure.low)), to: /** @type {number} */ (at(figure.high)) } : null,
  };
}
