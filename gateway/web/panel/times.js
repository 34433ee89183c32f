// @ts-check
/** Where the time of every station went, by the names of ISO 22400-2, and which station limits the line. */

import { number } from "/shared/format.js";
import { named } from "/shared/i18n.js";
import { find, keyOf } from "./figures.js";
import { html } from "./html.js";
import { minutes } from "./machine.js";
import { Coverage, Head } from "./parts.js";
import { span } from "./store.js";

/** @typedef {import("./parts.js").Page} Page */

/** What the window is divided into, from the whole to what made parts. */
const KINDS = ["calendar", "planned", "observed", "busy", "productive"];
const WAITS = ["starved", "blocked"];

/** @param {Page} page @param {string} machine */
const called = (page, machine) => named(page.now.machines.find((/** @type {any} */ m) => m.name === machine)?.display, page.lang, machine);

/** The time model, one row a station. @param {{page: Page, only?: string, of: {sim: boolean}}} props */
export function TimeModel({ page, only = "", of }) {
  const told = page.now.times[span.value]?.machines.filter((/** @type {any} */ m) => !only || m.machine === only) ?? [];
  if (told.length === 0) return null;
  return html`<section><${Head} title=${page.t("time-model")} note=${page.t("time-model-note")} of=${of} />
    <table class="model"><thead><tr><th scope="col">${page.t("station")}</th>${[...KINDS, "unknown"].map((kind) => html`<th key=${kind} scope="col" class="r">${page.t(`time-${kind}`)}</th>`)}</tr></thead>
      <tbody>${told.map((/** @type {any} */ m) => html`<tr key=${m.machine} data-times=${m.machine}><th scope="row">${called(page, m.machine)}</th>
        ${KINDS.map((kind) => html`<td key=${kind} class="r"><span class="of" aria-hidden="true">${page.t(`time-${kind}`)}</span>${minutes(page, m[`${kind}_s`])}</td>`)}
        <td class="r"><span class="of" aria-hidden="true">${page.t("time-unknown")}</span>${minutes(page, m.unknown_s)}</td></tr>`)}</tbody></table>
    <p class="note">${page.t("time-model-sums")}</p></section>`;
}

/** The station that waits least for the others, and how much each waits. @param {{page: Page}} props */
export function Limit({ page }) {
  const told = page.now.times[span.value];
  if (!told) return null;
  const limit = told.bottleneck;
  const percent = (/** @type {number} */ share) => number(page.lang, share * 100, 1);
  const said = limit && page.t("limits-line", { machine: called(page, limit.machine), waiting: percent(limit.waiting) });
  const more = limit && limit.margin !== null ? page.t("limits-margin", { margin: percent(limit.margin) }) : "";
  return html`<section class="limit"><${Head} title=${page.t("limits")} note=${page.t("limits-note")} of=${page.now} />
    <p class="said" data-limits=${limit?.machine ?? ""}>${limit ? html`<b>${said}</b> ${more}` : page.t("limits-none")}</p>
    <ul class="waits">${told.machines.map((/** @type {any} */ m) => html`<${Waiting} key=${m.machine} page=${page} times=${m} limits=${m.machine === limit?.machine} />`)}</ul></section>`;
}

/** @param {{page: Page, times: any, limits: boolean}} props */
function Waiting({ page, times, limits }) {
  const seen = times.observed_s;
  const share = (/** @type {string} */ word) => (seen > 0 ? times[`${word}_s`] / seen : 0);
  const name = called(page, times.machine);
  return html`<li data-waits=${times.machine}>${limits ? html`<b>${name}</b>` : html`<span>${name}</span>`}
    <span class="bar" aria-hidden="true">${WAITS.map((word) => html`<i key=${word} class=${`key-amber ${word}`} style=${{ width: `${share(word) * 100}%` }} />`)}</span>
    <span class="shares">${seen > 0 ? WAITS.map((word) => html`<${Share} key=${word} page=${page} machine=${times.machine} name=${name} word=${word} share=${share(word)} />`) : page.t("no-data")}</span>
    <${Coverage} page=${page} share=${times.planned_s > 0 ? seen / times.planned_s : 1} bare /></li>`;
}

/** A share of waiting; where it is a figure too, it opens. @param {{page: Page, machine: string, name: string, word: string, share: number}} props */
function Share({ page, machine, name, word, share }) {
  const figure = find(page.now, `${word}_ratio`, machine, span.value);
  const text = html`${page.t(`state-${word}`)} <b class=${page.stale ? "num range" : "num"}>${number(page.lang, share * 100, 1)}</b> %`;
  if (!figure) return html`<span>${text}</span>`;
  return html`<button type="button" class="fw" onClick=${() => page.explain(keyOf(figure))} aria-label=${`${page.t("why")}: ${name}, ${page.t(`kpi-${word}_ratio`)}`}>${text}</button>`;
}
