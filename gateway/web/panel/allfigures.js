// @ts-check
/** The figures of a machine or of the line that have no card, and utilization by each of its denominators. */

import { number } from "/shared/format.js";
import { Value, below, excuse, find, keyOf, over } from "./figures.js";
import { html } from "./html.js";
import { Coverage, Head } from "./parts.js";
import { span } from "./store.js";

/** @typedef {import("./parts.js").Page} Page @typedef {import("/shared/figure.js").Figure} Figure */

/** The figures that stand as cards above. */
export const CARDS = ["utilization", "first_pass_yield", "takt", "good"];

/** The presets of utilization: the figure each is, and what it is divided by. */
const PRESETS = { planned: "utilization", shift: "utilization_calendar", calendar: "utilization_calendar" };

/** Every other figure in the window, each with its why. @param {{page: Page, machine?: string, of: {sim: boolean}}} props */
export function All({ page, machine = "", of }) {
  const figures = page.now.figures.filter((/** @type {Figure} */ f) => f.machine === machine && f.window.kind === span.value && !CARDS.includes(f.name) && !Object.values(PRESETS).includes(f.name));
  if (figures.length === 0) return null;
  return html`<section><${Head} title=${page.t("all-figures")} note=${page.t("all-figures-note")} of=${of} />
    <ul class="all">${figures.map((/** @type {Figure} */ f) => html`<${Line} key=${f.name} page=${page} figure=${f} name=${page.t(`kpi-${f.name}`)} of=${below(page, f)} />`)}</ul></section>`;
}

/** @param {{page: Page, figure: Figure, name: string, of: string}} props */
const Line = ({ page, figure, name, of }) => html`<li data-figure=${figure.name}><span class="what"><b>${name}</b><small>${[of, excuse(page, figure)].filter(Boolean).join(" · ")}</small></span>
  <button type="button" class="fv" onClick=${() => page.explain(keyOf(figure))} aria-label=${`${page.t("why")}: ${name}`}><${Value} page=${page} figure=${figure} /></button>
  <${Coverage} page=${page} share=${figure.coverage} bare />
  ${over(page, figure) && html`<small class="over">${over(page, figure)}</small>`}</li>`;

/** Utilization three ways, none without its denominator. @param {{page: Page, machine?: string, of: {sim: boolean}}} props */
export function Presets({ page, machine = "", of }) {
  const found = Object.entries(PRESETS).flatMap(([preset, name]) => {
    const figure = find(page.now, name, machine, span.value);
    return figure ? [{ preset, figure }] : [];
  });
  const seconds = (/** @type {number} */ s) => number(page.lang, s / 60);
  return html`<section class="presets"><${Head} title=${page.t("presets")} note=${page.t("presets-note")} of=${of} />
    <ul class="all one">${found.map(({ preset, figure }) => html`<${Line} key=${preset} page=${page} figure=${figure} name=${page.t(`preset-${preset}`)}
      of=${page.t(`preset-${preset}-of`, { above: seconds(figure.numerator), below: seconds(figure.denominator) })} />`)}</ul>
    ${found.length === 1 && html`<p class="note">${page.t("presets-of-shift")}</p>`}</section>`;
}
