// @ts-check
/** The stack-light score: each state lies in the lane of its lamp, what was not seen is hatched over all lanes. */

import { clock } from "/shared/format.js";
import { LAMPS, look } from "/shared/states.js";
import { html } from "./html.js";
import { at } from "./parts.js";

/** @typedef {{word: string, reason: string | null, start: string, end: string}} Segment */

const READ_OUT = 8;

/** Hours within the window, as share of its width. @param {string} zone @param {{since: string, until: string}} window */
export function hours(zone, window) {
  const [from, to] = [Date.parse(window.since), Date.parse(window.until)];
  const step = 3_600_000;
  const marks = [];
  for (let time = Math.ceil(from / step) * step; time < to; time += step) {
    marks.push({ at: (time - from) / (to - from), label: clock(zone, time) });
  }
  return marks;
}

/** @param {{page: import("./parts.js").Page, window: {since: string, until: string}, segments: Segment[]}} props */
export function Ribbon({ page, window, segments }) {
  const [from, to] = [Date.parse(window.since), Date.parse(window.until)];
  const share = (/** @type {string} */ time) => ((Date.parse(time) - from) / (to - from)) * 100;
  return html`<div class="ribbon">
    ${segments.length > 0 && html`<i class="ground" style=${{ left: `${share(segments[0].start)}%` }} />`}
    ${hours(page.zone, window).map((mark) => html`<i class="hour" style=${{ left: `${mark.at * 100}%` }} />`)}
    ${segments.map((s) => html`<i key=${s.start} class=${`lane lane-${look(s.word).lamp}`} title=${said(page, s)}
      style=${{ left: `${share(s.start)}%`, width: `${share(s.end) - share(s.start)}%`, ...row(s.word) }} />`)}
    <ol class="sr">${segments.slice(-READ_OUT).map((s) => html`<li key=${s.start}>${said(page, s)}</li>`)}</ol>
  </div>`;
}

/** @param {string} word */
function row(word) {
  const lane = LAMPS.indexOf(look(word).lamp);
  return lane < 0 ? {} : { top: `${lane * 20}%` };
}

/** @param {import("./parts.js").Page} page @param {Segment} s */
const said = (page, s) => `${page.t(`state-${s.word}`)} ${at(page, s.start)}–${at(page, s.end)}`;
