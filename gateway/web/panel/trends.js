// @ts-check
/** A tag through time with uPlot: what was not seen is hatched and the line is broken there. */

import uPlot from "/lib/uplot.mjs";
import { number } from "/shared/format.js";
import { html } from "./html.js";
import { Head, Sim, at } from "./parts.js";

/** @typedef {import("./parts.js").Page} Page */

const HEIGHT = 74;
/** Unit codes of UCUM as people write them. @type {Record<string, string>} */
export const UNITS = { Cel: "°C" };

/** @param {{page: Page, told: any}} props */
export const Trends = ({ page, told }) => html`<section class="trends"><${Head} title=${page.t("trends")}
    note=${told && `${at(page, told.since)}–${at(page, told.until)} · ${page.t("trends-note")}`} of=${told ?? page.now} />
  ${told?.lines.length === 0 && html`<p class="empty">${page.t("no-trends")}</p>`}
  ${told?.lines.map((/** @type {any} */ line) => html`<${Trend} key=${`${line.device} ${line.tag}`} page=${page} told=${told} line=${line} />`)}
  </section>`;

/** @param {{page: Page, told: any, line: any}} props */
function Trend({ page, told, line }) {
  const [from, to] = [Date.parse(told.since), Date.parse(told.until)];
  const seen = line.points.filter((/** @type {any} */ p) => p[1] !== null);
  const last = seen.at(-1);
  const share = (/** @type {number} */ time) => Math.min(100, Math.max(0, ((time - from) / (to - from)) * 100));
  const unit = UNITS[line.unit] ?? line.unit;
  const digits = last && Math.abs(last[1]) < 10 ? 2 : 1;
  const label = last ? `${line.tag}: ${number(page.lang, last[1], digits)} ${unit}, ${page.t("last-value", { time: at(page, new Date(last[0]).toISOString()) })}` : line.tag;
  const open = last && to - last[0] > 60_000 ? [{ start: new Date(last[0]).toISOString(), end: told.until }] : [];
  const before = seen.length > 0 && seen[0][0] > from ? [{ start: told.since, end: new Date(seen[0][0]).toISOString() }] : [];
  return html`<div class="trend" data-tag=${line.tag}><div class="tn"><b>${named(page, line)}</b><span>${line.device}.${line.tag}</span></div>
    <div class="plot" role="img" aria-label=${label}><div class="canvas" ref=${(/** @type {any} */ el) => el && draw(el, line.points, from, to)} />
      ${[...before, ...line.gaps, ...open].map((g) => html`<i key=${g.start} class="gap hatch-pan" style=${{ left: `${share(Date.parse(g.start))}%`, width: `${share(Date.parse(g.end)) - share(Date.parse(g.start))}%` }} />`)}</div>
    <div class="lv">${last ? html`<p><b class="num">${number(page.lang, last[1], digits)}</b><small>${unit}</small></p>
      <span>${page.t("last-value", { time: at(page, new Date(last[0]).toISOString()) })}</span>` : html`<b class="num range">—</b>`}</div></div>`;
}

/** @param {Page} page @param {any} line */
const named = (page, line) => (line.role === "cycle" ? page.t("cycle") : line.tag.replaceAll("_", " "));

/** @type {Map<HTMLElement, {plot: any, points: any, edges: [number, number]}>} */
const drawn = new Map();
const ink = (/** @type {string} */ name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** Draw or renew the line in an element. @param {HTMLElement} el @param {[number, number | null][]} points @param {number} from @param {number} to */
function draw(el, points, from, to) {
  for (const [other, { plot }] of drawn) if (!other.isConnected && other !== el) (plot.destroy(), drawn.delete(other));
  const known = drawn.get(el);
  if (known?.points === points) return;
  const data = [points.map((p) => p[0] / 1000), points.map((p) => p[1])];
  const edges = /** @type {[number, number]} */ ([from / 1000, to / 1000]);
  if (known) {
    drawn.set(el, { plot: known.plot, points, edges });
    known.plot.setData(data);
    return;
  }
  const plot = new uPlot(
    {
      width: Math.max(el.clientWidth, 40), height: HEIGHT, padding: [6, 0, 6, 0], legend: { show: false }, cursor: { show: false },
      axes: [{ show: false }, { show: false }],
      scales: { x: { time: false, range: () => drawn.get(el)?.edges ?? edges }, y: { range: (/** @type {any} */ _u, /** @type {number} */ low, /** @type {number} */ high) => roomy(low, high) } },
      series: [{}, { stroke: () => ink("--p-ink"), width: 1.6, points: { show: false }, spanGaps: false }],
      hooks: { drawClear: [rules] },
    },
    data, el,
  );
  drawn.set(el, { plot, points, edges });
  new ResizeObserver(() => el.clientWidth > 0 && plot.setSize({ width: el.clientWidth, height: HEIGHT })).observe(el);
}

/** Ends of the scale with room above and below; a line that stands still lies in the middle. @param {number} low @param {number} high */
function roomy(low, high) {
  const room = Math.max((high - low) * 0.15, Math.abs(high) * 0.02, 0.01);
  return [low - room, high + room];
}

/** Three quiet rules behind the line. @param {any} plot */
function rules(plot) {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.strokeStyle = ink("--p-line");
  ctx.lineWidth = devicePixelRatio;
  for (const share of [0.25, 0.5, 0.75]) {
    const y = Math.round(bbox.top + bbox.height * share) + 0.5;
    ctx.beginPath();
    ctx.moveTo(bbox.left, y);
    ctx.lineTo(bbox.left + bbox.width, y);
    ctx.stroke();
  }
  ctx.restore();
}

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  for (const { plot } of drawn.values()) plot.redraw();
});
