// @ts-check
/** Elements of the tour pages: plain DOM, no strings of markup. */

import { look } from "/shared/states.js";

const SVG = "http://www.w3.org/2000/svg";

/** An element with attributes (`--x` sets a style property) and children; null children are left out.
 * @param {string} tag @param {Record<string, any>} [attributes] @param {...(Node | string | null | undefined | false)} children */
export function h(tag, attributes = {}, ...children) {
  const [name, ...classes] = tag.split(".");
  const element = document.createElement(name || "div");
  if (classes.length) element.className = classes.join(" ");
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("--")) element.style.setProperty(key, value);
    else if (value !== null && value !== undefined) element.setAttribute(key, value);
  }
  element.append(.../** @type {(Node | string)[]} */ (children.filter((c) => c !== null && c !== undefined && c !== false)));
  return element;
}

/** An SVG element. @param {string} tag @param {Record<string, any>} attributes @param {...(Node | string)} children */
export function g(tag, attributes, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  element.append(...children);
  return element;
}

/** @param {string} id */
export function sym(id, tone = "") {
  const use = g("use", { href: `#${id}` });
  return g("svg", { class: tone ? `sym say-${tone}` : "sym", "aria-hidden": "true" }, use);
}

/** The SIM mark: drawn wherever the data say so, and nothing else decides. @param {boolean} simulated */
export function sim(simulated, text = "SIM") {
  return simulated ? h("b.mark.sim", { "data-mark": "sim" }, text) : null;
}

/** Coverage ring. @param {number} share 0..1 */
export const ring = (share) => h("i.cov", { "--c": (share * 100).toFixed(1) });

/** Three bars, hollow ones are heartbeats owed. @param {number} owed */
export const bars = (owed) => sym(["f-fresh", "f-fresh", "f-late", "f-stale"][Math.min(3, Math.max(0, owed))]);

/** Stack light with one lamp lit. @param {string} lamp */
export const stack = (lamp) => h("span.stack", { "data-lit": lamp }, ...Array.from({ length: 5 }, () => h("i")));

/** Symbol and word of a state. @param {string} word @param {string} text */
export function stateWord(word, text) {
  const { symbol, tone } = look(word);
  return h(`p.word.say-${tone}`, {}, sym(symbol), h("span", {}, text));
}

/** Replace the content of an element, with a short fade where motion is welcome.
 * @param {HTMLElement} element @param {...(Node | string | null | undefined | false)} children */
export function swap(element, ...children) {
  const before = element.textContent;
  element.replaceChildren(.../** @type {(Node | string)[]} */ (children.filter((c) => c !== null && c !== undefined && c !== false)));
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  if (!still && before && before !== element.textContent) element.animate([{ opacity: 0.25 }, { opacity: 1 }], { duration: 200 });
}
