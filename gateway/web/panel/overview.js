// @ts-check
/** The first tab: four figures, the stations, and below them what needs attention and what comes next. */

import { number } from "/shared/format.js";
import { named } from "/shared/i18n.js";
import { All, CARDS, Presets } from "./allfigures.js";
import { Cycles } from "./cycles.js";
import { Card, find } from "./figures.js";
import { FaultList } from "./faults.js";
import { html } from "./html.js";
import { Counts } from "./inspections.js";
import { Part } from "./part.js";
import { Head, Sym, at, lasting, sinkName } from "./parts.js";
import { Jobs } from "./plan.js";
import { Stations } from "./stations.js";
import { ASKED, span } from "./store.js";
import { Limit, TimeModel } from "./times.js";
import { Switch } from "./window.js";

/** @typedef {import("./parts.js").Page} Page */

/** @param {{page: Page}} props */
export const Overview = ({ page }) => html`
  <section class="now"><${Head} title=${page.t(`window-${span.value}`)} note=${during(page)} of=${page.now}><${Switch} page=${page} /><//>
    <div class="figs">${CARDS.map((name) => html`<${Card} key=${name} page=${page} name=${name} kind=${span.value} />`)}</div></section>
  <${Stations} page=${page} />
  <div class="four">
    <section><${Head} title=${page.t("faults")} note=${page.t("faults-open", { n: page.now.faults.length })} />
      <${FaultList} page=${page} faults=${page.now.faults} /></section>
    <section><${Head} title=${page.t("collecting")} of=${page.now} /><${Links} page=${page} /></section>
    <section><${LastPart} page=${page} /></section>
    <section><${Head} title=${page.t("next")} note=${page.t("advice")} of=${page.now} /><${Jobs} page=${page} jobs=${ahead(page.now)} limit=${3} /></section>
  </div>
  <div class="pair"><${Limit} page=${page} /><${Presets} page=${page} of=${page.now} /></div>
  <${All} page=${page} of=${page.now} />
  <${TimeModel} page=${page} of=${page.now} />
  <${Last} page=${page} />`;

/** From when to when the figures are. @param {Page} page */
function during(page) {
  const figure = find(page.now, CARDS[0], "", span.value);
  return figure && `${at(page, figure.window.start)}–${at(page, figure.window.end)}`;
}

/** Cycles of the station that parts leave the line at: the line's takt is its. @param {{page: Page}} props */
function Last({ page }) {
  const station = page.now.machines.at(-1);
  const told = station && page.answers[ASKED(station.name, span.value).page];
  return told ? html`<${Cycles} page=${page} told=${told} station=${station} title=${page.t("cycles-of-last", { machine: named(station.display, page.lang, station.name) })} />` : null;
}

/** Jobs still to start; while all have started, those under way. @param {any} now */
function ahead(now) {
  const open = (now.plan?.jobs ?? []).filter((/** @type {any} */ job) => job.end > now.time);
  const waiting = open.filter((/** @type {any} */ job) => job.start >= now.time);
  return waiting.length > 0 ? waiting : open;
}

/** How many links are up, which are not, and how far each sink has read the ledger. @param {{page: Page}} props */
function Links({ page }) {
  const { devices, ledger } = page.now;
  const down = devices.filter((/** @type {any} */ d) => !d.connected);
  const up = devices.filter((/** @type {any} */ d) => d.connected);
  const slowest = Math.max(0, ...up.map((/** @type {any} */ d) => d.latency_ms ?? 0));
  const { last_seq, ...sinks } = ledger.depth;
  return html`<ul class="list">
    <li><${Sym} id=${page.stale ? "f-stale" : "f-fresh"} /><b>${page.t("links-up", { up: up.length, all: devices.length })}</b>
      <span class="t">${up.length > 0 && page.t("slowest", { ms: number(page.lang, slowest, slowest < 10 ? 1 : 0) })}</span>
      <p>${up.map((/** @type {any} */ d) => `${d.name} ${page.t(`driver-${d.driver}`)}`).join(" · ")}</p></li>
    ${down.map((/** @type {any} */ d) => html`<li key=${d.name}><${Sym} id="f-stale" /><b>${d.name} ${page.t(`driver-${d.driver}`)}</b>
      <span class="t">${d.age_s === null ? page.t("never-read") : page.t("silent", { span: lasting(page, d.age_s + page.silence) })}</span>
      <p>${d.gap_since && `${page.t("no-data-since", { time: at(page, d.gap_since) })} · `}${page.t("reconnects", { n: d.reconnects })}</p></li>`)}
    ${Object.entries(sinks).map(([sink, seq]) => html`<li key=${sink}>
      <${Sym} id=${last_seq - seq > 1000 ? "f-late" : "f-fresh"} /><b>${page.t("acknowledged", { sink: sinkName(page, sink), seq: number(page.lang, seq) })}</b>
      <span class="t">${page.t("waiting", { n: number(page.lang, last_seq - seq) })}</span>
      <p>${page.t(ledger.durable ? "durable" : "not-durable")} · #${ledger.seq} · ${ledger.root}</p></li>`)}
  </ul>`;
}

/** @param {{page: Page}} props */
function LastPart({ page }) {
  const last = page.now.inspections.reduce(
    (/** @type {any} */ best, /** @type {any} */ part) => (!best || part.time > best.time ? part : best), null);
  const judged = find(page.now, "inspection_pass");
  return html`<${Head} title=${page.t("inspection")} note=${judged && `n = ${number(page.lang, judged.denominator)}`} of=${page.now} />
    ${last ? html`<${Part} page=${page} part=${last} />` : html`<p class="empty">${page.t("no-parts-yet")}</p>`}
    <${Counts} page=${page} />`;
}
