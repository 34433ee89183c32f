// @ts-check
/** The page: top bar, tabs, the open tab, the drawer. Drawn again whenever something it read has changed. */

import { effect } from "/lib/signals-core.mjs";
import { clock, day, number } from "/shared/format.js";
import { named } from "/shared/i18n.js";
import { bringSymbols } from "/shared/sprite.js";
import { may, me, recognise } from "./access.js";
import { Devices } from "./devices.js";
import { Door } from "./door.js";
import { Faults } from "./faults.js";
import { find } from "./figures.js";
import { Health } from "./health.js";
import { html, render } from "./html.js";
import { Inspections } from "./inspections.js";
import { Ledger } from "./ledger.js";
import { MachinePage } from "./machine.js";
import { Overview } from "./overview.js";
import { Stale, Sym } from "./parts.js";
import { People } from "./people.js";
import { Plan } from "./plan.js";
import { LANGUAGES, TABS, answers, lang, live, speak, stale, tab, translate, why } from "./store.js";
import { Setup } from "./setup.js";
import { Stops } from "./stops.js";
import { Why } from "./why.js";

/** @typedef {import("./parts.js").Page} Page */

/** @type {Record<string, any>} */
const PAGES = { overview: Overview, machine: MachinePage, devices: Devices, stops: Stops, inspections: Inspections, plan: Plan, faults: Faults, ledger: Ledger, health: Health, setup: Setup, access: People };
/** What a tab's answers ask for, where it is more than to look. @type {Record<string, string>} */
const ASKS = { devices: "trace", ledger: "trace", setup: "configure" };
const NAMES = { "zh-CN": "中文", en: "EN" };

/** @param {{page: Page, open: string}} props */
function Top({ page, open }) {
  const { line, sim, time, faults } = page.now;
  const other = LANGUAGES.find((l) => l !== page.lang) ?? page.lang;
  return html`<header class="top">
    ${sim && html`<div class="cap"><b>SIM</b><span>${page.t("mark-sim")}</span></div>`}
    <div class="ttl"><h1>${named(line.display, page.lang, line.line)}</h1><p><span class="site">${line.site}/</span>${line.area}/${line.line}</p></div>
    <nav aria-label=${page.t("pages")}>${TABS.filter((name) => !ASKS[name] || may(ASKS[name])).map((name) => html`<a key=${name} href=${`#${name}`} aria-current=${name === open ? "page" : open === "machine" && name === TABS[0] ? "true" : undefined}>
      ${page.t(`tab-${name}`)}${name === "faults" && faults.length > 0 && html`<b class="n">${faults.length}</b>`}</a>`)}</nav>
    <a class="me" href="#access" aria-current=${open === "access" ? "page" : undefined}>${me.value?.token ? page.t(`role-${me.value.role}`) : page.t("log-in")}</a>
    <button type="button" class="lang" lang=${other} onClick=${() => speak(other)}>${NAMES[/** @type {"en"} */ (other)]}</button>
    <div class="clk"><b class="num">${clock(page.zone, time, true)}</b><p>${day(page.zone, time)}${shift(page)}</p></div>
  </header>`;
}

/** @param {Page} page */
function shift(page) {
  const figure = find(page.now, "utilization", page.now.machines[0]?.name);
  if (!figure) return "";
  const label = page.t(`shift-${figure.window.label}`);
  return ` ${label} · ${page.t("planned-so-far", { n: number(page.lang, Math.floor(figure.expected_s / 60)) })}`;
}

/** The line while nothing comes: no machine is known to run, or to stand. @param {any} now */
const unseen = (now) => ({
  ...now,
  machines: now.machines.map((/** @type {any} */ m) => (m.word === "unknown" ? m : { ...m, word: "unknown", last: m.word, since: now.time })),
});

/** Says once that nothing comes any more; screen readers hear it. @param {{page: Page}} props */
const Silence = ({ page }) => html`<div class="silence" role="status">${page.stale && html`<p><${Sym} id="f-stale" />
  <b>${page.t("server-silent", { time: clock(page.zone, page.now.time) })}</b><${Stale} page=${page} seconds=${page.silence} /></p>`}</div>`;

/** @param {{page: Page, open: string}} props */
function App({ page, open }) {
  const Open = PAGES[open];
  return html`<${Top} page=${page} open=${open} /><${Silence} page=${page} />
    <main class=${`tab-${open}`}><${Open} page=${page} /></main>
    <${Why} page=${page} open=${why.value} close=${() => { why.value = null; }} />`;
}

// On a narrow screen the tabs scroll sideways: the open one stays in sight.
effect(() => {
  const open = tab.value;
  requestAnimationFrame(() => document.querySelector(`nav a[href="#${open}"]`)?.scrollIntoView({ block: "nearest", inline: "nearest" }));
});

await Promise.all([bringSymbols(), recognise()]);
const root = /** @type {HTMLElement} */ (document.getElementById("app"));

effect(() => {
  const t = translate.value;
  const said = live.message.value;
  const other = LANGUAGES.find((l) => l !== lang.value) ?? lang.value;
  if (t && me.value && !may("look")) {
    document.title = t("log-in-title");
    render(html`<${Door} t=${t}><button type="button" class="lang" lang=${other} onClick=${() => speak(other)}>${NAMES[/** @type {"en"} */ (other)]}</button><//>`, root);
    return;
  }
  if (t && !said && live.refused.value) render(html`<p class="refused" role="alert">${t("refused")}<span>${live.refused.value}</span></p>`, root);
  if (!t || !said) return;
  const now = stale.value ? unseen(said) : said;
  document.title = `${now.sim ? "SIM · " : ""}${named(now.line.display, lang.value, now.line.line)} · ${t(`tab-${tab.value}`)}`;
  /** @type {Page} */
  const page = {
    t, now, lang: lang.value, zone: now.line.timezone, silence: live.silence.value ?? 0, beats: live.beats.value,
    stale: stale.value, answers: answers.value, explain: (key) => { why.value = key; },
  };
  render(html`<${App} page=${page} open=${tab.value} />`, root);
});
