// @ts-check
/** What the page knows: the live line, what the open tab asked for, the language, the tab. */

import { computed, effect, signal } from "/lib/signals-core.mjs";
import { choose, load } from "/shared/i18n.js";
import { follow } from "/shared/live.js";

/** @typedef {import("/shared/i18n.js").Translate} Translate */

export const LANGUAGES = ["zh-CN", "en"];
export const TABS = ["overview", "devices", "inspections", "plan", "faults", "ledger"];
const KEPT = "tanchang.lang";
const RIBBON_HOURS = 4;
const ASK_EVERY_MS = 2000;

const asked = new URLSearchParams(location.search).get("lang");
export const lang = signal(choose([asked, localStorage.getItem(KEPT), ...navigator.languages].filter((l) => l !== null), LANGUAGES));
export const translate = signal(/** @type {Translate | null} */ (null));
export const tab = signal(tabOf(location.hash));
export const live = follow("/ws/v1");
/** Answers of the addresses the open tab asks for, by address; what failed to come keeps its last answer. */
export const answers = signal(/** @type {Record<string, any>} */ ({}));
/** Which figure the drawer explains: "name machine window", or null. */
export const why = signal(/** @type {string | null} */ (null));

export const RIBBON = `/api/v1/states?hours=${RIBBON_HOURS}`;
/** @type {Record<string, string[]>} */
const NEEDS = {
  overview: [RIBBON],
  devices: ["/api/v1/devices"],
  inspections: ["/api/v1/inspections?limit=24"],
  plan: [],
  faults: ["/api/v1/faults?limit=30"],
  ledger: ["/api/v1/ledger?limit=60"],
};

/** Nothing came for three beats: what stands here is the past. */
export const stale = computed(() => live.beats.value >= 3);

/** @param {string} hash */
function tabOf(hash) {
  const name = hash.replace(/^#/, "");
  return TABS.includes(name) ? name : TABS[0];
}

/** Switch language and keep the choice on this screen. @param {string} next */
export function speak(next) {
  localStorage.setItem(KEPT, next);
  lang.value = next;
}

/** Ask for what the open tab shows, now and every two seconds. */
async function ask() {
  for (const address of NEEDS[tab.value]) {
    try {
      const reply = await fetch(address);
      if (reply.ok) answers.value = { ...answers.value, [address]: await reply.json() };
    } catch {
      // The server is away: the live beats say so on every figure, and the next round asks again.
    }
  }
}

effect(() => {
  const wanted = lang.value;
  document.documentElement.lang = wanted;
  load(wanted, [`/shared/locales/${wanted}.ftl`, `/panel/locales/${wanted}.ftl`]).then((t) => {
    if (lang.value === wanted) translate.value = t;
  });
});
effect(() => {
  if (tab.value) ask();
});
setInterval(ask, ASK_EVERY_MS);
addEventListener("hashchange", () => {
  tab.value = tabOf(location.hash);
});
