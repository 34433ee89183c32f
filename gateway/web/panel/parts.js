// @ts-check
/** The small parts every page is made of: symbols, lamps, marks, section heads. */

import { clock, number, span } from "/shared/format.js";
import { look } from "/shared/states.js";
import { html } from "./html.js";

/**
 * @typedef {{t: import("/shared/i18n.js").Translate, lang: string, zone: string, now: any, silence: number,
 *   beats: number, stale: boolean, answers: Record<string, any>, explain: (key: string) => void}} Page
 */

/** @param {{id: string}} props */
export const Sym = ({ id }) => html`<svg class="sym" aria-hidden="true"><use href=${`#${id}`} /></svg>`;

/** @param {{word: string}} props */
export const Stack = ({ word }) =>
  html`<span class="stack" data-lit=${look(word).lamp} aria-hidden="true"><i /><i /><i /><i /><i /></span>`;

/** Set by the data alone: there is no way to draw a simulated figure without it. @param {{of: {sim: boolean}}} props */
export const Sim = ({ of }) => (of.sim ? html`<b class="mark sim">SIM</b>` : null);

/** @param {{page: Page, seconds: number}} props */
export const Stale = ({ page, seconds }) =>
  html`<b class="mark stale"><${Sym} id="f-stale" />${page.t("mark-stale", { span: lasting(page, seconds) })}</b>`;

/** @param {{page: Page, share: number, bare?: boolean}} props */
export function Coverage({ page, share, bare = false }) {
  // Rounded down: 98 % that is not quite there must not read as if it were.
  const text = number(page.lang, Math.floor(share * 1000) / 10, share >= 1 ? 0 : 1);
  return html`<span class=${share < 0.98 ? "covered warn" : "covered"}>
    <i class="cov" style=${{ "--c": share * 100 }} />${bare ? `${text} %` : page.t("coverage", { share: text })}
  </span>`;
}

/** Three bars, one hollow for each heartbeat owed, then the age in words. @param {{page: Page, seconds: number}} props */
export function Fresh({ page, seconds }) {
  const id = ["f-fresh", "f-late", "f-stale", "f-stale"][page.beats];
  return html`<span class="fresh"><${Sym} id=${id} />${page.t("ago", { span: lasting(page, seconds) })}</span>`;
}

/** @param {{id?: string, title: string, note?: any, of?: {sim: boolean}, children?: any}} props */
export const Head = ({ id, title, note, of, children }) => html`
  <header class="sec"><h2 id=${id}>${title}</h2>${note && html`<span class="note">${note}</span>`}
    <span class="prov">${children}${of && html`<${Sim} of=${of} />`}</span></header>`;

/** A span of time in words. @param {Page} page @param {number} seconds */
export function lasting(page, seconds) {
  const { unit, n } = span(seconds);
  return page.t("span", { n: number(page.lang, n, Number.isInteger(n) ? 0 : 1), unit });
}

/** Who takes records: a face of the line, or a consumer by its name. @param {Page} page @param {string} sink */
export function sinkName(page, sink) {
  const [face, name] = sink.split(":");
  return name ? page.t("sink-consumer", { name }) : page.t(`sink-${face}`);
}

/** Hour and minute at the line. @param {Page} page @param {string} time */
export const at = (page, time) => clock(page.zone, time);

/** Seconds of plant time from one ISO time to another. @param {string} from @param {string} to */
export const between = (from, to) => (Date.parse(to) - Date.parse(from)) / 1000;

/** Wall seconds since a moment of plant time, counting the silence since the last message.
 * @param {Page} page @param {string} time */
export const ago = (page, time) => page.silence + between(time, page.now.time) / Math.max(page.now.speed, 1e-3);

/** The words of an id, or `plain` where the language file has none. @param {Page} page @param {string} id @param {string} plain */
export function worded(page, id, plain) {
  const words = page.t(id);
  return words === id ? plain : words;
}
