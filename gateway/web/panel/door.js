// @ts-check
/** The door: log in, or make the first admin with the code from the console. */

import { filled, me, refusal, send } from "./access.js";
import { html } from "./html.js";

/** @typedef {import("/shared/i18n.js").Translate} Translate */

/** What was refused, in words. @param {{t: Translate, form: string}} props */
export function Refusal({ t, form }) {
  const said = refusal.value;
  if (said?.form !== form) return html`<p class="refusal" role="alert"></p>`;
  const id = `refused-${said.status}`;
  const words = t(id, { n: said.wait });
  return html`<p class="refusal" role="alert">${words === id ? said.detail || t("refused-else") : words}
    ${words !== id && said.status === 422 && html`<span lang="en">${said.detail}</span>`}</p>`;
}

/** @param {{label: string, name: string, type?: string, auto: string, mode?: string}} props */
export const Field = ({ label, name, type = "text", auto, mode }) => html`<label class="field"><span>${label}</span>
  <input name=${name} type=${type} autocomplete=${auto} inputmode=${mode} required maxlength="128" spellcheck=${false} autocapitalize="none" /></label>`;

/** @param {Event} event */
async function logIn(event) {
  if (await send("login", "POST", "login", filled(event))) location.reload();
}

/** @param {Event} event */
async function claim(event) {
  if (await send("claim", "POST", "claim", filled(event))) location.reload();
}

/** @param {{t: Translate}} props */
export const LogIn = ({ t }) => html`<form class="form" onSubmit=${logIn} aria-labelledby="door-title">
  <${Field} label=${t("name")} name="name" auto="username" /><${Field} label=${t("secret")} name="secret" type="password" auto="current-password" />
  <${Refusal} t=${t} form="login" /><button class="act">${t("log-in")}</button></form>`;

/** @param {{t: Translate}} props */
const Claim = ({ t }) => html`<form class="form" onSubmit=${claim} aria-labelledby="door-title">
  <p class="lede">${t("claim-note")}</p>
  <${Field} label=${t("claim-code")} name="code" auto="one-time-code" /><${Field} label=${t("name")} name="name" auto="username" />
  <${Field} label=${t("password")} name="secret" type="password" auto="new-password" /><p class="hint">${t("password-rule")}</p>
  <${Refusal} t=${t} form="claim" /><button class="act">${t("claim")}</button></form>`;

/** The form that fits: nobody can log in before there is an admin. @param {{t: Translate}} props */
export const Forms = ({ t }) => html`<${me.value.claimed ? LogIn : Claim} t=${t} />`;

/** The whole screen of somebody who may not look. @param {{t: Translate, children?: any}} props */
export const Door = ({ t, children }) => html`<main class="door"><p class="brand">探厂 tanchang</p>
  <h1 id="door-title">${t(me.value.claimed ? "log-in-title" : "claim-title")}</h1>
  ${me.value.accounts ? html`<${Forms} t=${t} />` : html`<p class="lede">${t("no-accounts")}</p>`}${children}</main>`;
