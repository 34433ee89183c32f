// @ts-check
/** What the page knows: the live line, what the open tab asked for, the language, the tab. */

import { batch, computed, effect, signal } from "/lib/signals-core.mjs";
import { choose, load } from "/shared/i18n.js";
import { follow } from "/shared/live.js";
import { may, recognise } from "./access.js";

/** @typedef {import("/shared/i18n.js").Translate} Translate */

export const LANGUAGES = ["zh-CN", "en"];
export const TABS = ["overview", "devices", "stops", "inspections", "plan", "faults", "ledger", "health", "setup"];
/** What is asked for only by those who may. @type {Record<string, [string, string][]>} */
const MORE = {
  setup: [["configure", "/api/v1/linefile"]], "setup/certificates": [["configure", "/api/v1/certificates"]], "setup/browse": [["configure", "/api/v1/explorer"]],
   access: [["users", "/api/v1/users"], ["audit", "/api/v1/audit?limit=60"]] };
const KEPT = "tanchang.lang";
const RIBBON_HOURS = 4;
const ASK_EVERY_MS = 2000;
/** Trends are long and change little. */
const RARE_MS = 10_000;
const RARE = ["/trends", "/linefile"];
/** When each address was asked last. @type {Map<string, number>} */
const lastAsked = new Map();

const asked = new URLSearchParams(location.search).get("lang");
export const lang = signal(choose([asked, localStorage.getItem(KEPT), ...navigator.languages].filter((l) => l !== null), LANGUAGES));
export const translate = signal(/** @type {Translate | null} */ (null));
export const tab = signal(tabOf(location.hash));
/** The tab with the part of it that is open, such as "setup/browse". */
export const place = signal(placeOf(location.hash));
/** The machine whose page is open, "" while another page is. */
export const machine = signal(machineOf(location.hash));
/** The window of the figures: shift or hour. */
export const span = signal("shift");
export const live = follow("/ws/v1");
// A socket that is turned away may be a session that is over.
effect(() => {
  if (live.lost.value) recognise();
});
/** Answers of the addresses the open tab asks for, by address; what failed to come keeps its last answer. */
export const answers = signal(/** @type {Record<string, any>} */ ({}));
/** Which figure the drawer explains: "name machine window", or null. */
export const why = signal(/** @type {string | null} */ (null));

export const RIBBON = `/api/v1/states?hours=${RIBBON_HOURS}`;
/** What a machine's page asks for. @param {string} name @param {string} window */
export const ASKED = (name, window) => ({
  page: `/api/v1/machines/${name}?window=${window}`,
  trends: `/api/v1/machines/${name}/trends?window=${window}`,
  states: `/api/v1/states?hours=24&machine=${name}`,
  records: `/api/v1/ledger?limit=12&machine=${name}`,
  defects: DEFECTS(name, window),
});
/** Rejected parts by class: of a machine, or of the line. @param {string} name @param {string} window */
export const DEFECTS = (name, window) => `/api/v1/defects?window=${window}&machine=${name}`;
/** The machine whose parts leave the line; "" before the line was heard. */
const last = computed(() => live.message.value?.machines?.at(-1)?.name ?? "");
/** What depends on the window, too. @type {Record<string, () => string[]>} */
const WINDOWED = {
  overview: () => (last.value && may("trace") ? [ASKED(last.value, span.value).page] : []),
  inspections: () => [DEFECTS("", span.value)],
};
/** @type {Record<string, string[]>} */
const NEEDS = {
  overview: [RIBBON],
  devices: ["/api/v1/devices"],
  stops: ["/api/v1/stops"],
  inspections: ["/api/v1/inspections?limit=24"],
  plan: [],
  faults: ["/api/v1/faults?limit=30"],
  ledger: ["/api/v1/ledger?limit=60"],
  health: ["/api/v1/health"],
  setup: [],
  access: [],
};

/** Nothing came for three beats: what stands here is the past. */
export const stale = computed(() => live.beats.value >= 3);

/** @param {string} hash */
function tabOf(hash) {
  if (machineOf(hash)) return "machine";
  const name = placeOf(hash).split("/")[0];
  return TABS.includes(name) || name in MORE ? name : TABS[0];
}

/** @param {string} hash */
function placeOf(hash) {
  return hash.replace(/^#/, "");
}

/** @param {string} hash */
function machineOf(hash) {
  return /^#machine\/([a-z][a-z0-9_]*)$/.exec(hash)?.[1] ?? "";
}

/** Switch language and keep the choice on this screen. @param {string} next */
export function speak(next) {
  localStorage.setItem(KEPT, next);
  lang.value = next;
}

/** Ask for what the open tab shows: now, every two seconds, and when something was changed here. */
export async function refresh() {
  const shown = place.value;
  const needs = machine.value ? Object.values(ASKED(machine.value, span.value)) : [...NEEDS[tab.value], ...(WINDOWED[tab.value]?.() ?? []), ...(MORE[place.value] ?? MORE[tab.value] ?? []).filter(([what]) => may(what)).map(([, address]) => address)];
  for (const address of needs) {
    const rare = RARE.some((part) => address.includes(part)) && performance.now() - (lastAsked.get(address) ?? -RARE_MS) < RARE_MS;
    if (rare) continue;
    lastAsked.set(address, performance.now());
    try {
      const reply = await fetch(address);
      if (reply.ok) answers.value = { ...answers.value, [address]: await reply.json() };
      if (reply.status === 401) await recognise();
    } catch {
      // The server is away: the live beats say so on every figure, and the next round asks again.
    }
  }
  // What the page shows from here on is no longer empty for want of an answer.
  document.documentElement.dataset.answered = shown;
}

/** Ask for something that was changed here, however long it usually stays. @param {string} address */
export async function again(address) {
  lastAsked.delete(address);
  await refresh();
}

effect(() => {
  const wanted = lang.value;
  document.documentElement.lang = wanted;
  load(wanted, [`/shared/locales/${wanted}.ftl`, `/panel/locales/${wanted}.ftl`]).then((t) => {
    if (lang.value === wanted) translate.value = t;
  });
});
effect(() => {
  if (tab.value && span.value && last.value !== null && machine.value !== null && place.value !== null) refresh();
});
setInterval(refresh, ASK_EVERY_MS);
addEventListener("hashchange", () => {
  batch(() => {
    tab.value = tabOf(location.hash);
    place.value = placeOf(location.hash);
    machine.value = machineOf(location.hash);
  });
  scrollTo(0, 0);
});

/** The open figure taken apart, as of one moment: it stands still while it is read. */
export const account = signal(/** @type {any} */ (null));
/** The raw samples behind one entry of it, with the entry and its row. */
export const samples = signal(/** @type {any} */ (null));

const BEFORE_MS = 2000;
const SHOWN = 100;

/** @param {string} address */
async function asking(address) {
  try {
    const reply = await fetch(address);
    return reply.ok ? await reply.json() : null;
  } catch {
    return null; // the live beats already say that the server is away
  }
}

effect(() => {
  const key = why.value;
  account.value = samples.value = null;
  if (!key || !may("trace")) return;
  const [name, of, window] = key.split(" ");
  asking(`/api/v1/explain?name=${name}&machine=${of}&window=${window}`).then((told) => {
    if (why.value === key) account.value = told;
  });
});

/** Bring the samples of one entry: those within it, and the one that stood before. @param {any} row @param {any} entry */
export async function bring(row, entry) {
  const [since, until] = [Date.parse(entry.start), Date.parse(entry.end)];
  const { device, tag } = row.source;
  const from = row.kind === "count" ? since - BEFORE_MS : since;
  const told = await asking(`/api/v1/samples?device=${device}&tag=${tag}&since=${from}&until=${until + 1000}&limit=${SHOWN}`);
  if (told && why.value) samples.value = { row, entry, ...told };
}
