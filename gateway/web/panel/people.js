// @ts-check
/** Who is logged in, who may log in, and who did what. */

import { signal } from "/lib/signals-core.mjs";
import { clock, day } from "/shared/format.js";
import { filled, may, me, recognise, refusal, send } from "./access.js";
import { Field, Forms, Refusal } from "./door.js";
import { html } from "./html.js";
import { Head, Sim, worded } from "./parts.js";
import { refresh } from "./store.js";

/** @typedef {import("./parts.js").Page} Page */

/** Whether one's own secret was changed here just now. */
const changed = signal(false);
const ROLES = ["viewer", "operator", "host", "engineer", "admin"];

/** @param {{page: Page}} props */
export function People({ page }) {
  return html`<section><${Head} id="door-title" title=${page.t(me.value?.token ? "logged-in" : "log-in-title")} />
      ${me.value?.token ? html`<${Self} page=${page} />` : me.value?.accounts ? html`<${Forms} t=${page.t} />` : html`<p class="lede">${page.t("no-accounts")}</p>`}</section>
    ${may("users") && html`<${Users} page=${page} />`}${may("audit") && html`<${Audit} page=${page} />`}`;
}

/** @param {{page: Page}} props */
const Self = ({ page }) => html`<dl class="facts big"><div><dt>${page.t("name")}</dt><dd>${me.value.name}</dd></div>
    <div><dt>${page.t("role")}</dt><dd>${page.t(`role-${me.value.role}`)}</dd></div>
    <div><dt>${page.t("recorded-as")}</dt><dd><code class="id">${me.value.id}</code></dd></div></dl>
  <p class="lede">${page.t(`role-${me.value.role}-may`)}</p>
  <button type="button" class="act plain" onClick=${leave}>${page.t("log-out")}</button><${OwnSecret} page=${page} />`;

/** @param {{page: Page}} props */
const OwnSecret = ({ page }) => html`<form class="form" onSubmit=${change} aria-labelledby="own-secret"><h3 id="own-secret">${page.t("own-secret")}</h3>
  <input type="text" name="name" autocomplete="username" value=${me.value.name} hidden readonly />
  <${Field} label=${page.t("old-secret")} name="old" type="password" auto="current-password" /><${Field} label=${page.t("new-secret")} name="new" type="password" auto="new-password" />
  <p class="hint">${page.t(me.value.role === "operator" ? "pin-rule" : "password-rule")} ${page.t("own-secret-note")}</p>
  <${Refusal} t=${page.t} form="own" />${changed.value && html`<p class="hint" role="status">${page.t("secret-changed")}</p>`}<button class="act plain">${page.t("change-secret")}</button></form>`;

/** @param {Event} event */
async function change(event) {
  const form = /** @type {HTMLFormElement} */ (event.target);
  const { old, new: fresh } = filled(event);
  changed.value = false;
  const told = await send("own", "POST", "me/secret", { old, new: fresh });
  if (!told) return;
  me.value = told;
  changed.value = true;
  form.reset();
}

async function leave() {
  if (await send("logout", "POST", "logout")) location.reload();
}

/** @param {{page: Page}} props */
function Users({ page }) {
  const users = page.answers["/api/v1/users"]?.users ?? [];
  return html`<section aria-labelledby="users"><${Head} id="users" title=${page.t("users")} note=${page.t("users-note")} />
    <table class="tags users"><thead><tr><th>${page.t("name")}</th><th>${page.t("role")}</th><th>${page.t("recorded-as")}</th><th><span class="sr">${page.t("remove")}</span></th></tr></thead>
      <tbody>${users.map((/** @type {any} */ one) => html`<tr key=${one.id} data-user=${one.name}><th>${one.name}</th><td>${page.t(`role-${one.role}`)}</td><td><code class="id">${one.id}</code></td>
        <td class="r"><button type="button" class="small" aria-label=${page.t("remove-user", { name: one.name })} onClick=${() => remove(page, one)}>${page.t("remove")}</button></td></tr>`)}</tbody></table>
    <${Refusal} t=${page.t} form="remove" />
    <form class="form row" onSubmit=${add}><${Field} label=${page.t("name")} name="name" auto="off" />
      <label class="field"><span>${page.t("role")}</span><select name="role">${ROLES.map((role) => html`<option key=${role} value=${role}>${page.t(`role-${role}`)}</option>`)}</select></label>
      <${Field} label=${page.t("secret")} name="secret" type="password" auto="new-password" />
      <button class="act">${page.t("add-user")}</button><p class="hint">${page.t("pin-rule")} ${page.t("password-rule")}</p><${Refusal} t=${page.t} form="user" /></form></section>`;
}

/** @param {Event} event */
async function add(event) {
  const form = /** @type {HTMLFormElement} */ (event.target);
  if (!(await send("user", "POST", "users", filled(event)))) return;
  form.reset();
  await refresh();
}

/** @param {Page} page @param {any} one */
async function remove(page, one) {
  if (!confirm(page.t("remove-sure", { name: one.name }))) return;
  await send("remove", "DELETE", `users/${one.id}`);
  if (one.id === me.value.id && !refusal.value) await recognise();
  await refresh();
}

/** @param {{page: Page}} props */
function Audit({ page }) {
  const { records = [], names = {} } = page.answers["/api/v1/audit?limit=60"] ?? {};
  return html`<section aria-labelledby="audit"><${Head} id="audit" title=${page.t("audit")} note=${page.t("audit-note")} of=${page.now} />
    <table class="tags records audit"><thead><tr><th class="r">seq</th><th>${page.t("time")}</th><th>${page.t("who")}</th><th>${page.t("role")}</th><th class="wide">${page.t("what")}</th><th><span class="sr">SIM</span></th></tr></thead>
      <tbody>${records.map((/** @type {any} */ r) => html`<tr key=${r.seq} data-event=${r.value.event}><td class="r num">${r.seq}</td>
        <td>${day(page.zone, r.time)} ${clock(page.zone, r.time, true)}</td><td>${names[r.value.by] ?? (r.value.by || "—")}</td><td>${r.value.role ? page.t(`role-${r.value.role}`) : "—"}</td>
        <td class="body">${[worded(page, `audit-${r.value.event}`, r.value.event), names[r.value.detail.split(" ")[0]] ?? "", r.value.detail].filter(Boolean).join(" · ")}</td>
        <td><${Sim} of=${r} /></td></tr>`)}</tbody></table></section>`;
}
