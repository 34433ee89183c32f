// @ts-check
/** Numbers and times as text. Pure: language and time zone come in as arguments; times are ISO 8601 or epoch ms. */

/** @type {Map<string, Intl.NumberFormat | Intl.DateTimeFormat>} */
const made = new Map();

/** @template {Intl.NumberFormat | Intl.DateTimeFormat} T @param {string} key @param {() => T} make @returns {T} */
function once(key, make) {
  if (!made.has(key)) made.set(key, make());
  return /** @type {T} */ (made.get(key));
}

/** Western digits in every language, so that a figure reads the same on every screen.
 * @param {string} lang @param {number} value @param {number} [digits] */
export function number(lang, value, digits = 0) {
  const make = () =>
    new Intl.NumberFormat(`${lang}-u-nu-latn`, { minimumFractionDigits: digits, maximumFractionDigits: digits });
  return once(`n ${lang} ${digits}`, make).format(value);
}

/** Hour, minute and, if wanted, second at the line. @param {string} zone @param {string | number} time @param {boolean} [seconds] */
export function clock(zone, time, seconds = false) {
  const make = () =>
    new Intl.DateTimeFormat("en-GB", {
      timeZone: zone, hour: "2-digit", minute: "2-digit", ...(seconds ? { second: "2-digit" } : {}),
    });
  return once(`t ${zone} ${seconds}`, make).format(new Date(time));
}

/** Hour, minute, second and millisecond at the line. @param {string} zone @param {string} time */
export const precise = (zone, time) => `${clock(zone, time, true)}.${String(new Date(time).getMilliseconds()).padStart(3, "0")}`;

/** Year-month-day at the line. @param {string} zone @param {string | number} time */
export function day(zone, time) {
  const make = () => new Intl.DateTimeFormat("en-CA", { timeZone: zone, year: "numeric", month: "2-digit", day: "2-digit" });
  return once(`d ${zone}`, make).format(new Date(time));
}

/** A span as the unit people say it in, and how many: 42 s, 8 min, 3.5 h, 2 d.
 * @param {number} seconds @returns {{unit: "s" | "min" | "h" | "d", n: number}} */
export function span(seconds) {
  const s = Math.max(0, seconds);
  if (s < 90) return { unit: "s", n: Math.round(s) };
  if (s < 5400) return { unit: "min", n: Math.round(s / 60) };
  if (s < 172_800) return { unit: "h", n: Math.round(s / 360) / 10 };
  return { unit: "d", n: Math.round(s / 86_400) };
}
