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

/** What lies between spans: time that is not planned. @param {{since: string, until: string}} window @param {{start: string, end: string}[]} planned */
export function between(window, planned) {
  const edges = [window.since, ...planned.flatMap((s) => [s.start, s.end]), window.until];
  return Array.from({ length: edges.length / 2 }, (_, i) => ({ start: edges[2 * i], end: edges[2 * i + 1] }))
    .filter((s) => Date.parse(s.end) > Date.parse(s.start));
}

/** @param {{page: import("./parts.js").Page, window: {since: string, until: string}, segments: Segment[], idle?: {start: string, end: string}[]}} props */
export function Ribbon({ page, window, segments, idle = [] }) {
  const [from, to] = [Date.parse(window.since), Date.parse(window.until)];
  const share = (/** @type {string} */ time) => ((Date.parse(time) - from) / (to - from)) * 100;
  return html`<div class="ribbon">
    ${segments.length > 0 && html`<i class="ground" style=${{ left: `${share(segments[0].start)}%` }} />`}
    ${hours(page.zone, window).map((mark) => html`<i class="hour" style=${{ left: `${mark.at * 100}%` }} />`)}
    ${idle.map((s) => html`<i key=${`idle ${s.start}`} class="unplanned" style=${{ left: `${share(s.start)}%`, width: `${share(s.end) - share(s.start)}%` }} />`)}
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
export const said = (page, s) => `${page.t(`state-${s.word}`)} ${at(page, s.start)}–${at(page, s.end)}`;
