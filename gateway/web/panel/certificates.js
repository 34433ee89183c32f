// @ts-check
/** Certificates of OPC UA servers that wait, that are trusted, and ours; when they end. */

import { signal } from "/lib/signals-core.mjs";
import { day, number } from "/shared/format.js";
import { send } from "./access.js";
import { Refusal } from "./door.js";
import { html } from "./html.js";
import { Head, Sym } from "./parts.js";
import { again } from "./store.js";

/** @typedef {import("./parts.js").Page} Page */

const CERTIFICATES = "/api/v1/certificates";
/** Last thing done here, for those who hear the page. */
const done = signal("");

/** @param {{page: Page}} props */
export function Certificates({ page }) {
  const all = page.answers[CERTIFICATES]?.certificates ?? [];
  const groups = ["pending", "trusted", "own"];
  return html`${groups.map((kind) => html`<${Group} key=${kind} page=${page} kind=${kind} all=${all.filter((/** @type {any} */ one) => one.kind === kind || (kind === "trusted" && one.kind === "pinned"))} />`)}
    <p class="sr" role="status">${done.value && page.t(done.value)}</p><${Refusal} t=${page.t} form="certificate" />`;
}

/** @param {{page: Page, kind: string, all: any[]}} props */
const Group = ({ page, kind, all }) => html`<section aria-labelledby=${`certs-${kind}`}><${Head} id=${`certs-${kind}`} title=${page.t(`certs-${kind}`)} note=${page.t(`certs-${kind}-note`)} />
  ${all.length === 0 && html`<p class="empty">${page.t(`certs-${kind}-none`)}</p>`}
  <ul class="certs">${all.map((one) => html`<${One} key=${one.kind + one.thumbprint + one.url} page=${page} one=${one} />`)}</ul></section>`;

/** @param {{page: Page, one: any}} props */
const One = ({ page, one }) => html`<li data-certificate=${one.thumbprint} data-ends=${one.ends}>
  <div><p class="head"><b>${one.devices.join(", ") || page.t("no-device")}</b> <span>${one.url}</span></p><p>${one.subject || page.t("certs-pinned")}</p>
    <p class="print">SHA-256 <code>${inFours(one.thumbprint)}</code></p>${one.sha1 && html`<p class="print">SHA-1 <code>${inFours(one.sha1)}</code></p>`}
    ${one.until && html`<p>${page.t("holds", { since: day(page.zone, one.since), until: day(page.zone, one.until) })}
      ${one.ends && html` <b class="warn"><${Sym} id="s-stopped" />${one.days < 0 ? page.t("has-ended") : page.t("ends-in", { n: number(page.lang, one.days) })}</b>`}</p>`}
    ${one.ends && html`<p>${page.t(one.kind === "own" ? "renew-own" : "renew-theirs")}</p>`}</div>
  <div class="keys">${one.kind === "pending" && html`<button type="button" class="act" aria-label=${page.t("accept-of", { url: one.url })} onClick=${() => accept(page, one)}>${page.t("accept")}</button>`}
    ${["pending", "trusted"].includes(one.kind) && html`<button type="button" class="small" aria-label=${page.t("forget-of", { url: one.url })} onClick=${() => forget(page, one)}>${page.t("remove")}</button>`}</div></li>`;

/** A thumbprint is compared by eye. @param {string} print */
const inFours = (print) => print.replace(/(.{4})(?=.)/g, "$1 ");

/** @param {Page} page @param {any} one */
async function accept(page, one) {
  if (!confirm(page.t("accept-sure", { print: inFours(one.thumbprint) }))) return;
  await after("accepted", send("certificate", "POST", `certificates/${one.thumbprint}`));
}

/** @param {Page} page @param {any} one */
async function forget(page, one) {
  if (!confirm(page.t("forget-sure", { url: one.url }))) return;
  await after("forgotten", send("certificate", "DELETE", `certificates/${one.thumbprint}`));
}

/** @param {string} word @param {Promise<any>} sent */
async function after(word, sent) {
  done.value = (await sent) ? word : "";
  await again(CERTIFICATES);
}
