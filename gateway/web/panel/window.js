// @ts-check
/** Which window the figures of a page are of: the shift or the hour. */

import { html } from "./html.js";
import { span } from "./store.js";

/** @param {{page: import("./parts.js").Page}} props */
export const Switch = ({ page }) => html`<span class="switch" role="group" aria-label=${page.t("window")}>${["shift", "hour"].map((kind) => html`<button key=${kind} type="button"
  aria-pressed=${span.value === kind} onClick=${() => { span.value = kind; }}>${page.t(`window-${kind}`)}</button>`)}</span>`;
