// @ts-check
/** Who looks at this page, and the calls that change something. */

import { signal } from "/lib/signals-core.mjs";

/** As /api/v1/me tells; null before it did. */
export const me = signal(/** @type {any} */ (null));
/** What the server said to the last thing somebody tried: the form's name and the words. */
export const refusal = signal(/** @type {{form: string, status: number, detail: string, wait: number} | null} */ (null));

/** Whether the one who looks may. @param {string} what */
export const may = (what) => me.value?.may.includes(what) ?? false;

/** Ask who we are. */
export async function recognise() {
  try {
    const reply = await fetch("/api/v1/me");
    if (reply.ok) me.value = await reply.json();
  } catch {
    // The server is away: the page says so by itself.
  }
}

/** Change something; null where it was refused, and `refusal` says why.
 * @param {string} form @param {string} method @param {string} path @param {any} [body] @returns {Promise<any>} */
export async function send(form, method, path, body) {
  refusal.value = null;
  const headers = { "x-tanchang": me.value?.token || "page", ...(body ? { "content-type": "application/json" } : {}) };
  const reply = await fetch(`/api/v1/${path}`, { method, headers, body: body && JSON.stringify(body) });
  const told = reply.status === 204 ? {} : await reply.json().catch(() => ({}));
  if (reply.ok) return told;
  const detail = typeof told.detail === "string" ? told.detail : "";
  refusal.value = { form, status: reply.status, detail, wait: Number(reply.headers.get("retry-after") ?? 0) };
  if (reply.status === 401) await recognise();
  return null;
}

/** The values of a form's fields. @param {Event} event @returns {Record<string, string>} */
export function filled(event) {
  event.preventDefault();
  return Object.fromEntries(/** @type {any} */ (new FormData(/** @type {HTMLFormElement} */ (event.target))));
}
