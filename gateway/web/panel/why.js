// @ts-check
/** The drawer that opens a figure: definition, window, what it is the sum of, bounds, gaps, samples, register, revision. */

import { clock, day, number } from "/shared/format.js";
import { digits } from "/shared/figure.js";
import { named } from "/shared/i18n.js";
import { Made } from "./account.js";
import { Value, below, excuse, keyOf, over, unitOf } from "./figures.js";
import { html } from "./html.js";
import { Sim, at, lasting, worded } from "./parts.js";
import { account, samples } from "./store.js";
import { UNITS } from "./trends.js";

/** @typedef {import("./parts.js").Page} Page @typedef {import("/shared/figure.js").Figure} Figure */

/** @param {{page: Page, open: string | null, close: () => void}} props */
export function Why({ page, open, close }) {
  const live = page.now.figures.find((/** @type {Figure} */ f) => keyOf(f) === open);
  if (!live) return null;
  const told = account.value;
  const figure = told?.figure ?? live;
  const station = page.now.machines.find((/** @type {any} */ m) => m.name === figure.machine);
  return html`<dialog class="drawer" aria-labelledby="why-title" onClose=${close} ref=${show}>
    <header><h2 id="why-title">${page.t("why")}: ${page.t(`kpi-${figure.name}`)}</h2>
      <button type="button" class="close" onClick=${close} aria-label=${page.t("close")}>×</button></header>
    <p class="ans"><${Value} page=${page} figure=${figure} /><${Sim} of=${figure} /></p>
    <p>${station ? named(station.display, page.lang, station.name) : named(page.now.line.display, page.lang, page.now.line.line)}${excuse(page, figure) && ` · ${excuse(page, figure)}`}</p>
    ${over(page, figure) && html`<p class="over">${over(page, figure)}</p>`}
    <ol class="steps">${steps(page, figure, told).map(([name, aside, body]) => html`<li key=${name}><h3>${name}<span>${aside}</span></h3>${body}</li>`)}</ol>
  </dialog>`;
}

/** A click on the shade closes as Esc does. @param {HTMLDialogElement | null} dialog */
function show(dialog) {
  if (!dialog || dialog.open) return;
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  dialog.showModal();
}

/** @param {Page} page @param {Figure} figure @param {any} told @returns {[string, any, any][]} */
function steps(page, figure, told) {
  const { t } = page;
  const amount = (/** @type {number} */ n, /** @type {number} */ places) => number(page.lang, n, places);
  const division = `${amount(figure.numerator, figure.numerator % 1 ? 1 : 0)} ÷ ${amount(figure.denominator, figure.denominator % 1 ? 1 : 0)}`;
  const raw = samples.value;
  return [
    [t("definition"), "ISO 22400-2", lines([below(page, figure), worded(page, `define-${figure.name}`, "")])],
    [t("window"), `${day(page.zone, figure.window.start)} ${at(page, figure.window.start)}–${at(page, figure.window.end)}`, lines([planned(page, figure, told)])],
    [t("made-of"), division, html`<${Made} page=${page} told=${told} />`],
    [t("bounds"), bounds(page, figure), html`${lines([t(figure.low === null ? "no-bounds" : "bounds-mean")])}<p>${covered(page, figure)}</p>`],
    [t("gaps"), told ? t("gap-count", { n: told.gaps.length }) : "", gaps(page, told)],
    [t("samples"), raw ? `#${number(page.lang, raw.entry.seq)}` : "", tape(page, raw)],
    [t("register"), raw?.row.source.address ?? "", register(page, raw)],
    [t("revision"), `${figure.revision} · #${number(page.lang, told?.seq ?? page.now.ledger.seq).replaceAll(",", "")}`,
      lines([t(figure.closed ? "closed-window" : "open-window")])],
  ];
}

/** @param {string[]} said */
const lines = (said) => said.filter(Boolean).map((line) => html`<p>${line}</p>`);

/** @param {Page} page @param {Figure} figure @param {any} told */
function planned(page, figure, told) {
  const until = page.t("as-of", { time: clock(page.zone, figure.time, true) });
  const of = told ? ` · ${page.t("planned-time", { span: lasting(page, told.planned_s) })}` : "";
  return `${page.t(`window-${figure.window.kind}`)} · ${until}${of}`;
}

/** @param {Page} page @param {Figure} figure */
function covered(page, figure) {
  const unseen = Math.max(0, figure.expected_s - figure.covered_s);
  const share = page.t("coverage", { share: number(page.lang, Math.floor(figure.coverage * 1000) / 10, 1) });
  return `${share}: ${page.t("covered", { seen: lasting(page, figure.covered_s), all: lasting(page, figure.expected_s), unseen: lasting(page, unseen) })}`;
}

/** @param {Page} page @param {any} told */
function gaps(page, told) {
  if (!told) return null;
  if (told.gaps.length === 0) return lines([page.t("no-gaps")]);
  return html`<table><tbody>${told.gaps.slice(-GAPS).map((/** @type {any} */ gap) => html`<tr key=${`${gap.device} ${gap.start}`}>
    <td>${at(page, gap.start)}–${gap.cause === "open" ? "" : at(page, gap.end)}</td><td class="s">${gap.device} ${worded(page, `gap-${gap.cause}`, gap.cause)}</td>
    <td>${lasting(page, (Date.parse(gap.end) - Date.parse(gap.start)) / 1000)}</td></tr>`)}</tbody></table>`;
}
const GAPS = 8;

/** @param {Page} page @param {any} raw */
function tape(page, raw) {
  if (!raw) return lines([page.t("choose-entry")]);
  const rows = [...raw.before.map((/** @type {any} */ s) => ({ ...s, held: true })), ...raw.samples];
  if (rows.length === 0) return lines([page.t("no-samples")]);
  return html`<div class="raw"><table><tbody>${rows.map((s, i) => html`<tr key=${i} class=${s.held ? "held" : ""}><td>${clock(page.zone, s.time, true)}.${s.time.slice(20, 23)}</td>
    <td class="s">${raw.row.source.device}.${raw.row.source.tag}${s.held ? ` · ${page.t("held-before")}` : ""}</td>
    <td><code>${value(page, raw.row.source, s.value)}</code> ${page.t(`quality-${s.quality}`)}</td></tr>`)}</tbody></table></div>
    ${raw.more > 0 && html`<p>${page.t("more-samples", { n: number(page.lang, raw.more) })}</p>`}${raw.cut && html`<p>${page.t("samples-cut")}</p>`}`;
}

/** @param {Page} page @param {any} source @param {number | null} raw */
function value(page, source, raw) {
  if (raw === null) return "—";
  const word = source.words[String(raw)];
  if (source.role === "state") return `${raw} = ${page.t(`state-${word ?? "unknown"}`)}`;
  return `${Number.isInteger(raw) ? raw : number(page.lang, raw, 2)} ${UNITS[source.unit] ?? source.unit}`;
}

/** @param {Page} page @param {any} raw */
function register(page, raw) {
  if (!raw) return lines([page.t("choose-entry")]);
  const { source } = raw.row;
  const device = page.now.devices.find((/** @type {any} */ d) => d.name === source.device);
  const meaning = Object.entries(source.words).map(([number_, word]) => `${number_} = ${page.t(`state-${word}`)}`).join(" · ");
  return lines([`${device ? `${page.t(`driver-${device.driver}`)} · ${device.address} · ` : ""}${source.datatype} · ${number(page.lang, source.every_s * 1000)} ms · ${page.t("read-only-short")}`, meaning]);
}

/** @param {Page} page @param {Figure} figure */
function bounds(page, figure) {
  if (figure.low === null || figure.high === null) return "—";
  const places = digits(figure.unit);
  return `${number(page.lang, figure.low, places)}–${number(page.lang, figure.high, places)} ${unitOf(page, figure)}`;
}
