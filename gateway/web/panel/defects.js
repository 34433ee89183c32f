// @ts-check
/** Rejected parts by class of defect, the most first; a class opens into its records. */

import { signal } from "/lib/signals-core.mjs";
import { clock, number } from "/shared/format.js";
import { html } from "./html.js";
import { Head, worded } from "./parts.js";

/** @typedef {import("./parts.js").Page} Page */

/** The class that is open: "machine defect". */
const open = signal("");

/** @param {{page: Page, told: any, of: {sim: boolean}, children?: any}} props */
export function Defects({ page, told, of, children }) {
  const note = told && page.t("rejected-of", { n: number(page.lang, told.rejected), all: number(page.lang, told.inspected) });
  return html`<section aria-labelledby="by-defect"><${Head} id="by-defect" title=${page.t("by-defect")} note=${note} of=${of}>${children}<//>
    ${told && told.rejected === 0 && html`<p class="empty">${page.t("no-rejects")}</p>`}
    <ul class="classes">${(told?.classes ?? []).map((/** @type {any} */ row) => html`<${Class} key=${row.defect ?? ""} page=${page} row=${row} of=${told.machine} />`)}</ul></section>`;
}

/** @param {{page: Page, row: any, of: string}} props */
function Class({ page, row, of }) {
  const key = `${of} ${row.defect}`;
  const opened = open.value === key;
  const share = (/** @type {number} */ part) => number(page.lang, part * 100, 0);
  return html`<li data-defect=${row.defect ?? "none"}><button type="button" class="row" aria-expanded=${opened} onClick=${() => { open.value = opened ? "" : key; }}>
      <span class="what">${row.defect ? worded(page, `defect-${row.defect}`, row.defect) : page.t("defect-none")}</span>
      <span class="bar" aria-hidden="true"><i style=${{ width: `${row.share * 100}%` }} /></span><b class="num">${number(page.lang, row.parts)}</b>
      <span class="t">${page.t("share-so-far", { share: share(row.share), sum: share(row.cumulative) })}</span></button>
    ${opened && html`<ol class="entries" role="list">${row.entries.map((/** @type {any} */ one) => html`<li key=${one.seq}><p><span>${clock(page.zone, one.time, true)}</span>
        <span class="s">${one.evidence ? html`<a href=${`/api/v1/evidence/${encodeURIComponent(one.evidence)}`} target="_blank" rel="noopener">${one.unit}</a>` : one.unit}</span><b>#${one.seq}</b></p></li>`)}
      ${row.parts > row.entries.length && html`<li><p><span>${page.t("earlier-entries", { n: row.parts - row.entries.length })}</span></p></li>`}</ol>`}</li>`;
}
