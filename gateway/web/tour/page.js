// @ts-check
/** What every tour page does at its start: language, ground, guides, words, live document. */

import { effect } from "/lib/signals-core.mjs";
import { choose, load } from "/shared/i18n.js";
import { bringSymbols } from "/shared/sprite.js";
import { follow } from "./live.js";
import { speaker } from "./words.js";

const LANGUAGES = ["zh-CN", "en"];
const GROUNDS = ["transparent", "solid", "chroma"];

/** Draw with `draw(doc, say)` at each change of the document. @param {(doc: any, say: ReturnType<typeof speaker>) => void} draw */
export async function start(draw) {
  const query = new URLSearchParams(location.search);
  const lang = choose([query.get("lang") ?? "", ...navigator.languages].filter(Boolean), LANGUAGES);
  const ground = query.get("bg") ?? "";
  const root = document.documentElement;
  root.lang = lang;
  root.dataset.bg = GROUNDS.includes(ground) ? ground : "transparent";
  if (query.get("guides") === "1") root.dataset.guides = "1";
  const live = follow();
  const t = await load(lang, [`/shared/locales/${lang}.ftl`, `/tour/locales/${lang}.ftl`]);
  await Promise.all([bringSymbols(), document.fonts.load("700 24px B612"), document.fonts.load("400 24px B612")]);
  const say = speaker(lang, t);
  effect(() => draw(live.value, say));
  root.dataset.drawn = "1";
}
