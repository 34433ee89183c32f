// @ts-check
/** A WebSocket that never gives up. The newest message wins; beats owed are counted from the last sign of life. */

import { signal } from "/lib/signals-core.mjs";

const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 8000;
const TICK_MS = 500;
const TRY_LATER = 1013;

/** Beats owed after `silence_s` without a sign of life, 0..3; three owed is stale.
 * @param {number} silence_s @param {number} beat_s */
export function owed(silence_s, beat_s) {
  return Math.min(3, Math.floor(silence_s / beat_s));
}

/** Follow `address` (a path on this host). Messages are JSON objects; `beat_s` in one tells how often to expect them.
 * `silence` is seconds since the last of them, null before the first; `refused` why the server turns this page away, `lost` how often the link ended. @param {string} address */
export function follow(address) {
  const message = signal(/** @type {any} */ (null));
  const silence = signal(/** @type {number | null} */ (null));
  const beats = signal(0);
  const refused = signal("");
  const lost = signal(0);
  let heard = 0;
  let beat_s = 5;
  let retry = FIRST_RETRY_MS;

  function tick() {
    if (!heard) return;
    silence.value = Math.floor((performance.now() - heard) / 1000);
    beats.value = owed((performance.now() - heard) / 1000, beat_s);
  }
  function connect() {
    const socket = new WebSocket(new URL(address, location.origin.replace(/^http/, "ws")));
    socket.onmessage = ({ data }) => {
      heard = performance.now();
      retry = FIRST_RETRY_MS;
      const said = JSON.parse(data);
      beat_s = said.beat_s ?? beat_s;
      if (said.type !== "beat") message.value = said;
      tick();
    };
    socket.onclose = ({ code, reason }) => {
      lost.value += 1;
      refused.value = code === TRY_LATER ? reason : "";
      setTimeout(connect, retry);
      retry = Math.min(LAST_RETRY_MS, retry * 2);
    };
  }
  connect();
  setInterval(tick, TICK_MS);
  return { message, silence, beats, refused, lost };
}
