// @ts-check
/** The ledger: how deep, how far each sink has read, and the newest records. */

import { clock, number } from "/shared/format.js";
import { html } from "./html.js";
import { Head, Sim, worded } from "./parts.js";

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
      ${Object.entries(sinks).map(([sink, seq]) => html`<div key=${sink}><dt>${page.t(`sink-${sink}`)}</dt>
        <dd><b class="num">#${number(page.lang, seq)}</b> · ${page.t("waiting", { n: number(page.lang, last_seq - seq) })}</dd></div>`)}
    </dl>
    <table class="tags records"><thead><tr><th class="r">seq</th><th>${page.t("time")}</th><th>${page.t("kind")}</th>
      <th>${page.t("station")}</th><th class="wide">${page.t("content")}</th><th /></tr></thead>
      <tbody>${records.map((/** @type {any} */ r) => html`<tr key=${r.seq} data-seq=${r.seq}><td class="r num">${r.seq}</td>
        <td>${clock(page.zone, r.time, true)}</td><td>${page.t(`kind-${r.kind}`)}</td><td>${r.machine || "—"}</td>
        <td class="body">${said(page, r)}</td><td><${Sim} of=${r} /></td></tr>`)}</tbody></table></section>`;
}

/** A record in a line of words, the frequent kinds in the reader's language. @param {Page} page @param {any} r */
function said(page, { kind, value }) {
  const { t, lang } = page;
  if (kind === "state") return `${t(`state-${value.previous}`)} → ${t(`state-${value.word}`)}${value.reason_word ? ` · ${worded(page, `reason-${value.reason_word}`, value.reason_word)}` : ""}`;
  if (kind === "count") return `${t(`counter-${value.counter}`)} +${value.delta} = ${number(lang, value.total)}${value.note ? ` · ${value.note}` : ""}`;
  if (kind === "inspection") return `${value.unit} · ${t(`verdict-${value.verdict}`)} · ${t("score", { score: number(lang, value.score, 3) })} · ${t("model", { digest: value.model })}`;
  return brief(value);
}

const LONGEST = 110;

/** The body on one line: what is null or deep is left to the API. @param {Record<string, any>} value */
function brief(value) {
  const text = Object.entries(value)
    .filter(([, v]) => v !== null && typeof v !== "object")
    .map(([k, v]) => `${k} ${typeof v === "number" && !Number.isInteger(v) ? v.toFixed(2) : v}`)
    .join(" · ");
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
}
