// @ts-check
/** Judged parts: picture with heat map, verdict, score, model. */

import { clock, number } from "/shared/format.js";
import { Defects } from "./defects.js";
import { find } from "./figures.js";
import { html } from "./html.js";
import { Head, Sim, Sym, worded } from "./parts.js";
import { DEFECTS, span } from "./store.js";
import { Switch } from "./window.js";

/** @typedef {import("./parts.js").Page} Page */

/** @type {Record<string, {symbol: string, tone: string}>} */
const LOOK = {
  PASS: { symbol: "v-pass", tone: "green" },
  REJECT: { symbol: "s-stopped", tone: "red" },
  ASK: { symbol: "v-ask", tone: "ink" },
};
const COUNTED = ["pass", "reject", "ask"];

/** Evidence is kept for the last parts only: a picture that is gone makes room for the words behind it. @param {Event} event */
function gone(event) {
  const picture = /** @type {HTMLImageElement} */ (event.target);
  picture.hidden = event.type === "error";
}

/** One part. @param {{page: Page, part: any, mark?: boolean}} props */
export function Part({ page, part, mark = false }) {
  const { symbol, tone } = LOOK[part.verdict];
  const unit = part.unit.replace(`${part.machine}-`, "");
  return html`<article class="insp" data-unit=${part.unit}>
    <div class="img">${part.evidence
      ? html`<img src=${`/api/v1/evidence/${encodeURIComponent(part.evidence)}`} alt=${page.t("heat-map-of", { unit: part.unit })} width="118" height="118"
          onError=${gone} onLoad=${gone} />
        <span class="hatch-pan none"><span>${page.t("no-picture")}</span></span>`
      : html`<span class="hatch-pan none"><span>${page.t("no-picture")}</span></span>`}</div>
    <div><p class=${`vd say say-${tone}`}><${Sym} id=${symbol} />${page.t(`verdict-${part.verdict}`)}${mark && html`<${Sim} of=${part} />`}</p>
      <p>${page.t("part", { unit })} · ${clock(page.zone, part.time, true)}</p>
      <p>${part.defect ? `${worded(page, `defect-${part.defect}`, part.defect)} · ` : ""}${page.t("score", { score: number(page.lang, Math.floor(part.score * 1000) / 1000, 3) })}</p>
      <p>${part.model && `${page.t("model", { digest: part.model.slice(0, 4) })} · `}${number(page.lang, part.took_ms, 1)} ms</p></div>
  </article>`;
}

/** Verdicts of the shift; ASK stands apart and is in no yield. @param {{page: Page}} props */
export const Counts = ({ page }) => html`<dl class="cnt">${COUNTED.map((name) => {
  const figure = find(page.now, `inspection_${name}`);
  return html`<div key=${name}><dd><b class=${page.stale ? "num range" : "num"} data-count=${name}>
    ${figure ? number(page.lang, figure.numerator) : "—"}</b></dd><dt>${page.t(`counted-${name}`)}</dt></div>`;
})}</dl>`;

/** @param {{page: Page}} props */
export function Inspections({ page }) {
  const answer = page.answers["/api/v1/inspections?limit=24"];
  const parts = (answer?.inspections ?? []).map((/** @type {any} */ r) => ({ ...r.value, machine: r.machine, time: r.time, sim: r.sim }));
  return html`<${Defects} page=${page} told=${page.answers[DEFECTS("", span.value)]} of=${page.now}><${Switch} page=${page} /><//>
    <section><${Head} title=${page.t("tab-inspections")} note=${page.t("parts-note")} of=${page.now} />
    <${Counts} page=${page} />
    ${answer && parts.length === 0 && html`<p class="empty">${page.t("no-parts-yet")}</p>`}
    <div class="parts">${parts.map((/** @type {any} */ part) => html`<${Part} key=${part.unit} page=${page} part=${part} mark />`)}</div></section>`;
}
