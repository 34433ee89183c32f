// @ts-check
/** The full-screen board. */

import { LAMPS, look } from "/shared/states.js";
import { calm } from "./calm.js";
import { bars, h, ring, sim, stack, stateWord, swap, sym } from "./dom.js";
import { start } from "./page.js";
import { tape } from "./tape.js";

const HEROES = ["utilization", "first_pass_yield", "takt"];
const TOWER = { red: "stopped", amber: "starved", green: "executing", blue: "changeover", white: "idle", foot: "unknown" };
/** @type {Record<string, string>} */
const VERDICTS = { PASS: "v-pass", REJECT: "s-stopped", ASK: "v-ask" };
const CANVAS = { wide: [1920, 1080], tall: [1080, 1920] };

const one = (/** @type {string} */ selector) => /** @type {HTMLElement} */ (document.querySelector(selector));
/** @type {Map<string, ReturnType<typeof calm>>} */
const paced = new Map();

/** One pace for each figure group of the page. @param {string} key @param {any} value @param {(value: any) => void} show */
function pace(key, value, show, atOnce = false) {
  if (!paced.has(key)) paced.set(key, calm());
  paced.get(key)?.(value, show, atOnce);
}

/** Lamps of the whole line: how many stations stand at each place. */
function tower(/** @type {any} */ doc, /** @type {any} */ say) {
  const { marks, line, machines } = doc;
  const speed = line && line.speed !== 1 ? say.t("sim-speed", { speed: String(Math.round(line.speed * 10) / 10) }) : say.t("sim-data");
  const cap = marks.sim ? h("div.cap", { "data-mark": "sim" }, h("b", {}, "SIM"), h("span", {}, speed)) : h("div.cap.none");
  const places = Object.entries(TOWER).map(([place, first]) => {
    const here = machines.filter((/** @type {any} */ m) => (LAMPS.includes(m.lamp) ? m.lamp : "foot") === place);
    const words = new Set(here.map((/** @type {any} */ m) => m.word));
    const word = words.size === 1 ? [...words][0] : first;
    const [on, hatch] = [here.length ? " on" : "", here.length && place === "foot" ? " hatch-air" : ""];
    return h("div", { class: `lamp ${place}${on}${hatch}`, "data-lamp": place, "data-count": here.length },
      h("div.n", {}, sym(look(word).symbol), here.length ? h("span.num", {}, String(here.length)) : null),
      h("div.w", {}, say.t(`state-${word}`)));
  });
  one("#tower").replaceChildren(cap, ...places);
}

function header(/** @type {any} */ doc, /** @type {any} */ say) {
  const { marks } = doc;
  const plates = [
    marks.stale && h("b.mark.stale", { "data-mark": "stale" }, say.t("mark-stale-at", { time: say.at(doc, marks.since) })),
    marks.public && h("b.mark.delayed", { "data-mark": "delayed" }, sym("m-delayed"), say.t("mark-delay", { span: say.lasting(marks.delayed_s) })),
  ];
  one("#marks").replaceChildren(...plates.filter(Boolean));
  document.body.classList.toggle("stale", marks.stale);
  document.body.classList.toggle("waiting", marks.waiting);
  pace("head", say.head(doc), ({ title, path, place, clock, date }) => {
    one("h1").textContent = title;
    one("#path").replaceChildren(path, ...(place ? [h("span.dot", {}, "·"), `${say.t("record")} ${place}`] : []));
    one("#clock").textContent = clock;
    one("#date").textContent = date;
  }, marks.stale || marks.waiting);
}

function hero(/** @type {string} */ name, /** @type {any} */ doc, /** @type {any} */ say) {
  const stale = doc.marks.stale && say.t("mark-stale-at", { time: say.at(doc, doc.marks.since) });
  pace(`hero ${name}`, { ...say.figure(doc, name), stale }, (f) => {
    const place = one(`#${name}`);
    const wide = f.text.length > 4 ? " long" : "";
    const note = f.why ? h("span.note", {}, f.why) : null;
    const blank = f.kind === "none" || f.kind === "few";
    swap(/** @type {HTMLElement} */ (place.querySelector(".val")),
      h("span", { class: `num ${f.kind}${wide}`, "data-value": f.raw?.value ?? "" }, f.text), blank ? null : h("small", {}, f.unit), note);
    place.querySelector("h2")?.replaceChildren(h("span", {}, f.name),
      f.goal === null ? "" : h("span.goal", {}, `${say.t("goal")} `, h("b.num", {}, f.goal)));
    /** @type {HTMLElement} */ (place.querySelector(".den")).textContent = f.of;
    place.querySelector(".tape")?.replaceWith(tape(say.lang, f.raw?.why ? null : f.raw, f.least));
    place.querySelector(".prov")?.replaceChildren(...[
      sim(f.sim),
      f.coverage === null ? null : h(f.coverage < 0.98 ? "span.k.warn" : "span.k", {}, ring(f.coverage), f.seen),
      f.stale ? h("b.mark.stale", { "data-mark": "stale" }, f.stale) : f.age ? h("span.k", {}, bars(f.owed), f.age) : null,
    ].filter((c) => c !== null));
  }, doc.marks.stale || doc.marks.waiting);
}

function story(/** @type {any} */ doc, /** @type {any} */ say) {
  const [what, note] = say.story(doc);
  pace("story", { what, note }, (s) => one("#story").replaceChildren(h("span", {}, s.what), h("em", {}, s.note)),
    doc.marks.stale || one("#story").dataset.code !== (doc.story?.code ?? ""));
  one("#story").dataset.code = doc.story?.code ?? "";
}

/** The row of stations; their frames stay as long as the line has the same machines. */
function stations(/** @type {any} */ doc, /** @type {any} */ say) {
  const row = one("#stations");
  const names = doc.machines.map((/** @type {any} */ m) => m.name).join(" ");
  if (row.dataset.names !== names) {
    row.dataset.names = names;
    for (const key of paced.keys()) if (key.startsWith("station ")) paced.delete(key);
    row.style.setProperty("--stations", String(Math.max(1, doc.machines.length)));
    row.replaceChildren(...doc.machines.map((/** @type {any} */ m) => h("li.st", { "data-machine": m.name, "data-bind": "machine state" })));
    if (!doc.machines.length) row.append(h("li.empty.hatch-air", {}, h("span", {}, say.t("no-stations"))));
  }
  for (const [place, m] of doc.machines.entries()) station(/** @type {HTMLElement} */ (row.children[place]), place, m, doc, say);
}

function station(/** @type {HTMLElement} */ frame, /** @type {number} */ place, /** @type {any} */ m, /** @type {any} */ doc, /** @type {any} */ say) {
  for (const key of ["good", "scrap"]) if (m[key] !== undefined) frame.dataset[key] = m[key] ?? "";
  const turned = frame.dataset.state !== m.word || doc.marks.stale;
  frame.dataset.state = m.word;
  frame.classList.toggle("unk", m.word === "unknown");
  pace(`station ${m.name}`, say.station(doc, m), (s) => frame.replaceChildren(
    h("h3", {}, h("b.num", {}, String(place + 1)), h("span.name", {}, s.name), sim(s.sim)),
    h("div.body", {}, stack(look(s.word).lamp),
      h("div.say", {}, stateWord(s.word, s.state), h("p.why", {}, s.why), h("p.since", {}, s.since, h("span.lasting", {}, s.lasting)))),
    h("div.proof", {},
      h("p.u", {}, h("span.ul", {}, say.t("util")), h("span.uv", {}, h(`span.num.${s.kind}`, {}, s.util), s.kind === "none" ? null : h("small", {}, "%")),
        s.coverage === null ? null : h(s.coverage < 0.98 ? "span.uc.warn" : "span.uc", {}, ring(s.coverage), s.share)),
      h("p.c", {}, ...(s.counted ? [
        h("span", {}, say.t("good"), h("b.num", {}, s.good)),
        h("span", {}, say.t("scrap"), h("b.num", {}, s.scrap))] : []), bars(s.lag)))), turned);
}

function inspection(/** @type {any} */ doc, /** @type {any} */ say) {
  const held = doc.inspection;
  const last = held?.last ?? null;
  const face = last && say.t(`verdict-${last.verdict}`);
  const about = last ? [say.word("defect", last.defect ?? null) ?? "", last.unit ? `${say.t("part-number")} ${last.unit.replace(/^.*-0*/, "")} · ${say.at(doc, last.time)}` : ""] : [say.t("none-yet")];
  pace("part", { verdict: last?.verdict ?? null, face, about, image: held?.image ?? null, mark: Boolean(held ? held.sim : doc.marks.sim) }, (p) => one("#part").replaceChildren(
    p.image ? h("img", { src: p.image, alt: "" }) : h("div.img.hatch-air"),
    h("div", {}, h("h2", {}, h("b", {}, say.t("last-part")), sim(p.mark)),
      p.verdict ? h(`p.verdict.${p.verdict}`, {}, sym(VERDICTS[p.verdict]), p.face) : null,
      ...p.about.filter(Boolean).map((/** @type {string} */ text) => h("p", {}, text)))));
}

function counts(/** @type {any} */ doc, /** @type {any} */ say) {
  const held = doc.inspection?.counts;
  const good = doc.figures.good;
  const all = ["pass", "reject", "ask"].map((word) => held?.[word] ?? null);
  const n = all.some((c) => c === null) ? null : all.reduce((a, b) => a + b, 0);
  const view = { all, n, good: good?.value ?? null, plan: good?.denominator ?? null, mark: Boolean(doc.inspection ? doc.inspection.sim : doc.marks.sim) };
  const title = say.t("inspection-of", { machine: doc.inspection ? say.machine(doc, doc.inspection.machine) : "" }).trim();
  pace("counts", { ...view, title }, (v) => one("#counts").replaceChildren(
    h("h2", {}, h("b", {}, v.title[0].toUpperCase() + v.title.slice(1)), v.n === null ? null : h("span", {}, `n = ${say.count(v.n)}`), sim(v.mark)),
    h("div.counts", {}, ...["pass", "reject", "ask"].map((word, i) =>
      h("div", { "data-count": word }, h(v.all[i] === null ? "b.num.none" : "b.num", {}, say.count(v.all[i])), h("span", {}, say.t(`count-${word}`))))),
    v.good === null ? h("p.out") : h("p.out", {}, `${say.t("packed")} `, h("b", {}, say.count(v.good)),
      v.plan === null ? "" : " / ", v.plan === null ? "" : h("i", {}, `${say.t("goal")} ${say.count(Math.floor(v.plan))}`))));
}

function jobs(/** @type {any} */ doc, /** @type {any} */ say) {
  const held = doc.jobs;
  const rows = (held?.next ?? []).map((/** @type {any} */ j) => ({
    start: say.at(doc, j.start), name: j.display?.[say.lang] ?? j.display?.en ?? j.product, why: say.job(j.reason),
  }));
  pace("jobs", { rows, advice: held ? say.t(held.rung === "rules" ? "jobs-rules" : "jobs-advice") : "", mark: Boolean(held ? held.sim : doc.marks.sim) }, (v) =>
    one("#jobs").replaceChildren(h("h2", {}, h("b", {}, say.t("jobs")), h("span", {}, v.advice), sim(v.mark)),
      h("div.jobs", {}, ...(v.rows.length ? v.rows.map((/** @type {any} */ r) =>
        h("div", {}, h("b.num", {}, r.start), h("p", {}, h("b", {}, r.name), " ", h("span", {}, r.why)))) : [h("p", {}, say.t("none-yet"))]))));
}

/** The canvas fills the screen it is on, whole. */
function fit() {
  const tall = innerHeight > innerWidth;
  const [width, height] = CANVAS[tall ? "tall" : "wide"];
  document.documentElement.dataset.shape = tall ? "tall" : "wide";
  const board = one(".canvas");
  const scale = Math.min(innerWidth / width, innerHeight / height);
  board.style.transform = scale === 1 ? "" : `translate(${(innerWidth - width * scale) / 2}px,${(innerHeight - height * scale) / 2}px) scale(${scale})`;
}

addEventListener("resize", fit);
fit();
start((doc, say) => {
  tower(doc, say);
  header(doc, say);
  for (const name of HEROES) hero(name, doc, say);
  story(doc, say);
  stations(doc, say);
  inspection(doc, say);
  counts(doc, say);
  jobs(doc, say);
});
