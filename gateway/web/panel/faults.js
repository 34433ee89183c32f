// @ts-check
/** What is wrong, since when, and what to do about it. */

import { clock } from "/shared/format.js";
import { html } from "./html.js";
import { Head, Sym, at, worded } from "./parts.js";

/** @typedef {import("./parts.js").Page} Page */

/** @param {{page: Page, faults: any[]}} props */
export function FaultList({ page, faults }) {
  if (faults.length === 0) return html`<p class="empty">${page.t("no-faults")}</p>`;
  return html`<ul class="list">${faults.map((fault) => html`<li key=${`${fault.source} ${fault.code}`} data-fault=${fault.code}>
    <${Sym} id=${fault.code === "not_connected" ? "s-unknown" : "s-stopped"} />
    <b>${fault.source} ${worded(page, `fault-${fault.code}`, fault.code)}</b>
    <span class="t">${page.t("since", { time: at(page, fault.since) })}</span>
    <p>${fault.message}</p><p>${worded(page, `remedy-${fault.code}`, fault.remedy)}</p></li>`)}</ul>`;
}

/** @param {{page: Page}} props */
export function Faults({ page }) {
  const history = page.answers["/api/v1/faults?limit=30"]?.history ?? [];
  return html`<section><${Head} title=${page.t("faults")} note=${page.t("faults-open", { n: page.now.faults.length })} of=${page.now} />
    <${FaultList} page=${page} faults=${page.now.faults} /></section>
  <section><${Head} title=${page.t("fault-history")} of=${page.now} />
    ${history.length === 0 && html`<p class="empty">${page.t("nothing-yet")}</p>`}
    <ul class="list">${history.map((/** @type {any} */ r) => html`<li key=${r.seq}>
      <${Sym} id=${r.value.set ? "s-stopped" : "s-executing"} />
      <b>${r.value.source} ${worded(page, `fault-${r.value.code}`, r.value.code)} · ${page.t(r.value.set ? "fault-set" : "fault-cleared")}</b>
      <span class="t">${clock(page.zone, r.time, true)} · #${r.seq}</span><p>${r.value.message}</p></li>`)}</ul></section>`;
}
