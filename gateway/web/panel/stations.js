// @ts-check
/** The stations in the order of the flow: light, state with cause, since, ribbon, utilization, cycle. */

import { number } from "/shared/format.js";
import { named } from "/shared/i18n.js";
import { look } from "/shared/states.js";
import { Value, find, keyOf } from "./figures.js";
import { html } from "./html.js";
import { Coverage, Head, Stack, Stale, Sym, ago, at, between, lasting, worded } from "./parts.js";
import { Ribbon, hours } from "./ribbon.js";
import { RIBBON, span } from "./store.js";

/** @typedef {import("./parts.js").Page} Page */

/** @param {{page: Page}} props */
export function Stations({ page }) {
  const score = page.answers[RIBBON];
  return html`<section aria-labelledby="stations">
    <${Head} id="stations" title=${page.t("stations")} note=${page.t("ribbon-note")} of=${page.now} />
    <table class="stations"><thead><tr>
      <th class="c-name">${page.t("station")}</th><th class="c-state">${page.t("state-and-cause")}</th>
      <th class="c-since">${page.t("since-column")}</th>
      <th><div class="axis">${score && hours(page.zone, score).map((h) => html`<span style=${{ left: `${h.at * 100}%` }}>${h.label}</span>`)}</div></th>
      <th class="c-kpi">${page.t("kpi-utilization")} · ${page.t("coverage-column")}</th><th class="c-cycle">${page.t("cycle")}</th>
    </tr></thead><tbody>
      ${page.now.machines.map((/** @type {any} */ m) => html`<${Row} key=${m.name} page=${page} machine=${m} score=${score} />`)}
    </tbody></table></section>`;
}

/** @param {{page: Page, machine: any, score: any}} props */
function Row({ page, machine, score }) {
  const figure = find(page.now, "utilization", machine.name, span.value);
  const { tone, symbol } = look(machine.word);
  const unseen = machine.word === "unknown";
  return html`<tr class=${unseen || (figure && figure.coverage < 0.98) ? "low" : ""} data-machine=${machine.name}>
    <th scope="row"><${Stack} word=${machine.word} /><span class="nm"><b><a href=${`#machine/${machine.name}`}>${named(machine.display, page.lang, machine.name)}</a></b><span>${machine.name}</span></span></th>
    <td class="state"><p class=${`say say-${tone}`}><${Sym} id=${symbol} /><b>${page.t(`state-${machine.word}`)}</b>${unseen && html`<${Stale} page=${page} seconds=${ago(page, machine.observed)} />`}</p>
      <p class="why">${cause(page, machine, score)}</p></td>
    <td class="t">${at(page, machine.since)}<span>${!page.stale && lasting(page, between(machine.since, page.now.time))}</span></td>
    <td class="rb">${score && html`<${Ribbon} page=${page} window=${score} segments=${score.machines[machine.name] ?? []} />`}</td>
    <td class="r">${figure && html`<button type="button" class="fv" onClick=${() => page.explain(keyOf(figure))}
      aria-label=${`${page.t("why")}: ${machine.name}`}><${Value} page=${page} figure=${figure} /></button>
      <${Coverage} page=${page} share=${figure.coverage} bare />`}</td>
    <td class="r cyc">${machine.cycle_s === null || unseen
      ? html`<b class="num">—</b>`
      : html`<b class=${page.stale ? "num range" : "num"}>${number(page.lang, machine.cycle_s, 1)}</b> s`}
      <span>${page.t("ago", { span: lasting(page, ago(page, machine.observed)) })}</span></td>
  </tr>`;
}

/** Why the machine stands as it stands; empty where that is not certain. @param {Page} page @param {any} machine @param {any} score */
export function cause(page, machine, score) {
  if (machine.word === "unknown") return lastSeen(page, machine, score);
  if (machine.reason_word) return worded(page, `reason-${machine.reason_word}`, machine.reason_word);
  if (machine.word === "starved" || machine.word === "blocked") return neighbour(page, machine);
  if (machine.word !== "executing" || machine.good === null) return "";
  return page.t("made", { good: number(page.lang, machine.good), scrap: number(page.lang, machine.scrap ?? 0) });
}

/** @param {Page} page @param {any} machine @param {any} score */
function lastSeen(page, machine, score) {
  const seen = (score?.machines[machine.name] ?? []).findLast((/** @type {any} */ s) => s.word !== "unknown");
  const word = machine.last ?? seen?.word;
  return word ? page.t("last-seen", { state: page.t(`state-${word}`) }) : "";
}

/** Whom it waits for, if the neighbour itself stands still. @param {Page} page @param {any} machine */
function neighbour(page, machine) {
  const { machines } = page.now;
  const other = machines[machines.indexOf(machine) + (machine.word === "starved" ? -1 : 1)];
  if (!other || other.word === "executing" || other.word === "unknown") return "";
  return page.t(`waits-${machine.word}`, { machine: other.name, state: page.t(`state-${other.word}`) });
}
