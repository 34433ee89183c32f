// @ts-check
/** The live document of one line: whole at first, then by changed sections; seen as stale when the server falls silent. */

import { signal } from "/lib/signals-core.mjs";

export const HEARTBEAT_MS = 5000;
export const MISSED_TO_STALE = 3;
const RETRY_MS = [250, 500, 1000, 2000, 4000];

/** What a page shows before anything was heard. */
export const NOTHING = {
  line: null,
  marks: { sim: false, stale: false, offline: false, missed: 0, since: null, waiting: true, delayed_s: 0, public: false },
  machines: [], figures: {}, inspection: null, jobs: null, story: null,
};

/** The document as nobody vouches for it any more: marked, and every machine unknown. @param {any} doc */
export function unseen(doc) {
  const since = doc.line?.time ?? null;
  const unknown = { state: "UNKNOWN", cause: null, word: "unknown", lamp: "unknown", reason_word: null, cycle_s: null, lag: 3 };
  return {
    ...doc, story: null, marks: { ...doc.marks, stale: true, missed: MISSED_TO_STALE, since: doc.marks.since ?? since },
    machines: doc.machines.map((/** @type {any} */ m) => (m.word === "unknown" ? m : { ...m, ...unknown, since })),
  };
}

/** Follow the stream beside this page; returns the signal that holds the document. */
export function follow(address = new URL("ws/v1", location.href)) {
  const shown = signal(/** @type {any} */ (NOTHING));
  let heard = /** @type {any} */ (NOTHING);
  let tries = 0;
  let silence = 0;
  address.protocol = location.protocol === "https:" ? "wss:" : "ws:";

  const quiet = () => { if (heard.line) shown.value = unseen(heard); };
  const beat = () => {
    clearTimeout(silence);
    silence = setTimeout(quiet, HEARTBEAT_MS * MISSED_TO_STALE);
  };
  const open = () => {
    const socket = new WebSocket(address);
    socket.onmessage = (event) => {
      const message = JSON.parse(event.data);
      tries = 0;
      beat();
      heard = message.type === "snapshot" ? { ...NOTHING, ...message.document } : { ...heard, ...message.document };
      shown.value = heard;
    };
    socket.onclose = () => setTimeout(open, RETRY_MS[Math.min(tries++, RETRY_MS.length - 1)]);
  };
  beat();
  open();
  return shown;
}
