// @ts-check
/** What a display says: the document's facts as words. Pure, given a language's translator. */

import { face, silent, target } from "/shared/figure.js";
import { clock, day, number, span } from "/shared/format.js";
import { named } from "/shared/i18n.js";

const LIVE_S = 4;

/** @param {string} lang @param {import("/shared/i18n.js").Translate} t */
export function speaker(lang, t) {
  const has = (/** @type {string} */ id, args = {}) => t(id, args) !== id;
  const lasting = (/** @type {number} */ seconds) => {
    const { unit, n } = span(seconds);
    return t("span", { n: number(lang, n, Number.isInteger(n) ? 0 : 1), unit });
  };
  const zone = (/** @type {any} */ doc) => doc.line?.timezone ?? "UTC";
  /** Figures of less coverage are without value; before the line was heard, all are. */
  const least = (/** @type {any} */ doc) => doc.line?.least_coverage ?? 1;
  const at = (/** @type {any} */ doc, /** @type {string | null} */ time) => (time ? clock(zone(doc), time) : "–");
  const spent = (/** @type {any} */ doc, /** @type {string | null} */ time) =>
    time && doc.line ? (Date.parse(doc.line.time) - Date.parse(time)) / 1000 : 0;
  const since = (/** @type {any} */ doc, /** @type {string | null} */ time) => lasting(spent(doc, time));
  const machine = (/** @type {any} */ doc, /** @type {string} */ name) =>
    named(doc.machines.find((/** @type {any} */ m) => m.name === name)?.display, lang, name);
  const word = (/** @type {string} */ kind, /** @type {string | null} */ id) =>
    id === null ? null : has(`${kind}-${id}`) ? t(`${kind}-${id}`) : id.replaceAll(/[-_]/g, " ");

  /** Title, path and time of the data. A clock that runs fast shows no seconds: nobody could read them. */
  function head(/** @type {any} */ doc) {
    const line = doc.line;
    if (!line) return { title: t("waiting-title"), path: t("waiting-path"), place: "", clock: "--:--", date: "" };
    const weekday = new Date(`${day(zone(doc), line.time)}T00:00:00Z`).getUTCDay();
    const window = (doc.figures.utilization ?? doc.figures.first_pass_yield)?.window;
    const words = { date: day(zone(doc), line.time), weekday: t(`weekday-${weekday}`) };
    const shift = window && { shift: word("shift", window.label) ?? "", from: at(doc, window.start), to: at(doc, window.end) };
    return {
      title: named(line.display, lang, line.line),
      path: [line.site, line.area, line.line].join(" / "),
      place: place(doc),
      clock: clock(zone(doc), line.time, line.speed === 1),
      date: shift ? t("date-line", { ...words, ...shift }) : t("date-alone", words),
    };
  }

  const place = (/** @type {any} */ doc) =>
    doc.line && doc.line.seq !== null ? [`#${doc.line.seq}`, doc.line.root].filter(Boolean).join(" · ") : "";

  const band = (/** @type {number[] | null} */ ends) => {
    if (!ends) return "";
    const k = ends[0] >= 1000 ? 1000 : 1;
    return t(k > 1 ? "band-k" : "band", { low: number(lang, ends[0] / k), high: number(lang, ends[1] / k) });
  };

  /** Everything around a figure, and the figure itself. @param {any} doc @param {string} name */
  function figure(doc, name) {
    const of = doc.figures[name];
    const last = doc.machines.at(-1);
    const window = of ? t(`window-${of.window.kind}`) : "";
    const n = !of ? "–" : of.n !== null ? number(lang, of.n) : band(of.n_band).replace(/^n /, "");
    const brief = of ? t(`air-window-${of.window.kind}`) : "";
    const args = { window, brief, n, machines: String(doc.machines.length), machine: last ? machine(doc, last.name) : "–" };
    const goal = of && target(of);
    const shape = !of ? { kind: "none", text: "—" } : of.why === "few" ? { kind: "few", text: "—" } : face(lang, of, least(doc));
    return {
      name: t(`kpi-${name}`), air: t(`air-${name}`), of: of ? t(`of-${name}`, args) : "", airOf: of ? t(`air-of-${name}`, args) : "",
      band: of && of.n_band ? band(of.n_band) : "",
      goal: goal === null || goal === undefined ? null : number(lang, goal, of.unit === "%" ? 0 : 1),
      text: shape.text, kind: shape.kind, unit: of?.unit ?? "", why: why(doc, of, shape.kind), raw: of ?? null, least: least(doc),
      coverage: of ? of.coverage : null,
      seen: of ? t("seen", { share: share(of.coverage, 1) }) : "", airSeen: of ? t("seen", { share: share(of.coverage, 0) }) : "",
      age: !of ? "" : of.age_s < LIVE_S ? t("live") : t("ago", { span: lasting(of.age_s) }),
      owed: of ? Math.max(doc.marks.missed, of.age_s < LIVE_S ? 0 : 2) : 3,
      sim: of ? of.sim : doc.marks.sim,
    };
  }

  const share = (/** @type {number} */ part, /** @type {number} */ digits) =>
    part >= 0.9995 ? "100" : number(lang, Math.min(99.9, part * 100), digits);

  function why(/** @type {any} */ doc, /** @type {any} */ of, /** @type {string} */ kind) {
    if (kind === "few") return t("why-few");
    if (kind === "seen") return t("seen-only-note");
    if (kind !== "none") return "";
    if (!of || of.value === null) return t("why-nothing");
    const from = silent(of, doc.machines);
    return from ? t("why-unseen", { time: at(doc, from.since) }) : t(of.coverage > 0 ? "why-little" : "why-nothing");
  }

  const list = (/** @type {any} */ doc, /** @type {string[]} */ names) => names.map((n) => machine(doc, n)).join(t("list-separator"));

  /** The story line: what, and why. @returns {[string, string]} */
  function story(/** @type {any} */ doc) {
    const { marks } = doc;
    if (marks.waiting) return [t("story-waiting"), ""];
    if (marks.stale) return [t("story-stale", { time: at(doc, marks.since) }), t(marks.offline ? "story-offline-note" : "story-stale-note")];
    const told = doc.story;
    if (!told) return ["", ""];
    const named_ = { machine: told.machine ? machine(doc, told.machine) : "", time: at(doc, told.since) };
    if (told.code === "all_running") return [t("story-all", { n: String(told.machines) }), t("story-all-note", { span: since(doc, told.since) })];
    if (told.code === "unseen") return [t("story-unseen", named_), told.others ? t("story-unseen-note", { n: String(told.others) }) : ""];
    const waits = told.starved.length ? ` ${t("story-starved", { machines: list(doc, told.starved) })}` : "";
    const backs = told.blocked.length ? t("story-blocked", { machines: list(doc, told.blocked) }) : "";
    return [t("story-stopped", named_) + waits + backs, word("reason", told.reason_word ?? null) ?? ""];
  }

  /** A station's words. @param {any} doc @param {any} m */
  function station(doc, m) {
    const cycle = m.cycle_s === null || m.cycle_s === undefined ? null : number(lang, m.cycle_s, 1);
    const plain = m.word === "executing" && cycle === null ? "" : t(`why-${m.word}`, { cycle: cycle ?? "", time: at(doc, m.since) });
    const reason = m.word === "stopped" && m.reason_word ? word("reason", m.reason_word) : null;
    const times = { time: at(doc, m.since), span: since(doc, m.since) };
    const util = m.utilization ? face(lang, m.utilization, least(doc)) : { kind: "none", text: "—" };
    return {
      name: machine(doc, m.name), state: t(`state-${m.word}`), word: m.word, lag: m.lag, sim: m.sim,
      why: m.since === null && m.word === "unknown" ? t("why-unheard") : reason ?? plain,
      since: m.since === null || (m.word === "unknown" && spent(doc, m.since) < 1) ? "" : t(m.word === "unknown" ? "unseen-at" : "since-at", times),
      lasting: spent(doc, m.since) < 1 ? "" : t(m.word === "unknown" ? "unseen-lasting" : "since-lasting", times),
      util: util.text, kind: util.kind, coverage: m.utilization ? m.utilization.coverage : null,
      share: m.utilization ? share(m.utilization.coverage, 0) : "",
      good: count(m.good), scrap: count(m.scrap), counted: m.good !== undefined,
    };
  }

  const count = (/** @type {number | null | undefined} */ n) => (n === null || n === undefined ? "—" : number(lang, n));

  /** Why a job is next. @param {any} reason */
  function job(reason) {
    const saves = typeof reason.saves_s === "number" ? lasting(reason.saves_s) : "";
    return reason.code && has(`job-${reason.code}`, { saves }) ? t(`job-${reason.code}`, { saves }) : "";
  }

  return { t, lang, at, head, place, figure, story, station, job, count, word, machine, lasting, band };
}
