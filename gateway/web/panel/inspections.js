// @ts-check
/** Inspected parts: those that wait for a person first, then defects, verdicts and the newest parts. */

import { number } from "/shared/format.js";
import { Asks } from "./asks.js";
import { Defects } from "./defects.js";
import { find } from "./figures.js";
import { html } from "./html.js";
import { Part, partOf } from "./part.js";
import { Head } from "./parts.js";
import { DEFECTS, span } from "./store.js";
import { Switch } from "./window.js";

/** @typedef {import("./parts.js").Page} Page */

const COUNTED = ["pass", "reject", "ask"];

/** Verdicts of the shift; ASK stands apart and is in no yield. @param {{page: Page}} props */
export const Counts = ({ page }) => html`<dl class="cnt">${COUNTED.map((name) => {
  const figure = find(page.now, `inspection_${name}`);
  return html`<div key=${name}><dd><b class=${page.stale ? "num range" : "num"} data-count=${name}>
    ${figure ? number(page.lang, figure.numerator) : "—"}</b></dd><dt>${page.t(`counted-${name}`)}</dt></div>`;
})}</dl>`;

/** @param {{page: Page}} props */
export function Inspections({ page }) {
  const answer = page.answers["/api/v1/inspections?limit=24"];
  const parts = (answer?.inspections ?? []).map(partOf);
  return html`${answer && html`<${Asks} page=${page} told=${answer} />`}<${Defects} page=${page} told=${page.answers[DEFECTS("", span.value)]} of=${page.now}><${Switch} page=${page} /><//>
    <section><${Head} title=${page.t("tab-inspections")} note=${page.t("parts-note")} of=${page.now} />
    <${Counts} page=${page} />
    ${answer && parts.length === 0 && html`<p class="empty">${page.t("no-parts-yet")}</p>`}
    <div class="parts">${parts.map((/** @type {any} */ part) => html`<${Part} key=${part.unit} page=${page} part=${part} mark />`)}</div></section>`;
}
