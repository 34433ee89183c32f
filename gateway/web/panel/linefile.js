// @ts-check
/** The line file: edited, checked, compared, applied; and its versions, each of which can come back. */

import { signal } from "/lib/signals-core.mjs";
import { clock, day } from "/shared/format.js";
import { send } from "./access.js";
import { Refusal } from "./door.js";
import { html } from "./html.js";
import { Head, Sym } from "./parts.js";
import { again } from "./store.js";

/** @typedef {import("./parts.js").Page} Page */

export const LINEFILE = "/api/v1/linefile";
/** What is being edited and the digest of the text it was made from; null while nobody edits. */
const draft = signal(/** @type {{text: string, seen: string} | null} */ (null));
/** What the last check said, and of which text. */
const checked = signal(/** @type {any} */ (null));
/** The number of the version that was applied here. */
const applied = signal(0);

/** @param {{page: Page}} props */
export function LineFile({ page }) {
  const told = page.answers[LINEFILE];
  if (!told) return html`<section><${Head} title=${page.t("line-file")} /><p class="empty">${page.t("measuring")}</p></section>`;
  const text = draft.value?.text ?? told.text;
  const said = checked.value?.text === text ? checked.value : null;
  const waits = told.digest !== told.running;
  return html`<section aria-labelledby="line-file"><${Head} id="line-file" title=${page.t("line-file")} note=${told.file} />
      <p class="lede" role="status" data-waits=${waits}>${waits ? html`<b><${Sym} id="s-changeover" />${page.t("waits-for-start")}</b> ${page.t("how-to-start")}` : page.t("runs-with-this")}
        ${applied.value > 0 && ` ${page.t("applied-as", { n: applied.value })}`}</p>
      <label class="field"><span>${page.t("line-file-text")}</span>
        <textarea class="toml" rows="22" spellcheck=${false} autocapitalize="none" value=${text} onInput=${(/** @type {any} */ event) => edit(told, event.target.value)} /></label>
      <div class="keys"><button type="button" class="act plain" onClick=${() => check(text)}>${page.t("check")}</button>
        <button type="button" class="act" disabled=${!said || said.mistakes.length > 0 || said.diff.length === 0} onClick=${() => apply(page, told, text)}>${page.t("apply")}</button>
        ${draft.value && html`<button type="button" class="small" onClick=${drop}>${page.t("drop-edit")}</button>`}</div>
      <p class="hint">${page.t("apply-note")}</p><${Refusal} t=${page.t} form="linefile" /></section>
    ${said && html`<${Said} page=${page} said=${said} />`}<${Versions} page=${page} told=${told} />`;
}

/** @param {any} told @param {string} text */
function edit(told, text) {
  draft.value = { text, seen: draft.value?.seen ?? told.digest };
}

function drop() {
  draft.value = checked.value = null;
}

/** @param {string} text */
async function check(text) {
  const said = await send("linefile", "POST", "linefile/check", { text });
  if (said) checked.value = { ...said, text };
}

/** @param {Page} page @param {any} told @param {string} text */
async function apply(page, told, text) {
  if (!confirm(page.t("apply-sure"))) return;
  const done = await send("linefile", "PUT", "linefile", { text, seen: draft.value?.seen ?? told.digest });
  if (!done) return;
  drop();
  applied.value = done.number;
  await again(LINEFILE);
}

/** @param {{page: Page, said: any}} props */
const Said = ({ page, said }) => html`<section aria-labelledby="would"><${Head} id="would" title=${page.t(said.mistakes.length ? "mistakes" : "would-change")}
    note=${page.t(said.mistakes.length ? "mistakes-note" : "would-change-note")} />
  ${said.mistakes.length > 0 && html`<div role="alert"><ul class="mistakes">${said.mistakes.map((/** @type {string[]} */ [place, remedy]) => html`<li><b>${place}</b><span lang="en">${remedy}</span></li>`)}</ul></div>`}
  ${!said.mistakes.length && said.changes.length === 0 && html`<p class="empty">${page.t("no-change")}</p>`}
  ${said.changes.length > 0 && html`<ul class="mistakes changes">${said.changes.map((/** @type {any} */ one) => html`<li data-change=${one.change}><b>${page.t(`table-${one.kind}`)} ${one.name}</b>
    <span>${page.t(`change-${one.change}`)}${one.keys.length > 0 && `: ${one.keys.join(", ")}`}</span></li>`)}</ul>`}
  ${said.diff.length > 0 && html`<div class="diff" tabindex="0" role="region" aria-label=${page.t("difference")}>${said.diff.map((/** @type {string[]} */ [how, line]) => html`<p data-how=${how}>
    <span aria-hidden="true">${how}</span>${how !== " " && how !== "@" && html`<span class="sr">${page.t(how === "+" ? "change-added" : "change-removed")}: </span>`}<code>${line || " "}</code></p>`)}</div>`}</section>`;

/** @param {{page: Page, told: any}} props */
const Versions = ({ page, told }) => html`<section aria-labelledby="kept"><${Head} id="kept" title=${page.t("kept-versions")} note=${page.t("kept-note")} />
  ${told.versions.length === 0 && html`<p class="empty">${page.t("no-versions")}</p>`}
  <ul class="kept">${told.versions.map((/** @type {any} */ one) => html`<li key=${one.number} data-version=${one.number}><b class="num">${one.number}</b>
    <span>${day(page.zone, 1000 * one.time)} ${clock(page.zone, 1000 * one.time, true)} <span class="t">${one.by ? `${one.by} · ${page.t(`role-${one.role}`)}` : page.t("past-the-panel")}
      ${one.digest === told.digest && html` · <b>${page.t("in-the-file")}</b>`}${one.digest === told.running && html` · <b>${page.t("runs-now")}</b>`}</span></span>
    <button type="button" class="small" aria-label=${page.t("bring-back-n", { n: one.number })} onClick=${() => bringBack(told, one.number)}>${page.t("bring-back")}</button></li>`)}</ul></section>`;

/** Into the editor, to be compared and applied like any other text. @param {any} told @param {number} number */
async function bringBack(told, number) {
  const reply = await fetch(`${LINEFILE}/versions/${number}`);
  if (!reply.ok) return;
  draft.value = { text: (await reply.json()).text, seen: told.digest };
  await check(draft.value.text);
  document.querySelector("#line-file")?.scrollIntoView({ block: "start" });
}
