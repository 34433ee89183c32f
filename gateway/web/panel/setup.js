// @ts-check
/** The engineer's page: the line file, certificates, what a device has. */

import { may } from "./access.js";
import { Browse } from "./browse.js";
import { Certificates } from "./certificates.js";
import { html } from "./html.js";
import { LineFile } from "./linefile.js";
import { place } from "./store.js";

/** @typedef {import("./parts.js").Page} Page */

/** @type {Record<string, any>} */
const PARTS = { setup: LineFile, "setup/certificates": Certificates, "setup/browse": Browse };

/** @param {{page: Page}} props */
export function Setup({ page }) {
  if (!may("configure")) return html`<section><header class="sec"><h2>${page.t("tab-setup")}</h2></header><p class="lede">${page.t("not-for-engineers")}</p></section>`;
  const Part = PARTS[place.value] ?? LineFile;
  return html`<nav class="parts-of" aria-label=${page.t("tab-setup")}>${Object.keys(PARTS).map((name) => html`<a key=${name} href=${`#${name}`}
      aria-current=${PARTS[name] === Part ? "page" : undefined}>${page.t(`part-of-${name.replace("/", "-")}`)}</a>`)}</nav><${Part} page=${page} />`;
}
