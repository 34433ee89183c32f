// @ts-check
/** The transparent overlays: lower third with corner bug (16:9), block with head (9:16). Public facts only: no counts. */

import { LAMPS, look } from "/shared/states.js";
import { calm } from "./calm.js";
import { bars, h, ring, sim, swap, sym } from "./dom.js";
import { start } from "./page.js";

const FIGURES = ["utilization", "first_pass_yield", "takt"];
const all = (/** @type {string} */ selector) => /** @type {HTMLElement[]} */ ([...document.querySelectorAll(selector)]);
/** @type {Map<string, ReturnType<typeof calm>>} */
const paced = new Map();

/** @param {string} key @param {any} value @param {(value: any) => void} show */
function pace(key, value, show, atOnce = false) {
  if (!paced.has(key)) paced.set(key, calm());
  paced.get(key)?.(value, show, atOnce);
}

/** Fill every element of a place; each gets children of its own. @param {string} selector @param {() => any[]} make */
function fill(selector, make) {
  for (const place of all(selector)) place.replaceChildren(...make().filter((c) => c !== null && c !== false && c !== ""));
}

/** Lamps lit by any station, at the same five places as on the machine. */
function lamps(/** @type {any} */ doc) {
  const lit = new Set(doc.machines.map((/** @type {any} */ m) => m.lamp));
  const nothing = doc.machines.every((/** @type {any} */ m) => !LAMPS.includes(m.lamp));
  fill("[data-place=lamps]", () => [h("span.stack.many", { "data-lit": nothing ? "unknown" : "" },
    ...LAMPS.map((lamp) => h(lit.has(lamp) ? `i.${lamp}` : "i", lit.has(lamp) ? { "data-lamp": lamp } : {})))]);
}

function marks(/** @type {any} */ doc, /** @type {any} */ say) {
  const { marks: m } = doc;
  const delay = say.t("mark-delay", { span: say.lasting(m.delayed_s) });
  const plain = say.lasting(m.delayed_s);
  const late = say.t("mark-stale-at", { time: say.at(doc, m.since) });
  fill("[data-place=sim]", () => [sim(m.sim)]);
  fill("[data-place=sim-long]", () => [sim(m.sim, `SIM ${say.t("sim-data")}`)]);
  fill("[data-place=sim-short]", () => [sim(m.sim, say.t("sim-short"))]);
  const plates = (/** @type {string} */ text) => [
    m.public && h("b.mark.delayed", { "data-mark": "delayed" }, sym("m-delayed"), text),
    m.stale && h("b.mark.stale", { "data-mark": "stale" }, late),
  ];
  fill("[data-place=time-marks]", () => plates(m.stale ? plain : delay));
  fill("[data-place=time-marks-short]", () => plates(plain));
  document.body.classList.toggle("stale", m.stale);
}

function head(/** @type {any} */ doc, /** @type {any} */ say) {
  const site = doc.line ? say.word("site", doc.line.site) : "";
  const running = doc.machines.filter((/** @type {any} */ m) => m.word === "executing").length;
  const seen = doc.machines.some((/** @type {any} */ m) => m.word !== "unknown");
  const time = doc.line ? say.at(doc, doc.line.time) : "";
  const view = { ...say.head(doc), site, time, running, seen, of: doc.machines.length };
  pace("head", view, (v) => {
    fill("[data-place=title]", () => [v.title]);
    fill("[data-place=where]", () => [[v.site, v.time].filter(Boolean).join(" · ")]);
    fill("[data-place=running]", () => !v.of ? [say.t("waiting-path")] : !v.seen ? [say.t("state-unknown")]
      : [h("b.num", {}, String(v.running)), " ", say.t("running-of", { n: String(v.of) })]);
    const [seq, root] = v.place.split(" · ");
    fill("[data-place=record]", () => v.place ? [h("p", {}, say.t("record-place")), h("p.num", {}, seq), root ? h("p.num", {}, root) : null] : [h("p", {}, "–")]);
  }, doc.marks.stale || doc.marks.waiting);
}

function figure(/** @type {string} */ name, /** @type {any} */ doc, /** @type {any} */ say) {
  pace(name, { ...say.figure(doc, name), stale: doc.marks.stale }, (f) => {
    const blank = f.kind === "none" || f.kind === "few";
    const goal = f.goal !== null && name === "takt" ? h("span.goal", {}, `${say.t("goal")} `, h("b.num", {}, f.goal)) : null;
    const about = name === "first_pass_yield" && f.band ? f.band : f.airOf;
    fill(`[data-figure=${name}] h2`, () => [h("span", {}, f.air), about ? h("em", {}, about) : null, goal]);
    for (const place of all(`[data-figure=${name}] .v`)) {
      swap(place, h(`span.num.${f.kind}${f.text.length > 4 ? ".long" : ""}`, {}, f.text), blank ? null : h("small", {}, f.unit), f.why ? h("span.note", {}, f.why) : null);
    }
    fill(`[data-prov=${name}]`, () => [sim(f.sim), f.coverage === null ? null : h(f.coverage < 0.98 ? "span.warn" : "span", {}, ring(f.coverage), f.airSeen), bars(f.stale ? 3 : f.owed)]);
  }, doc.marks.stale || doc.marks.waiting);
}

function track(/** @type {any} */ doc, /** @type {any} */ say) {
  const rows = doc.machines.map((/** @type {any} */ m) => ({ name: m.name, word: m.word, ...say.station(doc, m) }));
  fill("[data-place=track]", () => rows.map((/** @type {any} */ s, /** @type {number} */ i) =>
    h("li", { "data-machine": doc.machines[i].name, "data-state": s.word }, h(`span.say-${look(s.word).tone}`, {}, sym(look(s.word).symbol)), h("b", {}, s.name), h("span.w", {}, s.state))));
  for (const place of all("[data-place=track]")) place.style.setProperty("--stations", String(Math.max(1, rows.length)));
}

start((doc, say) => {
  lamps(doc);
  marks(doc, say);
  head(doc, say);
  track(doc, say);
  for (const name of FIGURES) figure(name, doc, say);
});
