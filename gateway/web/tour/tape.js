// @ts-check
/** The scale under a figure: needle = value, magenta bug = target, open box = what could still be true. */

import { scale } from "/shared/figure.js";
import { g } from "./dom.js";

const WIDTH = 489;

/** @param {string} lang @param {any} figure @param {number} least */
export function tape(lang, figure, least) {
  const marks = figure && scale(lang, figure, least);
  const at = (/** @type {number} */ share) => share * WIDTH;
  const svg = g("svg", { class: "tape", viewBox: `0 0 ${WIDTH} 74`, "aria-hidden": "true" });
  svg.append(g("path", { class: "rail", d: `M0 30H${WIDTH}` }));
  if (!marks) return svg;
  for (const [place, tick] of marks.ticks.entries()) {
    svg.append(g("path", { class: "tick", d: `M${at(tick.at)} 30v${tick.label === null ? 8 : 14}` }));
    if (tick.label === null) continue;
    const [anchor, shift] = place === 0 ? ["start", -2] : place === marks.ticks.length - 1 ? ["end", 2] : ["middle", 0];
    svg.append(g("text", { x: at(tick.at) + shift, y: 70, "text-anchor": anchor }, tick.label));
  }
  if (marks.box) svg.append(g("rect", { class: "band", x: at(marks.box.from), y: 19, width: Math.max(6, (marks.box.to - marks.box.from) * WIDTH), height: 22 }));
  if (marks.needle !== null) svg.append(g("path", { class: "needle", d: `M${at(marks.needle) - 6} 10h12v40h-12z` }));
  if (marks.bug !== null) svg.append(g("path", { class: "bug", d: `M${at(marks.bug) - 14} 2h28v8l-14 16-14-16z` }));
  return svg;
}
