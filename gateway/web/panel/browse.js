// @ts-check
/** What a device has: a server's nodes level by level, a unit's registers in all word orders, each as a tag to copy. */

import { signal } from "/lib/signals-core.mjs";
import { filled, refusal, send } from "./access.js";
import { Refusal } from "./door.js";
import { html } from "./html.js";
import { Head } from "./parts.js";

/** @typedef {import("./parts.js").Page} Page */
/** @typedef {{device: string, path: {node: string, name: string}[], nodes: any[], more: boolean}} Level */

const EXPLORER = "/api/v1/explorer";
const ORDERS = ["ABCD", "CDAB", "BADC", "DCBA"];
/** The level that is open. */
const level = signal(/** @type {Level | null} */ (null));
/** The registers that were read: the device and its rows. */
const registers = signal(/** @type {{device: string, rows: any[]} | null} */ (null));
/** The device that is being looked at, "" for none. */
const busy = signal("");
/** The line that was copied last. */
const line = signal("");

/** @param {{page: Page}} props */
export function Browse({ page }) {
  const devices = page.answers[EXPLORER]?.devices ?? [];
  return html`<section aria-labelledby="explore"><${Head} id="explore" title=${page.t("part-of-setup-browse")} note=${page.t("browse-note")} />
      <p class="hint">${page.t("browse-lede")}</p>
      ${line.value && html`<label class="field copied"><span>${page.t("tag-line")}</span><input readonly value=${line.value} onFocus=${(/** @type {any} */ e) => e.target.select()} /></label>`}
      <p class="sr" role="status">${line.value && page.t("copied")}</p><${Refusal} t=${page.t} form="look" /></section>
    ${devices.map((/** @type {any} */ one) => html`<${Device} key=${one.name} page=${page} one=${one} />`)}`;
}

/** @param {{page: Page, one: any}} props */
const Device = ({ page, one }) => html`<section aria-labelledby=${`at-${one.name}`} data-place=${one.name}><${Head} id=${`at-${one.name}`} title=${one.name} note=${`${page.t(`driver-${one.driver}`)} · ${one.address}`} of=${page.now} />
  ${one.look === "" && html`<p class="lede" lang="en">${one.why}</p>`}
  ${one.look === "nodes" && html`<${Nodes} page=${page} name=${one.name} />`}
  ${one.look === "registers" && html`<form class="form row ask" onSubmit=${(/** @type {Event} */ event) => read(one.name, filled(event))}>
      <label class="field"><span>${page.t("first-register")}</span><input name="address" required maxlength="16" defaultValue="HR0" spellcheck=${false} autocomplete="off" /></label>
      <label class="field"><span>${page.t("how-many")}</span><input name="count" type="number" min="1" max="32" defaultValue="8" required /></label>
      <button class="act plain" disabled=${busy.value !== ""}>${page.t(busy.value === one.name ? "looking" : "read-registers")}</button></form>
    ${registers.value?.device === one.name && html`<${Rows} page=${page} rows=${registers.value?.rows ?? []} />`}`}</section>`;

/** @param {{page: Page, name: string}} props */
function Nodes({ page, name }) {
  const open = level.value?.device === name ? level.value : null;
  if (!open) return html`<button type="button" class="act plain" disabled=${busy.value !== ""} onClick=${() => go(name, [])}>${page.t(busy.value === name ? "looking" : "browse-server")}</button>`;
  return html`<nav class="path" aria-label=${page.t("path")}><button type="button" onClick=${() => go(name, [])}>Objects</button>
      ${open.path.map((step, index) => html`<button type="button" key=${step.node} onClick=${() => go(name, open.path.slice(0, index + 1))}>${step.name}</button>`)}</nav>
    ${open.nodes.length === 0 && html`<p class="empty">${page.t("nothing-below")}</p>`}
    <ul class="nodes" aria-busy=${busy.value === name}>${open.nodes.map((one) => html`<li key=${one.node} data-node=${one.node}>
      <button type="button" class="into" disabled=${busy.value !== ""} aria-label=${page.t("open-node", { name: one.name })} onClick=${() => go(name, [...open.path, { node: one.node, name: one.name }])}><b>${one.name}</b><code>${one.node}</code></button>
      <span class="val">${one.is_variable && html`<b class="num">${one.value || "—"}</b> <small>${one.datatype ?? page.t("no-datatype")}</small>`}</span>
      ${one.tag ? html`<button type="button" class="small" aria-label=${page.t("copy-of", { name: one.name })} onClick=${() => copy(one.tag)}>${page.t("copy-tag")}</button>` : html`<span />`}</li>`)}</ul>
    ${open.more && html`<p class="lede">${page.t("more-below", { n: open.nodes.length })}</p>`}`;
}

/** @param {{page: Page, rows: any[]}} props */
const Rows = ({ page, rows }) => html`<div class="wide-table" tabindex="0" role="region" aria-label=${page.t("registers")}><table class="tags regs"><thead><tr><th>${page.t("register")}</th><th class="r">u16</th><th class="r">i16</th>
    ${ORDERS.map((order) => html`<th key=${order} class="r">f32 ${order}</th>`)}</tr></thead>
  <tbody>${rows.map((row) => html`<tr key=${row.address} data-register=${row.address}><th scope="row">${row.address}</th>
    <td class="r"><button type="button" class="cell" aria-label=${page.t("copy-of", { name: `${row.address} u16` })} onClick=${() => copy(row.tags.u16)}><span class="num">${row.u16}</span></button></td><td class="r num">${row.i16}</td>
    ${ORDERS.map((order) => html`<td key=${order} class="r">${row.floats[order] !== undefined && html`<button type="button" class="cell" aria-label=${page.t("copy-of", { name: `${row.address} f32 ${order}` })}
      onClick=${() => copy(row.tags[order])}><span class="num">${row.floats[order]}</span></button>`}</td>`)}</tr>`)}</tbody></table></div>
  <p class="hint">${page.t("registers-hint")}</p>`;

/** @param {string} device @param {string} path @param {any} body */
async function look(device, path, body) {
  if (busy.value) return null;
  busy.value = device;
  try {
    return await send("look", "POST", `explorer/${device}/${path}`, body);
  } finally {
    busy.value = "";
  }
}

/** @param {string} device @param {{node: string, name: string}[]} path */
async function go(device, path) {
  const told = await look(device, "nodes", { node: path.at(-1)?.node ?? "" });
  if (told) level.value = { device, path, ...told };
}

/** @param {string} device @param {Record<string, string>} asked */
async function read(device, asked) {
  const told = await look(device, "registers", { address: asked.address.trim(), count: Number(asked.count) });
  if (told) registers.value = { device, rows: told.registers };
}

/** Plain HTTP has no clipboard for pages: the line stands selected in a field, and the old way of copying is tried.
 * @param {string} tag */
function copy(tag) {
  refusal.value = null;
  line.value = tag.trim();
  requestAnimationFrame(() => {
    const field = /** @type {HTMLInputElement | null} */ (document.querySelector(".copied input"));
    field?.focus();
    document.execCommand("copy");
  });
}
