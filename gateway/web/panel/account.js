// @ts-check
/** What a figure is the sum of: rows by state or counter, each opens into its records, each record into its samples. */

import { signal } from "/lib/signals-core.mjs";
import { clock, number } from "/shared/format.js";
import { may } from "./access.js";
import { html } from "./html.js";
import { Bar, Key, ORDER, minutes } from "./machine.js";
import { worded } from "./parts.js";
import { account, bring, samples } from "./store.js";

/** @typedef {import("./parts.js").Page} Page */

const LISTED = 60;
/** Which row is open: "machine kind word". */
export const opened = signal("");
account.subscribe(() => { opened.value = ""; });

/** @param {any} row */
const keyOf = (row) => `${row.machine} ${row.kind} ${row.word}`;

/** @param {{page: Page, told: any}} props */
export function Made({ page, told }) {
  if (!told) return html`<p>${may("trace") ? page.t("reading") : page.t("not-for-role")}</p>`;
  const rows = told.rows.filter((/** @type {any} */ row) => row.entries.length > 0 || row.kind === "planned").sort(inOrder(page));
  const machines = new Set(rows.map((/** @type {any} */ row) => row.machine).filter(Boolean));
  const found = ORDER.map((word) => ({ word, seconds: total(rows, word) })).filter((one) => one.seconds > 0);
  const all = found.reduce((sum, one) => sum + one.seconds, 0);
  return html`${all > 0 && html`<${Bar} found=${found} all=${all} />`}
    <ul class="made">${rows.map((/** @type {any} */ row) => html`<${Row} key=${keyOf(row)} page=${page} row=${row} many=${machines.size > 1} />`)}</ul>
    <p class="sum" data-agrees=${told.agrees}>${page.t(told.agrees ? "sums-agree" : "sums-differ", { numerator: plain(page, told.numerator), denominator: plain(page, told.denominator) })}</p>`;
}

/** Machines in the order of the flow, states in the order of every bar. @param {Page} page */
function inOrder(page) {
  const names = page.now.machines.map((/** @type {any} */ m) => m.name);
  const place = (/** @type {any} */ row) => (row.machine ? names.indexOf(row.machine) : names.length) * 100 + ORDER.indexOf(row.word);
  return (/** @type {any} */ a, /** @type {any} */ b) => place(a) - place(b);
}

/** @param {any[]} rows @param {string} word */
const total = (rows, word) => rows.reduce((sum, row) => (row.kind === "state" && row.word === word ? sum + row.amount : sum), 0);

/** @param {Page} page @param {number} n */
const plain = (page, n) => number(page.lang, n, n % 1 ? 1 : 0);

/** @param {{page: Page, row: any, many: boolean}} props */
function Row({ page, row, many }) {
  const open = opened.value === keyOf(row);
  const said = html`<span class="what">${row.kind === "state" && html`<${Key} word=${row.word} />`}${words(page, row)}${many && html`<small>${row.machine}</small>`}</span>
    <span class="part">${page.t(`part-${row.numerator ? (row.denominator ? "both" : "above") : row.denominator ? "below" : "none"}`)}</span><b>${amount(page, row)}</b>`;
  if (row.entries.length === 0) return html`<li><p class="row">${said}</p></li>`;
  return html`<li><button type="button" class="row" aria-expanded=${open} onClick=${() => { opened.value = open ? "" : keyOf(row); }}>${said}</button>
    ${open && html`<${Entries} page=${page} row=${row} />`}</li>`;
}

/** @param {Page} page @param {any} row */
function words(page, row) {
  if (row.kind === "state") return page.t(`state-${row.word}`);
  if (row.kind === "count") return page.t(`counter-${row.word}`);
  if (row.kind === "stop") return page.t(`counted-${row.word}`);
  return row.kind === "verdict" ? page.t(`verdict-${row.word}`) : page.t("planned-row");
}

/** @param {Page} page @param {any} row */
function amount(page, row) {
  if (row.kind === "state") return minutes(page, row.amount);
  if (row.each < 0) return `−${plain(page, row.amount)}`;
  return row.each === 1 ? plain(page, row.amount) : `${plain(page, row.amount)} × ${number(page.lang, row.each, 1)} s`;
}

/** @param {any} row */
const lasts = (row) => row.kind === "state" || row.kind === "stop";

/** What an entry adds; of a stop, which counts one, how long it was. @param {Page} page @param {any} row @param {any} entry */
function added(page, row, entry) {
  if (row.kind === "stop") return minutes(page, (Date.parse(entry.end) - Date.parse(entry.start)) / 1000);
  return row.kind === "state" ? minutes(page, entry.amount) : `+${entry.amount}`;
}

/** @param {{page: Page, row: any}} props */
function Entries({ page, row }) {
  const shown = row.entries.slice(-LISTED).reverse();
  const rest = row.entries.slice(0, -LISTED).reduce((/** @type {number} */ sum, /** @type {any} */ e) => sum + e.amount, 0);
  return html`<ol class="entries" role="list">${shown.map((/** @type {any} */ entry) => html`<li key=${`${entry.seq} ${entry.start}`}>${row.source
      ? html`<button type="button" aria-pressed=${samples.value?.entry === entry} onClick=${() => bring(row, entry).then(reveal)}><${Entry} page=${page} row=${row} entry=${entry} /></button>`
      : html`<p><${Entry} page=${page} row=${row} entry=${entry} /></p>`}</li>`)}
    ${row.entries.length > LISTED && html`<li><p><span>${page.t("earlier-entries", { n: row.entries.length - LISTED })}</span><b>${amount(page, { ...row, amount: rest })}</b></p></li>`}</ol>`;
}

/** @param {{page: Page, row: any, entry: any}} props */
const Entry = ({ page, row, entry }) => html`<span>${clock(page.zone, entry.start, true)}${lasts(row) ? `–${clock(page.zone, entry.end, true)}` : ""}</span>
  <span class="s">${note(page, row, entry)}</span><span class="s">${entry.seq > 0 ? `#${entry.seq}` : ""}</span><b>${added(page, row, entry)}</b>`;

/** @param {Page} page @param {any} row @param {any} entry */
function note(page, row, entry) {
  if (!entry.note) return "";
  if (row.kind === "count") return page.t(`note-${entry.note}`);
  return lasts(row) ? worded(page, `reason-${entry.note}`, entry.note) : entry.note;
}

/** The samples stand further down: bring them into sight. */
function reveal() {
  requestAnimationFrame(() => document.querySelector(".drawer .raw")?.scrollIntoView({ block: "center" }));
}
