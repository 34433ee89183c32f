// @ts-check
/** Markup as tagged templates over preact: no build, no JSX. */

import { h, render } from "/lib/preact.mjs";
import htm from "/lib/htm.mjs";

export const html = htm.bind(h);
export { render };
