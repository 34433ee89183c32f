// @ts-check
/** One machine: its state, the last 24 hours, the figures of a window, what the time went to, cycles, trends, records. */

import { clock, number } from "/shared/format.js";
import { named } from "/shared/i18n.js";
import { look } from "/shared/states.js";
import { All, CARDS, Presets } from "./allfigures.js";
import { Cycles } from "./cycles.js";
import { Defects } from "./defects.js";
import { Card } from "./figures.js";
import { html } from "./html.js";
import { Head, Sim, Stack, Stale, Sym, ago, at, between, lasting, worded } from "./parts.js";
import { Records } from "./records.js";
import { Ribbon, between as unplanned, hours } from "./ribbon.js";
import { cause } from "./stations.js";
import { ASKED, machine as openMachine, span } from "./store.js";
import { TimeModel } from "./times.js";
import { Trends } from "./trends.js";
import { Switch } from "./window.js";

/** @typedef {import("./parts.js").Page} Page */

export const LANES = ["stopped", "waiting", "executing", "changeover", "idle"];
const READ_OUT = 200;

/** @param {{page: Page}} props */
export function MachinePage({ page }) {
  const station = page.now.machines.find((/** @type {any} */ m) => m.name === openMachine.value);
  if (!station) return html`<section><${Head} title=${page.t("no-such-machine", { name: openMachine.value })} /><p><a class="back" href="#overview">${page.t("tab-overview")}</a></p></section>`;
  const asked = ASKED(station.name, span.value);
  const told = page.answers[asked.page];
  const score = page.answers[asked.states];
  const defects = page.answers[asked.defects];
  return html`<${Identity} page=${page} station=${station} told=${told} score=${score} />
    <${Day} page=${page} station=${station} score=${score} planned=${told?.planned ?? []} />
    <section><${Head} title=${page.t(`window-${span.value}`)} note=${told && `${at(page, told.window.start)}–${at(page, told.until)}`} of=${station}><${Switch} page=${page} /><//>
      <div class="figs">${CARDS.map((name) => html`<${Card} key=${name} page=${page} name=${name} machine=${station.name} kind=${span.value} />`)}</div></section>
    <div class="pair"><${Times} page=${page} told=${told} station=${station} /><${Stops} page=${page} told=${told} station=${station} /></div>
    <${TimeModel} page=${page} only=${station.name} of=${station} />
    <${Presets} page=${page} machine=${station.name} of=${station} />
    <${All} page=${page} machine=${station.name} of=${station} />
    ${defects?.inspected > 0 && html`<${Defects} page=${page} told=${defects} of=${station} />`}
    <${Cycles} page=${page} told=${told} station=${station} />
    <${Trends} page=${page} told=${page.answers[asked.trends]} />
    <section><${Head} title=${page.t("recent-records")} note=${page.t("ledger-note")} of=${station} />
      <${Records} page=${page} records=${page.answers[asked.records]?.records ?? []} /></section>`;
}

/** @param {{page: Page, station: any, told: any, score: any}} props */
function Identity({ page, station, told, score }) {
  const { tone, symbol } = look(station.word);
  const light = told?.sources.find((/** @type {any} */ s) => s.role === "state");
  const link = page.now.devices.find((/** @type {any} */ d) => d.name === light?.device);
  const place = page.now.machines.indexOf(station) + 1;
  const unseen = station.word === "unknown";
  return html`<section class="id" data-machine=${station.name}><${Stack} word=${station.word} />
    <div class="idn"><h2>${named(station.display, page.lang, station.name)}<span>${page.now.line.line}/${station.name} · ${page.t("station-number", { n: place })}</span></h2>
      <p>${link && `${page.t(`driver-${link.driver}`)} · ${link.address} · ${page.t("tags-of", { n: told.sources.length })}`}</p></div>
    <p class=${`word say say-${tone}`}><${Sym} id=${symbol} /><b>${page.t(`state-${station.word}`)} ${page.t("since", { time: at(page, station.since) })}</b></p>
    <p class="cause">${cause(page, station, score && { machines: score.machines })}${unseen && html`<br />${page.t("not-now")}`}
      ${unseen && link && !link.connected && html`<br />${page.t("reconnects", { n: link.reconnects })}`}
      ${!unseen && !page.stale && html`<br />${lasting(page, between(station.since, page.now.time))}`}</p>
    <p class="mk"><${Sim} of=${station} />${(unseen || page.stale) && html`<${Stale} page=${page} seconds=${ago(page, station.observed)} />`}</p></section>`;
}

/** @param {{page: Page, station: any, score: any, planned: {start: string, end: string}[]}} props */
function Day({ page, station, score, planned }) {
  const segments = score?.machines[station.name] ?? [];
  return html`<section class="day"><${Head} title=${page.t("day-states")} note=${page.t("day-note")} of=${station} />
    <div class="rbw"><ol aria-hidden="true">${LANES.map((lane) => html`<li key=${lane}>${page.t(`lane-${lane}`)}</li>`)}</ol>
      <div class="rb" aria-hidden="true">${score && html`<${Ribbon} page=${page} window=${score} segments=${segments} idle=${planned.length > 0 ? unplanned(score, planned) : []} />
        <div class="axis">${hours(page.zone, score).filter((h, i, all) => i % (all.length > 12 ? 2 : 1) === 0 && h.at > 0.02).map((h) => html`<span key=${h.at} style=${{ left: `${h.at * 100}%` }}>${h.label}</span>`)}</div>`}</div></div>
    <div class="sr"><table><caption>${page.t("day-states")}</caption><thead><tr><th>${page.t("state-and-cause")}</th><th>${page.t("since-column")}</th><th>${page.t("until-column")}</th></tr></thead>
      <tbody>${segments.slice(-READ_OUT).map((/** @type {any} */ s) => html`<tr key=${s.start}><td>${page.t(`state-${s.word}`)} ${s.reason ? worded(page, `reason-${s.reason}`, s.reason) : ""}</td>
        <td>${clock(page.zone, s.start, true)}</td><td>${clock(page.zone, s.end, true)}</td></tr>`)}</tbody></table></div></section>`;
}

/** The order in which states stand in every bar and list. */
export const ORDER = ["executing", "starved", "blocked", "stopped", "changeover", "idle", "out_of_service", "unknown"];

/** Planned time by state, seen and not seen; all of it adds up. @param {{page: Page, told: any, station: any}} props */
function Times({ page, told, station }) {
  const found = ORDER.map((word) => ({ word, seconds: told?.seconds[word] ?? 0 })).filter((one) => one.seconds > 0);
  const all = found.reduce((sum, one) => sum + one.seconds, 0);
  return html`<section><${Head} title=${page.t("time-by-state")} note=${told && page.t("planned-time", { span: lasting(page, all) })} of=${station} />
    <${Bar} found=${found} all=${all} />
    <table class="amounts"><tbody>${found.map(({ word, seconds }) => html`<tr key=${word} data-word=${word}><th scope="row"><${Key} word=${word} />${page.t(`state-${word}`)}</th>
      <td class="r">${number(page.lang, (seconds / all) * 100, 1)} %</td><td class="r"><b>${minutes(page, seconds)}</b></td></tr>`)}</tbody></table></section>`;
}

/** @param {{found: {word: string, seconds: number}[], all: number}} props */
export const Bar = ({ found, all }) => html`<div class="bar" aria-hidden="true">${found.map(({ word, seconds }) =>
  html`<i key=${word} class=${`key-${look(word).lamp}`} style=${{ width: `${(seconds / all) * 100}%` }} />`)}</div>`;

/** @param {{word: string}} props */
export const Key = ({ word }) => html`<i class=${`k key-${look(word).lamp}`} />`;

/** Minutes and seconds: what is compared stands in one unit. @param {Page} page @param {number} seconds */
export function minutes(page, seconds) {
  const whole = Math.round(seconds);
  return `${number(page.lang, Math.floor(whole / 60))}:${String(whole % 60).padStart(2, "0")}`;
}

/** Causes of standstill, the longest first. @param {{page: Page, told: any, station: any}} props */
function Stops({ page, told, station }) {
  const stops = told?.stops ?? [];
  const longest = stops[0]?.seconds ?? 1;
  return html`<section class="stops"><${Head} title=${page.t("stops")} note=${page.t("stops-note")} of=${station} />
    ${told && stops.length === 0 && html`<p class="empty">${page.t("no-stops")}</p>`}
    <table class="amounts"><tbody>${stops.map((/** @type {any} */ one) => html`<tr key=${`${one.word} ${one.reason}`}><th scope="row"><${Key} word=${one.word} />${page.t(`state-${one.word}`)}
      ${one.reason && html`<span>${worded(page, `reason-${one.reason}`, one.reason)}</span>`}</th>
      <td class="pareto"><i class=${`key-${look(one.word).lamp}`} style=${{ width: `${(one.seconds / longest) * 100}%` }} /></td>
      <td class="r">${page.t("times", { n: one.times })}</td><td class="r"><b>${minutes(page, one.seconds)}</b></td></tr>`)}</tbody></table>
    ${stops.length > 0 && html`<p class="note">${page.t("minutes-note")}</p>`}</section>`;
}
