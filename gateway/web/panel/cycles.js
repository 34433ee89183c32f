// @ts-check
/** The spread of seen cycles with the target; what was not seen is counted in no bar. */

import { number } from "/shared/format.js";
import { html } from "./html.js";
import { Head, lasting } from "./parts.js";

/** @typedef {import("./parts.js").Page} Page */

const WIDTH = 420;
const BASE = 160;
const TOP = 26;

/** @param {{page: Page, told: any, station: any, title?: string}} props */
export function Cycles({ page, told, station, title = page.t("cycle-spread") }) {
  const cycles = told?.cycles;
  const n = (/** @type {number} */ value, /** @type {number} */ digits = 1) => number(page.lang, value, digits);
  const note = cycles && page.t("cycles-note", { n: number(page.lang, cycles.count), step: number(page.lang, cycles.step, cycles.step % 1 ? 2 : 0) });
  return html`<section class="cycles"><${Head} title=${title} note=${note} of=${station} />
    ${told && cycles.count === 0 && html`<p class="empty">${page.t("no-cycles")}</p>`}
    ${told && cycles.count > 0 && html`<div class="pair"><${Histogram} page=${page} cycles=${cycles} />
      <div><dl class="quant">
        <div><dt>${page.t("median")}</dt><dd>${n(cycles.median)} s</dd></div><div><dt>p95</dt><dd>${n(cycles.p95)} s</dd></div>
        <div><dt>${page.t("slower-than", { target: n(cycles.target) })}</dt><dd>${page.t("times", { n: number(page.lang, cycles.slower) })} · ${number(page.lang, (cycles.slower / cycles.count) * 100)} %</dd></div>
        <div><dt>${page.t("not-seen")}</dt><dd>${lasting(page, told.seconds.unknown ?? 0)}${told.seconds.unknown > 0 && ` · ${page.t("number-unknown")}`}</dd></div></dl>
        <p class="note">${page.t("cycles-rule")}</p></div></div>`}</section>`;
}

/** @param {{page: Page, cycles: any}} props */
function Histogram({ page, cycles }) {
  const { bins, start, step, over, target } = cycles;
  const places = bins.length + (over > 0 ? 2 : 0);
  const wide = WIDTH / places;
  const most = Math.max(...bins, over);
  const tick = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000].find((t) => most / t <= 4) ?? 10_000;
  const y = (/** @type {number} */ count) => BASE - (count / most) * (BASE - TOP);
  const bug = ((target - start) / step) * wide;
  const every = [1, 2, 5, 10, 20, 50, 100].find((s) => (bins.length * step) / s <= 8) ?? 200;
  const labels = Array.from({ length: Math.floor((bins.length * step) / every) + 1 }, (_, i) => Math.ceil(start / every) * every + i * every)
    .filter((value) => ((value - start) / step) * wide <= WIDTH - (over > 0 ? 60 : 0));
  return html`<svg class="histo" viewBox=${`0 0 ${WIDTH + 30} 184`} role="img" aria-label=${page.t("cycle-spread")}>
    ${Array.from({ length: Math.floor(most / tick) }, (_, i) => (i + 1) * tick).map((count) => html`<path d=${`M0 ${y(count)}H${WIDTH}`} stroke="var(--p-line)" />
      <text x=${WIDTH + 28} y=${y(count) + 4} text-anchor="end">${number(page.lang, count)}</text>`)}
    ${bins.map((/** @type {number} */ count, /** @type {number} */ i) => count > 0 && html`<rect key=${i} x=${i * wide + 1} y=${y(count)} width=${wide - 2} height=${BASE - y(count)} class="bin" />`)}
    ${over > 0 && html`<rect x=${(places - 1) * wide + 1} y=${y(over)} width=${wide - 2} height=${BASE - y(over)} class="over" />
      <text x=${places * wide} y="180" text-anchor="end">> ${number(page.lang, start + bins.length * step, step < 1 ? 1 : 0)}</text>`}
    <path d=${`M0 ${BASE}H${WIDTH}`} stroke="var(--p-line-2)" stroke-width="2" />
    ${labels.map((value) => html`<text x=${((value - start) / step) * wide} y="180" text-anchor="middle">${number(page.lang, value)}</text>`)}
    <path d=${`M${bug} 14V${BASE}`} stroke="var(--p-target)" stroke-width="2" /><path d=${`M${bug - 8} 0h16v5l-8 9-8-9z`} fill="var(--p-target)" />
    <text class="goal" x=${bug > WIDTH * 0.7 ? bug - 14 : bug + 14} text-anchor=${bug > WIDTH * 0.7 ? "end" : "start"} y="13">${page.t("target", { value: number(page.lang, target, 1) })}</text></svg>`;
}
