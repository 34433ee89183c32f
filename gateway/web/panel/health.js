// @ts-check
/** The gateway itself: what it has left, how right its clock is, how late it comes. */

import { signal } from "/lib/signals-core.mjs";
import { number } from "/shared/format.js";
import { may, me } from "./access.js";
import { html } from "./html.js";
import { Head, Sym, lasting } from "./parts.js";

/** @typedef {import("./parts.js").Page} Page */

const HEALTH = "/api/v1/health";
const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"];
/** From here on somebody should look: shares of 1, hours, seconds, ms. */
const FULL = 0.9;
const DISK_HOURS = 7 * 24;
const OFF_S = 0.1;
const LATE_MS = 200;

/** Bytes as people say them. @param {Page} page @param {number} bytes */
export function bytes(page, bytes) {
  const step = Math.min(UNITS.length - 1, bytes < 1 ? 0 : Math.floor(Math.log2(bytes) / 10));
  return `${number(page.lang, bytes / 1024 ** step, step > 2 ? 1 : 0)} ${UNITS[step]}`;
}

/** @param {{page: Page}} props */
export function Health({ page }) {
  const told = page.answers[HEALTH];
  return html`<section aria-labelledby="health"><${Head} id="health" title=${page.t("tab-health")} note=${page.t("health-note")} />
    ${told ? html`<${Told} page=${page} told=${told} />` : html`<p class="empty">${page.t("measuring")}</p>`}</section>
    ${told && html`<section aria-labelledby="versions"><${Head} id="versions" title=${page.t("versions")} />
      <dl class="facts big">${Object.entries(told.versions).map(([name, version]) => html`<div key=${name}><dt>${name}</dt><dd>${version}</dd></div>`)}</dl></section>`}
    ${may("configure") && html`<section aria-labelledby="diagnostics"><${Head} id="diagnostics" title=${page.t("diagnostics")} />
      <p class="lede">${page.t("diagnostics-note")}</p><button type="button" class="act plain" disabled=${taking.value === "now"} onClick=${take}>${page.t(taking.value === "now" ? "diagnostics-made" : "diagnostics-take")}</button>
      <p class="refusal" role="alert">${taking.value === "refused" && page.t("refused-else")}</p></section>`}`;
}

/** How taking the bundle stands: "", now, refused. */
const taking = signal("");

async function take() {
  taking.value = "now";
  const reply = await fetch("/api/v1/diagnostics", { method: "POST", headers: { "x-tanchang": me.value?.token || "page" } }).catch(() => null);
  taking.value = reply?.ok ? "" : "refused";
  if (!reply?.ok) return;
  const link = document.createElement("a");
  link.href = URL.createObjectURL(await reply.blob());
  link.download = "tanchang-diagnostics.zip";
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/** @param {{page: Page, told: any}} props */
function Told({ page, told }) {
  const { processor, memory, disk, clock, ledger, loop } = told;
  const used = 1 - memory.available / memory.total;
  const ms = (/** @type {number | null} */ n) => (n === null ? "—" : `${number(page.lang, n, 1)} ms`);
  return html`<ul class="vitals">
    <${Row} page=${page} name="processor" bad=${processor.percent >= 100 * FULL} share=${processor.percent / 100} value=${`${number(page.lang, processor.percent)} %`}
      note=${page.t("of-agent", { share: number(page.lang, processor.agent_percent), cores: processor.cores })} />
    <${Row} page=${page} name="memory" bad=${used >= FULL} share=${used} value=${page.t("free-of", { free: bytes(page, memory.available), total: bytes(page, memory.total) })}
      note=${page.t("agent-has", { amount: bytes(page, memory.agent) })} />
    <${Row} page=${page} name="disk" bad=${disk.hours_left !== null && disk.hours_left < DISK_HOURS} share=${1 - disk.free / disk.total}
      value=${page.t("free-of", { free: bytes(page, disk.free), total: bytes(page, disk.total) })} note=${filling(page, disk)} />
    <${Row} page=${page} name="ledger" bad=${!ledger.durable} share=${ledger.bytes / ledger.limit} value=${page.t(ledger.durable ? "durable" : "not-durable")}
      note=${page.t("ledger-size", { size: bytes(page, ledger.bytes), limit: bytes(page, ledger.limit) })} />
    <${Row} page=${page} name="commit" value=${ms(ledger.commit_ms)} note=${page.t("worst-minute", { worst: ms(ledger.worst_ms) })} />
    <${Row} page=${page} name="clock" bad=${clock.synchronised === false || (clock.offset_s !== null && Math.abs(clock.offset_s) > OFF_S)}
      value=${page.t(clock.synchronised === null ? "clock-untold" : clock.synchronised ? "clock-kept" : "clock-free")}
      note=${clock.offset_s === null ? (clock.synchronised === false ? page.t("clock-remedy") : "") : page.t("clock-off", { offset: ms(1000 * clock.offset_s), error: ms(1000 * clock.error_s) })} />
    <${Row} page=${page} name="loop" bad=${loop.worst_ms > LATE_MS} value=${ms(loop.median_ms)} note=${page.t("worst-minute", { worst: ms(loop.worst_ms) })} />
    <${Row} page=${page} name="uptime" value=${lasting(page, told.agent_up_s)} note=${page.t("machine-up", { span: lasting(page, told.machine_up_s) })} /></ul>`;
}

/** @param {Page} page @param {any} disk */
function filling(page, disk) {
  if (disk.per_hour === null) return page.t("disk-not-known");
  if (disk.hours_left === null) return page.t("disk-steady");
  return page.t("disk-left", { rate: bytes(page, disk.per_hour), span: lasting(page, 3600 * disk.hours_left) });
}

/** @param {{page: Page, name: string, value: any, note: any, share?: number, bad?: boolean}} props */
const Row = ({ page, name, value, note, share, bad = false }) => html`<li data-vital=${name} data-bad=${bad}>
  <b class="what">${page.t(`vital-${name}`)}</b>
  <span class="value">${bad && html`<${Sym} id="s-stopped" /><span class="sr">${page.t("look-here")}: </span>`}<b class="num">${value}</b></span>
  ${share !== undefined && html`<span class="bar" aria-hidden="true"><i style=${{ width: `${Math.min(100, Math.max(0, 100 * share))}%` }} /></span>`}
  <span class="t">${note}</span></li>`;
