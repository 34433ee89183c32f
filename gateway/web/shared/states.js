// @ts-check
/** The eight words of a machine state: which lamp, which symbol, which tone of text. */

/** @typedef {{lamp: "red"|"amber"|"green"|"blue"|"white"|"none"|"unknown", symbol: string, tone: string}} Look */

/** @type {Record<string, Look>} */
export const STATES = {
  executing: { lamp: "green", symbol: "s-executing", tone: "green" },
  stopped: { lamp: "red", symbol: "s-stopped", tone: "red" },
  starved: { lamp: "amber", symbol: "s-starved", tone: "amber" },
  blocked: { lamp: "amber", symbol: "s-blocked", tone: "amber" },
  changeover: { lamp: "blue", symbol: "s-changeover", tone: "blue" },
  idle: { lamp: "white", symbol: "s-idle", tone: "white" },
  out_of_service: { lamp: "none", symbol: "s-oos", tone: "grey" },
  unknown: { lamp: "unknown", symbol: "s-unknown", tone: "grey" },
};

/** Places of the stack light from the top; also the lanes of a ribbon. */
export const LAMPS = ["red", "amber", "green", "blue", "white"];

/** A word this page does not know is shown as unknown, never as something good. @param {string} word @returns {Look} */
export function look(word) {
  return STATES[word] ?? STATES.unknown;
}
