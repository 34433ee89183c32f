// @ts-check
/** Parts the inspection asks about: a person judges each with one touch, and may correct it below. */

import { signal } from "/lib/signals-core.mjs";
import { clock } from "/shared/format.js";
import { may, refusal, send } from "./access.js";
import { Refusal } from "./door.js";
import { html } from "./html.js";
import { LOOK, Part, partOf } from "./part.js";
import { Head, Sym } from "./parts.js";
import { refresh } from "./store.js";

/** @typedef {import("./parts.js").Page} Page */

/** The part that is being judged again: its seq and the verdict that was shown. */
const open = signal(/** @type {{seq: number, seen: number} | null} */ (null));
const VERDICTS = ["PASS", "REJECT"];

/** @param {{page: Page, told: any}} props */
export function Asks({ page, told }) {
  const rest = told.open - told.asks.length;
  return html`<section class="asks" aria-labelledby="to-judge" tabindex="-1"><${Head} id="to-judge" title=${page.t("to-judge")} note=${page.t("to-judge-note")} of=${page.now} />
      ${told.open === 0 && html`<p class="empty">${page.t("nothing-to-judge")}</p>`}
      <div class="parts">${told.asks.map(partOf).map((/** @type {any} */ part) => html`<${Part} key=${part.seq} page=${page} part=${part} mark>
        ${may("decide") && html`<${Choice} page=${page} part=${part} />`}<//>`)}</div>
      ${rest > 0 && html`<p class="empty">${page.t("more-to-judge", { n: rest })}</p>`}</section>
    ${told.decided.length > 0 && html`<section aria-labelledby="judged"><${Head} id="judged" title=${page.t("judged")} note=${page.t("judged-note")} of=${page.now} />
      <ul class="halts">${told.decided.map(partOf).map((/** @type {any} */ part) => html`<${Judged} key=${part.seq} page=${page} part=${part} />`)}</ul></section>`}`;
}

/** @param {{page: Page, part: any}} props */
function Judged({ page, part }) {
  const choosing = open.value?.seq === part.seq;
  const { symbol, tone } = LOOK[part.decided.verdict];
  return html`<li data-judged=${part.seq}><p class="when"><span class="num">${clock(page.zone, part.time)}</span> <b>${page.t("part", { unit: part.unit })}</b></p>
    <p class=${`what say-${tone}`}><${Sym} id=${symbol} /><b>${page.t(`verdict-${part.decided.verdict}`)}</b> <span class="t">${page.t("judged-by", { role: page.t(`role-${part.decided.role}`), time: clock(page.zone, part.decided.time) })}</span></p>
    ${may("decide") && html`<button type="button" class="small" aria-expanded=${choosing} aria-label=${page.t("judge-part", { unit: part.unit })}
      onClick=${() => again(choosing ? null : part)}>${page.t(choosing ? "cancel" : "change-verdict")}</button>`}
    ${choosing && html`<${Choice} page=${page} part=${part} />`}</li>`;
}

/** Nothing that was refused before belongs to the next choice. @param {any} part */
function again(part) {
  refusal.value = null;
  open.value = part && { seq: part.seq, seen: part.seen };
}

/** @param {{page: Page, part: any}} props */
const Choice = ({ page, part }) => html`<div class="choice" role="group" aria-label=${page.t("judge-part", { unit: part.unit })}>
  ${open.value?.seq === part.seq && html`${open.value?.seen !== part.seen && html`<p class="refusal" role="alert">${page.t("faster-verdict", { verdict: page.t(`verdict-${part.decided.verdict}`) })}</p>`}
    ${refusal.value?.status !== 409 && html`<${Refusal} t=${page.t} form="judge" />`}`}
  ${VERDICTS.map((word) => html`<button type="button" key=${word} class=${`say-${LOOK[word].tone}`} data-verdict=${word} aria-pressed=${word === part.decided?.verdict} onClick=${() => judge(part, word)}>
    <${Sym} id=${LOOK[word].symbol} />${page.t(`verdict-${word}`)}</button>`)}</div>`;

/** Where somebody was faster, the page shows what they said, and the next choice is made knowing it.
 * @param {any} part @param {string} verdict */
async function judge(part, verdict) {
  const done = await send("judge", "POST", `inspections/${part.seq}`, { verdict, seen: part.seen });
  open.value = done ? null : { seq: part.seq, seen: part.seen };
  await refresh();
  // The buttons are gone with the part: who goes by keyboard stays here, and not on the buttons of the next one.
  if (done) /** @type {HTMLElement | null} */ (document.querySelector(".asks"))?.focus();
}
