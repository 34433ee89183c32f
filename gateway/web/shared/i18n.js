// @ts-check
/** Words by language: Fluent files, one per language and page, rendered in the browser. */

import { FluentBundle, FluentResource } from "/lib/fluent/index.js";

/** @typedef {(id: string, args?: Record<string, string | number>) => string} Translate */

/** The first language of `offered` that one of `wanted` asks for, by full tag or by its first part; else the first.
 * @param {readonly string[]} wanted @param {readonly string[]} offered */
export function choose(wanted, offered) {
  const base = (/** @type {string} */ tag) => tag.toLowerCase().split("-")[0];
  for (const tag of wanted) {
    const found = offered.find((o) => o.toLowerCase() === tag.toLowerCase()) ?? offered.find((o) => base(o) === base(tag));
    if (found) return found;
  }
  return offered[0];
}

/** Fetch the files of a language and return its translator; an id without words comes back as itself, so it is seen.
 * @param {string} lang @param {string[]} addresses @returns {Promise<Translate>} */
export async function load(lang, addresses) {
  // Isolation marks would stand in the text that people copy; both languages run left to right.
  const bundle = new FluentBundle(`${lang}-u-nu-latn`, { useIsolating: false });
  const files = await Promise.all(addresses.map(async (a) => {
    const reply = await fetch(a);
    if (!reply.ok) throw new Error(`${a}: ${reply.status}`);
    return reply.text();
  }));
  for (const text of files) bundle.addResource(new FluentResource(text), { allowOverrides: true });
  return (id, args) => {
    const message = bundle.getMessage(id);
    return message?.value ? bundle.formatPattern(message.value, args) : id;
  };
}

/** A display name in the language asked for, or in any, or the plain name.
 * @param {Record<string, string> | undefined} display @param {string} lang @param {string} plain */
export function named(display, lang, plain) {
  return display?.[lang] ?? display?.en ?? Object.values(display ?? {})[0] ?? plain;
}
