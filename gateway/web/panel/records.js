// @ts-check
/** Records of the ledger in a line of words each, every kind in the reader's language. */

import { clock, number } from "/shared/format.js";
import { html } from "./html.js";
import { Sim, at, worded } from "./parts.js";

/** @typedef {import("./parts.js").Page} Page */

/** @param {{page: Page, records: any[]}} props */
export const Records = ({ page, records }) => html`<table class="tags records"><thead><tr><th class="r">seq</th><th>${page.t("time")}</th>
  <th>${page.t("kind")}</th><th>${page.t("station")}</th><th class="wide">${page.t("content")}</th><th><span class="sr">SIM</span></th></tr></thead>
  <tbody>${records.map((r) => html`<tr key=${r.seq} data-seq=${r.seq}><td class="r num">${r.seq}</td>
    <td>${clock(page.zone, r.time, true)}</td><td>${page.t(`kind-${r.kind}`)}</td><td>${r.machine || "—"}</td>
    <td class="body">${said(page, r)}</td><td><${Sim} of=${r} /></td></tr>`)}</tbody></table>`;

/** @type {Record<string, (page: Page, value: any) => (string | null | false)[]>} */
const SAYS = {
  state: (page, v) => [`${page.t(`state-${v.previous}`)} → ${page.t(`state-${v.word}`)}`, reason(page, v.reason_word)],
  count: ({ t, lang }, v) => [`${t(`counter-${v.counter}`)} +${v.delta} = ${number(lang, v.total)}`, v.note && t(`note-${v.note}`)],
  inspection: ({ t, lang }, v) => [v.unit, t(`verdict-${v.verdict}`), t("score", { score: number(lang, v.score, 3) }), t("model", { digest: v.model })],
  kpi: ({ t, lang, zone }, v) => [
    `${t(`kpi-${v.name}`)} ${v.value === null ? "—" : number(lang, v.value, v.unit === "parts" ? 0 : 1)} ${v.unit === "%" ? "%" : t(`unit-${v.unit}`)}`,
    `${clock(zone, v.window.start)}–${clock(zone, v.window.end)}`, t("coverage", { share: number(lang, Math.floor(v.coverage * 1000) / 10, 1) }),
    v.revision > 0 && t("revision-of", { n: v.revision })],
  plan: ({ t }, v) => [t("plan-jobs", { n: v.jobs.length }), t(`rung-${v.rung}`, { model: v.model ?? "" }), t("late-jobs", { n: v.late })],
  fault: (page, v) => [`${v.source} ${worded(page, `fault-${v.code}`, v.code)}`, page.t(v.set ? "fault-set" : "fault-cleared"), v.message],
  gap: (page, v) => [`${v.what} ${worded(page, `gap-${v.cause}`, v.cause)}`, `${at(page, v.from)}–${at(page, v.to)}`,
    v.high !== null && page.t("gap-parts", { low: v.low ?? 0, high: v.high })],
  order: (page, v) => [page.t("order-of", { order: v.order }), v.quantity === 0 ? page.t("order-back") : page.t("order-quantity", { product: v.product, n: v.quantity }),
    page.t("order-due", { time: at(page, v.due) }), v.weight > 1 && page.t("order-rush")],
  reason: (page, v) => [page.t("of-stop", { seq: v.stop }), reason(page, v.reason_word), page.t(`role-${v.role}`), v.was !== null && page.t("replaces", { seq: v.was })],
  verdict: (page, v) => [page.t("part", { unit: v.unit }), `${page.t(`verdict-${v.instead}`)} → ${page.t(`verdict-${v.verdict}`)}`, page.t("of-inspection", { seq: v.inspection }),
    page.t(`role-${v.role}`), v.was !== null && page.t("replaces", { seq: v.was })],
  audit: (page, v) => [worded(page, `audit-${v.event}`, v.event), v.version, v.detail],
};

/** @param {Page} page @param {string | null} word */
const reason = (page, word) => word && worded(page, `reason-${word}`, word);

/** A record in words. @param {Page} page @param {any} record */
export const said = (page, { kind, value }) => SAYS[kind](page, value).filter(Boolean).join(" · ");
