// @ts-check
/** Stops of the shift: what the PLC says, what a person says, and how much time each reason took. */

import { signal } from "/lib/signals-core.mjs";
import { clock, number } from "/shared/format.js";
import { named } from "/shared/i18n.js";
import { may, refusal, send } from "./access.js";
import { Refusal } from "./door.js";
import { html } from "./html.js";
import { Head, lasting, worded } from "./parts.js";
import { refresh } from "./store.js";

/** @typedef {import("./parts.js").Page} Page */

/** The stop whose reason is being chosen: its seq and the reason that is shown. */
const open = signal(/** @type {{seq: number, seen: number} | null} */ (null));

/** @param {Page} page @param {string | null} word */
const reason = (page, word) => (word ? worded(page, `reason-${word}`, word) : page.t("reason-none"));

/** @param {Page} page @param {string} machine */
const called = (page, machine) => named(page.now.machines.find((/** @type {any} */ one) => one.name === machine)?.display, page.lang, machine);

/** @param {{page: Page}} props */
export function Stops({ page }) {
  const told = page.answers["/api/v1/stops"];
  const stops = told?.stops ?? [];
  return html`<section aria-labelledby="by-reason"><${Head} id="by-reason" title=${page.t("by-reason")} note=${page.t("by-reason-note")} of=${page.now} />
      <ul class="causes">${(told?.pareto ?? []).map((/** @type {any} */ row) => html`<li key=${row.reason ?? ""} data-reason=${row.reason ?? "none"}>
        <b>${reason(page, row.reason)}</b><span class="bar" aria-hidden="true"><i style=${{ width: `${row.share * 100}%` }} /></span>
        <span class="num">${lasting(page, row.seconds)}</span><span class="t">${page.t("share-of", { share: number(page.lang, row.share * 100, 0) })} · ${page.t("times", { n: row.stops })}</span></li>`)}</ul></section>
    <section aria-labelledby="stops"><${Head} id="stops" title=${page.t("stops-of-shift")} note=${page.t("stops-of-shift-note")} of=${page.now} />
      ${told && stops.length === 0 && html`<p class="empty">${page.t("no-stops-yet")}</p>`}
      <ul class="halts">${stops.map((/** @type {any} */ stop) => html`<${Stop} key=${stop.seq} page=${page} stop=${stop} words=${told.reasons[stop.machine]} />`)}</ul></section>`;
}

/** @param {{page: Page, stop: any, words: string[]}} props */
function Stop({ page, stop, words }) {
  const choosing = open.value?.seq === stop.seq;
  const time = clock(page.zone, stop.start);
  return html`<li data-stop=${stop.seq}><p class="when"><span class="num">${time}</span> <b>${called(page, stop.machine)}</b> <span class="t">${lasting(page, stop.seconds)}</span></p>
    <p class="what"><b>${reason(page, stop.reason)}</b> <span class="t">${stop.role ? page.t("reason-by", { role: page.t(`role-${stop.role}`) }) : stop.plc ? page.t("reason-plc") : ""}
      ${stop.role && stop.plc && ` · ${page.t("reason-plc")}: ${reason(page, stop.plc)}`}</span></p>
    ${may("decide") && html`<button type="button" class="small" aria-expanded=${choosing} aria-label=${page.t("reason-of", { machine: stop.machine, time })}
      onClick=${() => choose(choosing ? null : stop)}>${page.t(choosing ? "cancel" : stop.seen ? "change-reason" : "say-reason")}</button>`}
    ${choosing && html`<${Choice} page=${page} stop=${stop} words=${words} />`}</li>`;
}

/** Nothing that was refused before belongs to the next choice. @param {any} stop */
function choose(stop) {
  refusal.value = null;
  open.value = stop && { seq: stop.seq, seen: stop.seen };
}

/** @param {{page: Page, stop: any, words: string[]}} props */
const Choice = ({ page, stop, words }) => html`<div class="choice" role="group" aria-label=${page.t("reason-of", { machine: stop.machine, time: clock(page.zone, stop.start) })}>
  ${open.value && open.value.seen !== stop.seen && html`<p class="refusal" role="alert">${page.t("faster", { reason: reason(page, stop.reason) })}</p>`}
  ${refusal.value?.status !== 409 && html`<${Refusal} t=${page.t} form="stop" />`}
  ${words.map((word) => html`<button type="button" key=${word} data-word=${word} aria-pressed=${word === stop.reason} onClick=${() => record(stop, word)}>${reason(page, word)}</button>`)}</div>`;

/** Where somebody was faster, the page shows what they said, and the next choice is made knowing it.
 * @param {any} stop @param {string} word */
async function record(stop, word) {
  const done = await send("stop", "POST", `stops/${stop.seq}`, { reason: word, seen: stop.seen });
  await refresh();
  if (done) open.value = null;
}
