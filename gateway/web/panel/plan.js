// @ts-check
/** What comes next, and why: jobs are advice, in magenta because a person asked for them. */

import { number } from "/shared/format.js";
import { named } from "/shared/i18n.js";
import { html } from "./html.js";
import { Head, at, between, lasting } from "./parts.js";

/** @typedef {import("./parts.js").Page} Page */

/** The reason in words; a code without words is shown as it stands. @param {Page} page @param {any} reason */
function reasonOf(page, reason) {
  const id = `job-${reason.code}`;
  const saves = lasting(page, Math.max(0, reason.saves_s ?? 0));
  const words = page.t(id, { over: reason.over ?? "", saves, weight: reason.weight ?? 0 });
  return words === id ? reason.code : words;
}

/** @param {{page: Page, jobs?: any[], limit?: number, lane?: boolean}} props */
export function Jobs({ page, jobs = page.now.plan?.jobs ?? [], limit = 50, lane = false }) {
  if (jobs.length === 0) return html`<p class="empty">${page.t("no-jobs")}</p>`;
  return html`<ul class="list jobs">${jobs.slice(0, limit).map((job) => html`<li key=${`${job.order} ${job.operation}`}>
    <b class="num">${at(page, job.start)}</b><b>${named(job.display, page.lang, job.product)}${lane ? "" : ` · ${job.machine}`}</b>
    <span class="t">${number(page.lang, job.quantity)} ${page.t("unit-parts")}</span>
    <p>${page.t("order-of", { order: job.order })} · ${reasonOf(page, job.reason)}${job.setup_s > 0 ? ` · ${page.t("setup", { span: lasting(page, job.setup_s) })}` : ""}</p></li>`)}</ul>`;
}

/** @param {{page: Page}} props */
export function Plan({ page }) {
  const { plan } = page.now;
  const note = plan && page.t(`rung-${plan.rung}`, { model: (plan.model ?? "").slice(0, 4) });
  return html`<section><${Head} title=${page.t("tab-plan")} note=${page.t("advice")} of=${page.now} />
    ${plan
      ? html`<p class="lede">${note} · ${page.t("planned", { span: lasting(page, between(plan.time, page.now.time)) })} · ${page.t("late-jobs", { n: plan.late })} · ${page.t("setup-share", { share: number(page.lang, plan.setup_share * 100, 1) })}</p>`
      : html`<p class="empty">${page.t("no-jobs")}</p>`}
    <div class="lanes">${plan && page.now.machines.map((/** @type {any} */ m) => html`<section key=${m.name}>
      <h3>${named(m.display, page.lang, m.name)}<span>${m.name}</span></h3>
      <${Jobs} page=${page} jobs=${plan.jobs.filter((/** @type {any} */ j) => j.machine === m.name)} limit=${6} lane /></section>`)}</div></section>`;
}
