// The page at /: asks /api/v1 every two seconds and shows the answers, as an overview or as one
// column's view, whichever the address names.

import { ColumnView } from "./column.js";
import { Columns } from "./columns.js";
import { showHealth } from "./health.js";
import { showOverview } from "./overview.js";
import { showPerformance } from "./performance.js";
import { count, plural, say, when } from "./words.js";

const EVERY_MILLISECONDS = 2000;
const OUTLINES_MILLISECONDS = 8000; // what the small charts show, for 200 columns; the rest is newer
const $ = (id) => document.getElementById(id);
const columns = new Columns($("drift-head"), $("drift-rows"), () => state && showDrift(state.drift));
const view = new ColumnView($("column"), ask);
let state = null;
let outlinedAt = 0;
let timer = 0;
let left = { top: 0, link: null }; // where the overview was when a column was opened

async function ask(path, absent = []) {
  const answer = await fetch(path, { headers: { accept: "application/json" }, cache: "no-store" });
  if (absent.includes(answer.status)) return null;
  if (!answer.ok) throw new Error(`${path} answered ${answer.status}`);
  return answer.json();
}

async function look() {
  try {
    const names = ["drift", "performance", "alerts", "health"];
    const answers = await Promise.all(names.map((name) => ask(`/api/v1/${name}`)));
    state = Object.fromEntries(names.map((name, index) => [name, answers[index]]));
    const column = ColumnView.asked();
    await show(column);
    $("lost").hidden = true;
    if (document.body.dataset.state !== "live") performance.mark("live");
    document.body.dataset.state = "live";
    if (!column) await outline();
  } catch (fault) {
    document.body.dataset.state = "lost";
    say($("lost"), `Sidelight does not answer (${fault.message}). Trying again; what is below is old.`);
    $("lost").hidden = false;
  }
}

async function show(column) {
  const { mood, firing } = showOverview(state);
  showHead(state.drift, firing, mood, column);
  if (column) await view.show(column);
  showDrift(state.drift);
  showPerformance(state.performance);
  showHealth($("health"), state.health);
}

function showHead(drift, firing, mood, column) {
  const subject = column ? `${column.name} · ${drift.model}` : drift.model;
  document.title = `${firing ? `(${count(firing)}) ` : ""}${subject} · Sidelight`;
  say($("model"), `${drift.model} · version ${drift.version}`);
  say($("fresh"), drift.evaluated_at ? `live · evaluated ${when(drift.evaluated_at)}` : "not evaluated yet");
  $("beat").dataset.mood = mood || "ok";
}

function showDrift(drift) {
  const wanted = $("filter").value.trim().toLowerCase();
  const { shown, left: more } = columns.show(drift.columns, wanted);
  const known = drift.columns.length;
  $("drift-none").hidden = known > 0;
  $("drift-region").hidden = shown === 0;
  say($("drift-note"), known ? plural(known, "column") : "");
  $("drift-more").hidden = known === 0 || (more === 0 && shown > 0);
  say($("drift-more"), shown === 0 ? "No column has this in its name." : `${count(more)} more: find them by name.`);
}

async function outline() {
  const pause = OUTLINES_MILLISECONDS * Math.max(1, state.drift.columns.length / 200);
  if (outlinedAt && performance.now() - outlinedAt < pause) return;
  outlinedAt = performance.now();
  columns.outline(await ask("/api/v1/columns"));
}

// The address changed: a column's view, or back to where the overview was left.
function route() {
  const column = ColumnView.asked();
  const opening = column !== null && $("column").hidden;
  const closing = column === null && !$("column").hidden;
  if (opening) left = { top: scrollY, link: document.activeElement };
  $("overview").hidden = column !== null;
  $("column").hidden = column === null;
  if (!closing) return;
  view.close();
  scrollTo(0, left.top);
  left.link?.focus({ preventScroll: true });
}

async function live() {
  clearTimeout(timer);
  if (!document.hidden) await look();
  timer = setTimeout(live, EVERY_MILLISECONDS);
}

// Without a change of the address, which would close a column's view.
document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault();
  $("content").focus();
});
$("filter").addEventListener("input", () => state && showDrift(state.drift));
addEventListener("hashchange", () => { route(); live(); });
document.addEventListener("visibilitychange", () => document.hidden || live());
history.scrollRestoration = "manual";
route();
live();
