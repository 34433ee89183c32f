// @ts-check
/** An inspected part: picture with heat map, verdict, score, model, and who judged it. */

import { clock, number } from "/shared/format.js";
import { html } from "./html.js";
import { Sim, Sym, worded } from "./parts.js";

/** @typedef {import("./parts.js").Page} Page */

/** @type {Record<string, {symbol: string, tone: string}>} */
export const LOOK = {
  PASS: { symbol: "v-pass", tone: "green" },
  REJECT: { symbol: "s-stopped", tone: "red" },
  ASK: { symbol: "v-ask", tone: "ink" },
};

/** Evidence is kept for the last parts only: a picture that is gone makes room for the words behind it. @param {Event} event */
function gone(event) {
  const picture = /** @type {HTMLImageElement} */ (event.target);
  picture.hidden = event.type === "error";
}

/** The record of an inspection as a part. @param {any} record */
export const partOf = (record) => ({ ...record.value, machine: record.machine, time: record.time, sim: record.sim, seq: record.seq, decided: record.decided, seen: record.seen });

/** One part, under the verdict that holds: a person's before the inspection's. @param {{page: Page, part: any, mark?: boolean, children?: any}} props */
export function Part({ page, part, mark = false, children }) {
  const verdict = part.decided?.verdict ?? part.verdict;
  const { symbol, tone } = LOOK[verdict];
  const unit = part.unit.replace(`${part.machine}-`, "");
  return html`<article class="insp" data-unit=${part.unit}>
    <div class="img">${part.evidence
      ? html`<img src=${`/api/v1/evidence/${encodeURIComponent(part.evidence)}`} alt=${page.t("heat-map-of", { unit: part.unit })} width="118" height="118"
          onError=${gone} onLoad=${gone} />
        <span class="hatch-pan none"><span>${page.t("no-picture")}</span></span>`
      : html`<span class="hatch-pan none"><span>${page.t("no-picture")}</span></span>`}</div>
    <div><p class=${`vd say say-${tone}`}><${Sym} id=${symbol} />${page.t(`verdict-${verdict}`)}${mark && html`<${Sim} of=${part} />`}</p>
      <p>${page.t("part", { unit })} · ${clock(page.zone, part.time, true)}</p>
      <p>${part.defect ? `${worded(page, `defect-${part.defect}`, part.defect)} · ` : ""}${page.t("score", { score: number(page.lang, Math.floor(part.score * 1000) / 1000, 3) })}</p>
      <p>${part.model && `${page.t("model", { digest: part.model.slice(0, 4) })} · `}${number(page.lang, part.took_ms, 1)} ms</p>
      ${part.decided && html`<p class="by">${page.t("judged-by", { role: page.t(`role-${part.decided.role}`), time: clock(page.zone, part.decided.time) })}</p>`}${children}</div>
  </article>`;
}
