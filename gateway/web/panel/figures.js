// @ts-check
/** A figure with all it needs to be believed: name, denominator, window; value; scale; marks, coverage, age, why. */

import { digits, face, scale, silent, target } from "/shared/figure.js";
import { number } from "/shared/format.js";
import { html } from "./html.js";
import { Coverage, Fresh, Sim, Stale, ago, at, worded } from "./parts.js";

/** @typedef {import("/shared/figure.js").Figure} Figure @typedef {import("./parts.js").Page} Page */

/** @param {any} now @param {string} name @param {string} [machine] @param {string} [kind] @returns {Figure | undefined} */
export const find = (now, name, machine = "", kind = "shift") =>
  now.figures.find((/** @type {Figure} */ f) => f.name === name && f.machine === machine && f.window.kind === kind);

/** @param {Figure} figure */
export const keyOf = (figure) => `${figure.name} ${figure.machine} ${figure.window.kind}`;

/** @param {Page} page @param {Figure} figure */
export const unitOf = (page, figure) => (figure.unit === "%" ? "%" : page.t(`unit-${figure.unit}`));

/** The line under the name: what is divided by what, and over which time. @param {Page} page @param {Figure} figure */
export function below(page, figure) {
  const n = number(page.lang, figure.denominator);
  const of = page.t(`kpi-${figure.name}-of`, { n, takt: number(page.lang, page.now.line.takt_s) });
  return `${of} · ${page.t(`window-${figure.window.kind}`)}`;
}

/** The value as its coverage allows it. @param {{page: Page, figure: Figure}} props */
export function Value({ page, figure }) {
  const { kind, text } = face(page.lang, figure, page.now.line.least_coverage);
  const weak = page.stale || kind === "range" || kind === "seen";
  const unit = kind === "none" || kind === "few" ? null : html`<small>${unitOf(page, figure)}</small>`;
  const lead = kind === "seen" && figure.unit === "parts" ? html`<span class="lead">${page.t("at-least")}</span>` : null;
  return html`<span class="value" data-kind=${kind} data-kpi=${keyOf(figure)}>
    ${lead}<b class=${weak ? "num range" : "num"}>${text}</b>${unit}</span>`;
}

/** Why there is no plain value, in words; null where there is one. @param {Page} page @param {Figure} figure */
export function excuse(page, figure) {
  const { kind } = face(page.lang, figure, page.now.line.least_coverage);
  if (page.stale) return page.t("stopped-at", { time: at(page, page.now.time) });
  if (kind === "few") return page.t("too-few");
  if (kind === "none") return unseen(page, figure);
  return kind === "seen" && figure.unit !== "parts" ? page.t("seen-only") : null;
}

/** What to look for where a share of time is over 100 %; it is told as it is. @param {Page} page @param {Figure} figure */
export const over = (page, figure) =>
  figure.unit === "%" && figure.value !== null && figure.value >= 100.05 ? worded(page, `over-${figure.name}`, page.t("over")) : "";

/** Why there is no value: since when nobody looks, that too little was seen, or that there is nothing to divide by.
 * @param {Page} page @param {Figure} figure */
function unseen(page, figure) {
  const least = page.now.line.least_coverage;
  if (figure.coverage >= least) return page.t("no-data");
  const machine = silent(figure, page.now.machines);
  if (machine) return page.t("no-data-since", { time: at(page, machine.observed) });
  if (figure.covered_s === 0) return page.t("no-data");
  return page.t("too-little-seen", { least: number(page.lang, least * 100) });
}

/** @param {{page: Page, name: string, machine?: string, kind?: string}} props */
export function Card({ page, name, machine = "", kind = "shift" }) {
  const figure = find(page.now, name, machine, kind);
  if (!figure) return html`<section class="fig"><h2>${page.t(`kpi-${name}`)}</h2><p class="den">${page.t("no-data")}</p>
    <p class="v"><b class="num range">—</b></p></section>`;
  const goal = target(figure);
  const goalText = goal === null ? null : number(page.lang, goal, name === "takt" ? 1 : digits(figure.unit) && goal % 1 ? 1 : 0);
  return html`<section class=${page.stale ? "fig stopped" : "fig"} aria-label=${page.t(`kpi-${name}`)}>
    <h2>${page.t(`kpi-${name}`)}${goalText && html`<span class="goal">${page.t("target", { value: goalText })}</span>`}</h2>
    <p class="den">${below(page, figure)}</p>
    <p class="v"><${Value} page=${page} figure=${figure} /></p>
    <${Tape} page=${page} figure=${figure} />
    <p class="prov"><${Sim} of=${figure} /><${Coverage} page=${page} share=${figure.coverage} />
      ${page.stale
        ? html`<${Stale} page=${page} seconds=${page.silence} />`
        : html`<${Fresh} page=${page} seconds=${ago(page, figure.time)} />`}
      <button type="button" class="whys" onClick=${() => page.explain(keyOf(figure))}
        aria-label=${`${page.t("why")}: ${page.t(`kpi-${name}`)}`}>${page.t("why")}</button></p>
  </section>`;
}

const LEFT = 16;
const WIDTH = 489;

/** Needle, magenta bug, open box of what could still be true; in its place a word where there is no value.
 * @param {{page: Page, figure: Figure}} props */
function Tape({ page, figure }) {
  const drawn = scale(page.lang, figure, page.now.line.least_coverage);
  if (!drawn || page.stale) return html`<p class="tape excuse">${excuse(page, figure)}</p>`;
  const x = (/** @type {number} */ share) => LEFT + share * WIDTH;
  const ends = drawn.ticks.length - 1;
  return html`<svg class="tape" viewBox="0 0 521 74" aria-hidden="true">
    <path d="M16 30H505" stroke="var(--p-line-2)" stroke-width="4" />
    ${drawn.ticks.map((tick, i) => html`<path d=${`M${x(tick.at)} 30v${tick.label === null ? 8 : 14}`} stroke="var(--p-ink-3)" stroke-width="4" />
      ${tick.label !== null && html`<text x=${x(tick.at)} y="70" font-size="24" fill="var(--p-ink-3)"
        text-anchor=${i === 0 ? "start" : i === ends ? "end" : "middle"}>${tick.label}</text>`}`)}
    ${drawn.box && html`<rect x=${x(drawn.box.from)} y="19" width=${(drawn.box.to - drawn.box.from) * WIDTH} height="22"
      fill="none" stroke="var(--p-ink)" stroke-width="4" />`}
    ${drawn.needle !== null && html`<path d=${`M${x(drawn.needle) - 6} 10h12v40h-12z`} fill="var(--p-ink)" />`}
    ${drawn.bug !== null && html`<path d=${`M${x(drawn.bug) - 14} 2h28v8l-14 16-14-16z`} fill="var(--p-target)" />`}
  </svg>`;
}
