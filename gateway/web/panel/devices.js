// @ts-check
/** Links and their tags: quality, age, latency, reconnects, value, raw frames; what is not fresh is marked. */

import { clock, number } from "/shared/format.js";
import { Frames } from "./frames.js";
import { html } from "./html.js";
import { Head, Sim, Stale, Sym, at, lasting } from "./parts.js";

/** @typedef {import("./parts.js").Page} Page */

/** A value older than this in wall seconds is stale, whatever its status says. */
const STALE_S = 5;

/** @param {{page: Page}} props */
export function Devices({ page }) {
  const devices = page.answers["/api/v1/devices"]?.devices ?? [];
  return html`<section><${Head} title=${page.t("tab-devices")} note=${page.t("read-only")} of=${page.now} />
    ${devices.map((/** @type {any} */ d) => html`<${Device} key=${d.name} page=${page} device=${d} />`)}</section>`;
}

/** @param {{page: Page, device: any}} props */
function Device({ page, device }) {
  const facts = [
    [page.t("latency"), device.latency_ms === null ? "—" : `${number(page.lang, device.latency_ms, 1)} ms`],
    [page.t("batches"), number(page.lang, device.batches)],
    [page.t("reconnect-count"), number(page.lang, device.reconnects)],
    [page.t("age"), device.age_s === null ? page.t("never-read") : lasting(page, device.age_s + page.silence)],
  ];
  return html`<article class=${device.connected ? "dev" : "dev low"} data-device=${device.name}>
    <header><${Sym} id=${device.connected && !page.stale ? "f-fresh" : "f-stale"} />
      <h3>${device.name}<span>${page.t(`driver-${device.driver}`)} · ${device.address}</span></h3>
      <span class="prov"><${Sim} of=${device} />${isStale(page, device) && html`<${Stale} page=${page} seconds=${(device.age_s ?? 0) + page.silence} />`}</span>
      <p class="who">${[device.vendor, device.product].filter(Boolean).join(" ")}${device.speed === 1 ? "" : ` · ${page.t("speed", { n: number(page.lang, device.speed) })}`}
        ${device.gap_since && ` · ${page.t("no-data-since", { time: at(page, device.gap_since) })}`}</p>
      <dl class="facts">${facts.map(([name, value]) => html`<div key=${name}><dt>${name}</dt><dd>${value}</dd></div>`)}</dl></header>
    <table class="tags"><thead><tr><th class="c-tag">${page.t("tag")}</th><th class="r c-value">${page.t("value")}</th><th>${page.t("quality")}</th>
      <th class="wide">${page.t("source-time")}</th><th class="r c-age">${page.t("age")}</th></tr></thead>
      <tbody>${device.tags.map((/** @type {any} */ tag) => html`<${Tag} key=${tag.name} page=${page} tag=${tag} />`)}</tbody></table>
    <${Frames} page=${page} device=${device} old=${isStale(page, device)} />
  </article>`;
}

/** @param {Page} page @param {any} device */
const isStale = (page, device) => page.stale || !device.connected || device.age_s === null || device.age_s > STALE_S;

/** @param {{page: Page, tag: any}} props */
function Tag({ page, tag }) {
  const fresh = tag.quality === "good" && tag.age_s !== null && tag.age_s <= STALE_S && !page.stale;
  return html`<tr class=${fresh ? "" : "old"}><th scope="row">${breakable(tag.name, WORDS)}</th>
    <td class="r"><b class=${fresh ? "num" : "num range"}>${breakable(shown(page, tag.value), THOUSANDS)}</b>${tag.unit && html`<small>${UNITS[tag.unit] ?? tag.unit}</small>`}</td>
    <td><span class=${`q q-${tag.quality}`}><${Sym} id=${fresh ? "f-fresh" : "f-stale"} />${page.t(`quality-${tag.quality}`)}</span>
      ${tag.quality !== "good" && html`<code>0x${tag.status.toString(16).toUpperCase().padStart(8, "0")}</code>`}</td>
    <td class="wide">${tag.time ? clock(page.zone, tag.time, true) : "—"}</td>
    <td class="r">${tag.age_s === null ? "—" : lasting(page, tag.age_s + page.silence)}</td></tr>`;
}

/** Unit codes of UCUM as people write them. @type {Record<string, string>} */
const UNITS = { Cel: "°C" };
const LONGEST_PLAIN = 1e9;
const WORDS = /(?<=_)/;
const THOUSANDS = /(?<=^\d+)(?=(?:\d{3})+$)/;

/** Text that may go on below at these places. @param {string} text @param {RegExp} places */
const breakable = (text, places) => text.split(places).map((part, n) => html`${n > 0 && html`<wbr />`}${part}`);

/** @param {Page} page @param {number | string | null} value @returns {string} */
function shown(page, value) {
  if (typeof value !== "number") return value ?? "—";
  if (Number.isInteger(value)) return Math.abs(value) < LONGEST_PLAIN ? number(page.lang, value) : String(value);
  return number(page.lang, value, 2);
}
