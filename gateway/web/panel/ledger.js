// @ts-check
/** The ledger: how deep, how far each sink has read, and the newest records. */

import { number } from "/shared/format.js";
import { html } from "./html.js";
import { Head, sinkName } from "./parts.js";
import { Records } from "./records.js";

/** @typedef {import("./parts.js").Page} Page */

/** @param {{page: Page}} props */
export function Ledger({ page }) {
  const { ledger } = page.now;
  const { last_seq, ...sinks } = ledger.depth;
  const records = page.answers["/api/v1/ledger?limit=60"]?.records ?? [];
  return html`<section><${Head} title=${page.t("tab-ledger")} note=${page.t("ledger-note")} of=${page.now} />
    <dl class="facts big">
      <div><dt>${page.t("committed")}</dt><dd class="num">#${number(page.lang, ledger.seq)}</dd></div>
      <div><dt>${page.t("on-disk")}</dt><dd>${page.t(ledger.durable ? "durable" : "not-durable")}</dd></div>
      <div><dt>${page.t("ledger-id")}</dt><dd>${ledger.id} · ${ledger.root}</dd></div>
      ${Object.entries(sinks).map(([sink, seq]) => html`<div key=${sink}><dt>${sinkName(page, sink)}</dt>
        <dd><b class="num">#${number(page.lang, seq)}</b> · ${page.t("waiting", { n: number(page.lang, last_seq - seq) })}</dd></div>`)}
    </dl>
    <${Records} page=${page} records=${records} /></section>`;
}
