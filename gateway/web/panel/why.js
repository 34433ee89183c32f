// @ts-check
/** The drawer that opens a figure: definition, window, parts of the division, bounds, coverage, revision. */

import { day, number } from "/shared/format.js";
import { digits } from "/shared/figure.js";
import { named } from "/shared/i18n.js";
import { Value, below, excuse, keyOf, unitOf } from "./figures.js";
import { html } from "./html.js";
import { Sim, at, lasting } from "./parts.js";

/** @typedef {import("./parts.js").Page} Page @typedef {import("/shared/figure.js").Figure} Figure */

/** @param {{page: Page, open: string | null, close: () => void}} props */
export function Why({ page, open, close }) {
  const figure = page.now.figures.find((/** @type {Figure} */ f) => keyOf(f) === open);
  if (!figure) return null;
  const station = page.now.machines.find((/** @type {any} */ m) => m.name === figure.machine);
  return html`<dialog class="drawer" aria-labelledby="why-title" onClose=${close} ref=${show}>
    <header><h2 id="why-title">${page.t("why")}: ${page.t(`kpi-${figure.name}`)}</h2>
      <button type="button" class="close" onClick=${close} aria-label=${page.t("close")}>×</button></header>
    <p class="ans"><${Value} page=${page} figure=${figure} /><${Sim} of=${figure} /></p>
    <p>${station ? named(station.display, page.lang, station.name) : named(page.now.line.display, page.lang, page.now.line.line)}${excuse(page, figure) && ` · ${excuse(page, figure)}`}</p>
    <ol class="steps">${steps(page, figure).map(([name, aside, lines]) => html`<li key=${name}>
      <h3>${name}<span>${aside}</span></h3>${lines.map((/** @type {any} */ line) => html`<p>${line}</p>`)}</li>`)}</ol>
  </dialog>`;
}

/** A click on the shade closes as Esc does. @param {HTMLDialogElement | null} dialog */
function show(dialog) {
  if (!dialog || dialog.open) return;
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  dialog.showModal();
}

/** @param {Page} page @param {Figure} figure @returns {[string, string, any[]][]} */
function steps(page, figure) {
  const { t, lang } = page;
  const { window } = figure;
  const amount = (/** @type {number} */ n, /** @type {number} */ places) => number(lang, n, places);
  const unseen = Math.max(0, figure.expected_s - figure.covered_s);
  return [
    [t("definition"), "ISO 22400-2", [below(page, figure), t(`define-${figure.name}`)]],
    [t("window"), `${day(page.zone, window.start)} ${at(page, window.start)}–${at(page, window.end)}`,
      [`${t(`window-${window.kind}`)} · ${t("as-of", { time: at(page, figure.time) })}`]],
    [t("division"), `${amount(figure.numerator, figure.numerator % 1 ? 1 : 0)} ÷ ${amount(figure.denominator, figure.denominator % 1 ? 1 : 0)}`,
      [t("parts-of-division")]],
    [t("coverage-title"), `${amount(Math.floor(figure.coverage * 1000) / 10, 1)} %`,
      [t("covered", { seen: lasting(page, figure.covered_s), all: lasting(page, figure.expected_s), unseen: lasting(page, unseen) })]],
    [t("bounds"), bounds(page, figure), [t(figure.low === null ? "no-bounds" : "bounds-mean")]],
    [t("revision"), `${figure.revision}`, [t(figure.closed ? "closed-window" : "open-window"), `#${page.now.ledger.seq} · ${page.now.ledger.root}`]],
  ];
}

/** @param {Page} page @param {Figure} figure */
function bounds(page, figure) {
  if (figure.low === null || figure.high === null) return "—";
  const places = digits(figure.unit);
  return `${number(page.lang, figure.low, places)}–${number(page.lang, figure.high, places)} ${unitOf(page, figure)}`;
}
