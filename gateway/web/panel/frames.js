// @ts-check
/** What really went over a device's wire: its last frames, on demand, standing still while they are read. */

import { signal } from "/lib/signals-core.mjs";
import { number, precise } from "/shared/format.js";
import { recognise } from "./access.js";
import { html } from "./html.js";
import { Sim, Stale } from "./parts.js";
import { stale, tab } from "./store.js";

/** @typedef {import("./parts.js").Page} Page */
/** @typedef {{held: boolean, whole: boolean, group: string, told: any}} Opened */

const ASK_EVERY_MS = 1000;
/** So many octets of a frame are shown until more are asked for. */
const FIRST = 48;
/** What should not be seen on a wire that is well. */
const WRONG = ["exception", "status", "incomplete", "foreign", "announced", "more", "crc-bad"];
const GROUP = /.{1,8}/g;
/** Devices whose frames are open, by name. */
const opened = signal(/** @type {Record<string, Opened>} */ ({}));
/** @type {Set<string>} */
const asking = new Set();

setInterval(() => {
  if (tab.value === "devices" && !stale.value && !document.hidden) Object.keys(opened.value).forEach(ask);
}, ASK_EVERY_MS);

/** @param {string} name */
async function ask(name) {
  if (opened.value[name]?.held || asking.has(name)) return;
  asking.add(name);
  try {
    const reply = await fetch(`/api/v1/devices/${name}/frames`);
    const told = reply.ok ? await reply.json() : null;
    if (told && !opened.value[name]?.held) change(name, { told });
    if (reply.status === 401) await recognise();
  } catch {
    // The server is away: the page says so, and asks again when it is back.
  } finally {
    asking.delete(name);
  }
}

/** @param {string} name @param {Partial<Opened>} how */
function change(name, how) {
  if (opened.value[name]) opened.value = { ...opened.value, [name]: { ...opened.value[name], ...how } };
}

/** @param {string} name @param {boolean} open */
function turn(name, open) {
  if (open === name in opened.value) return;
  const { [name]: _, ...others } = opened.value;
  opened.value = open ? { ...others, [name]: { held: false, whole: false, group: "last", told: null } } : others;
  if (open) ask(name);
}

/** @param {{page: Page, device: any, old: boolean}} props */
export function Frames({ page, device, old }) {
  const open = opened.value[device.name];
  return html`<details class="wire" open=${Boolean(open)} onToggle=${(/** @type {any} */ e) => turn(device.name, e.currentTarget.open)}>
    <summary>${page.t("raw-frames")}<span class="sr"> ${device.name}</span></summary>
    ${open && html`<${Shown} page=${page} device=${device} old=${old} open=${open} />`}</details>`;
}

/** @param {{page: Page, device: any, old: boolean, open: Opened}} props */
function Shown({ page, device, old, open }) {
  const { told } = open;
  if (!told) return html`<p class="empty">${page.t("looking")}</p>`;
  const groups = { last: told.last, refused: told.refused, broken: told.broken?.frames };
  const group = groups[/** @type {"last"} */ (open.group)] ? open.group : "last";
  const frames = groups[/** @type {"last"} */ (group)];
  return html`<p class="lede">${page.t(`wire-${device.driver}`)}</p>
    <div class="keys">
      <span class="switch" role="group" aria-label=${page.t("frames-which")}>${Object.entries(groups).map(([name, its]) => its && html`<button key=${name} type="button"
        aria-pressed=${name === group} onClick=${() => change(device.name, { group: name })}>${page.t(`frames-${name}`, { n: counted(name, its) })}</button>`)}</span>
      <button type="button" class="small" aria-pressed=${open.held} onClick=${() => hold(device.name, !open.held)}>${page.t("hold")}</button>
      <button type="button" class="small" aria-pressed=${open.whole} onClick=${() => change(device.name, { whole: !open.whole })}>${page.t("more-octets")}</button>
      <span class="prov"><${Sim} of=${told} />${old && html`<${Stale} page=${page} seconds=${(device.age_s ?? 0) + page.silence} />`}</span></div>
    ${group === "broken" && html`<p class="lede">${page.t("broken-at", { time: precise(page.zone, told.broken.time) })} ${told.broken.why}</p>`}
    ${frames.length === 0 && html`<p class="empty">${page.t("frames-none")}</p>`}
    <ol class="frames" data-group=${group}>${frames.map((/** @type {any} */ one, /** @type {number} */ n) => html`<${Frame} key=${n} page=${page} frame=${one} whole=${open.whole} />`)}</ol>`;
}

/** A request that was refused stands there with its answer. @param {string} name @param {any[]} frames */
const counted = (name, frames) => frames.filter((one) => name !== "refused" || one.sent).length;

/** Held, the page stands still; let go, it is of now at once. @param {string} name @param {boolean} held */
function hold(name, held) {
  change(name, { held });
  ask(name);
}

/** @param {{page: Page, frame: any, whole: boolean}} props */
function Frame({ page, frame, whole }) {
  const octets = whole ? frame.octets : frame.octets.slice(0, 2 * FIRST);
  const rest = frame.size - octets.length / 2;
  const wrong = frame.parts.some((/** @type {any} */ part) => WRONG.includes(part.word));
  return html`<li data-sent=${frame.sent}>
    <span class="way"><i aria-hidden="true">${frame.sent ? "↑" : "↓"}</i> ${page.t(frame.sent ? "frame-sent" : "frame-received")}</span>
    <span class="t">${precise(page.zone, frame.time)}</span>
    <${wrong ? "b" : "p"}>${frame.parts.map((/** @type {any} */ part) => page.t(`frame-${part.word}`, part)).join(" · ")}<//>
    <span class="t size">${page.t("octets", { n: number(page.lang, frame.size) })}</span>
    <code>${(octets.match(GROUP) ?? []).map((/** @type {string} */ four, /** @type {number} */ n) => html`<span key=${n}>${inPairs(four)} </span>`)}${rest > 0 && html`<em>${page.t("octets-more", { n: number(page.lang, rest) })}</em>`}</code></li>`;
}

/** @param {string} hex */
const inPairs = (hex) => hex.toUpperCase().replace(/(..)(?=.)/g, "$1 ");
