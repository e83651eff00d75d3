// The page at /: asks /api/v1 every two seconds and shows the answers. Everything that comes from
// outside goes in as text, never as markup, so a column named <img onerror=…> is a name.

import { Columns } from "./columns.js";
import { element, percent, number, count, when, replace } from "./words.js";

const EVERY_MILLISECONDS = 2000;
const LOSSES = new Set([
  "rmse", "mae", "mape", "absolute_error_p50", "absolute_error_p90", "absolute_error_p95", "absolute_error_p99",
  "log_loss", "brier_score", "calibration_error",
]);
const $ = (id) => document.getElementById(id);
const columns = new Columns($("drift-rows"), ask);

async function ask(path) {
  const answer = await fetch(path, { headers: { accept: "application/json" }, cache: "no-store" });
  if (!answer.ok) throw new Error(`${path} answered ${answer.status}`);
  return answer.json();
}

async function look() {
  try {
    const [drift, performance, alerts, health] = await Promise.all(
      ["drift", "performance", "alerts", "health"].map((name) => ask(`/api/v1/${name}`)),
    );
    $("lost").hidden = true;
    showHead(drift);
    showWelcome(drift, health);
    showTiles(drift, alerts.alerts, health);
    showAlerts(alerts.alerts);
    await showDrift(drift);
    showPerformance(performance);
    showHealth(health);
  } catch (fault) {
    $("lost").textContent = `Sidelight does not answer (${fault.message}). Trying again; what is below is old.`;
    $("lost").hidden = false;
  }
}

function showHead(drift) {
  document.title = `${drift.model} · Sidelight`;
  $("model").textContent = `${drift.model} · version ${drift.version}`;
  $("fresh").textContent = drift.evaluated_at ? `evaluated ${when(drift.evaluated_at)}` : "not evaluated yet";
}

function showWelcome(drift, health) {
  const { state, rows, rows_needed: needed } = drift.reference;
  const silent = health.predictions === 0;
  const learning = state === "learning";
  $("welcome").hidden = !(silent || learning);
  $("welcome-command").hidden = !silent;
  $("welcome-progress").hidden = silent || !learning || !needed;
  if (silent) {
    $("welcome-title").textContent = "Nothing has arrived yet";
    $("welcome-text").textContent =
      "Send predictions through Sidelight's data port instead of straight to the model; " +
      "they are forwarded untouched, and show up here within seconds. With the default port:";
    $("welcome-command").textContent =
      `curl -X POST http://${location.hostname}:8000/<the model's path> -H 'content-type: application/json' -d @request.json`;
  } else if (learning) {
    $("welcome-title").textContent = `Learning the reference: ${count(rows)} of ${count(needed)} rows seen`;
    $("welcome-text").textContent =
      "The first rows become what later ones are compared with. Drift is judged from then on; " +
      "to judge at once, start with a reference file of your training data.";
    $("welcome-progress").max = needed || 1;
    $("welcome-progress").value = rows;
  }
}

function showTiles(drift, alerts, health) {
  const inStatus = (status) => drift.columns.filter((column) => column.status === status).length;
  const firing = alerts.filter((alert) => alert.state === "firing").length;
  const [drifted, warned] = [inStatus("drift"), inStatus("warning")];
  const ready = drift.reference.state === "ready";
  const judged = drift.columns.length - inStatus("insufficient");
  replace($("tiles"), [
    tile("Alerts firing", count(firing), firing ? "drift" : "ok", firing ? "see below" : "nothing is wrong"),
    tile("Columns that drifted", judged ? count(drifted) : "–",
      drifted ? "drift" : warned ? "warning" : judged ? "ok" : "",
      judged ? `of ${count(judged)} judged; ${count(warned)} with a warning` : "not enough rows to judge"),
    tile("Rows in the window", count(drift.window.rows), "", span(drift.window)),
    tile("Reference", ready ? count(drift.reference.rows) : "learning", "",
      ready ? `rows · ${drift.reference.digest.slice(0, 12)}` : "the first rows seen"),
    tile("Observing", health.observing ? "yes" : "no", health.observing ? "ok" : "drift",
      `${count(health.predictions)} rows since the start`),
  ]);
}

function tile(title, value, mood, note) {
  const item = element("li", {}, [title, element("b", {}, [value]), element("span", { class: "quiet" }, [note])]);
  item.dataset.mood = mood;
  return item;
}

function span(window) {
  if (!window.start || !window.end) return "";
  const minutes = (new Date(window.end) - new Date(window.start)) / 60000;
  return minutes >= 120 ? `over ${number(minutes / 60)} hours` : `over ${number(minutes)} minutes`;
}

function showAlerts(alerts) {
  $("alerts-none").hidden = alerts.length > 0;
  replace($("alerts-list"), alerts.map(alertItem));
}

function alertItem(alert) {
  const since = alert.state === "resolved" ? alert.resolved_at : alert.fired_at ?? alert.active_since;
  return element("li", {}, [
    pill(alert.state),
    element("strong", {}, [alert.annotations.summary ?? alert.labels.alertname ?? "alert"]),
    element("span", { class: "quiet" }, [`${alert.labels.severity ?? ""} · ${when(since)}`]),
    element("div", { class: "quiet" }, [alert.annotations.description ?? ""]),
  ]);
}

function pill(mood, word = mood) {
  return element("span", { class: "pill", "data-mood": mood }, [word]);
}

async function showDrift(drift) {
  const wanted = $("filter").value.trim().toLowerCase();
  const { shown, left } = await columns.show(drift, wanted);
  $("drift-none").hidden = drift.columns.length > 0;
  $("drift-table").hidden = shown === 0;
  $("drift-more").hidden = left === 0 && !(wanted && shown === 0);
  $("drift-more").textContent = shown === 0 ? "No column has this in its name." : `${count(left)} more: find them by name.`;
}

function showPerformance(performance) {
  const { realised, reference, thresholds } = performance;
  const skip = new Set(["rows", "labelled_ratio"]);
  const names = Object.entries({ ...reference, ...realised })
    .filter(([name, value]) => typeof value === "number" && !skip.has(name)).map(([name]) => name);
  const share = performance.by_prediction_time.labelled_ratio;
  const labelled = share == null ? "" : `; ${percent(share)} of its predictions are labelled so far`;
  const few = realised.status === "insufficient";
  $("performance-note").textContent = realised.rows
    ? `${count(realised.rows)} labels in the window${few ? ": too few to judge" : ""}${labelled}`
    : "No labels have arrived in the window. Post what really happened to /feedback; each prediction's id is its x-prediction-id.";
  $("performance-table").hidden = names.length === 0;
  replace($("performance-rows"), names.map((name) => {
    const now = few ? null : realised[name];
    const before = reference?.[name];
    const crossed = isWorse(name, now, thresholds[name]) ? [" ", pill("drift", "past its threshold")] : [];
    return element("tr", {}, [
      element("th", { scope: "row" }, [name.replaceAll("_", " "), ...crossed]),
      ...[number(now), number(before), change(name, now, before), number(thresholds[name])].map((text) =>
        element("td", { class: "number" }, [text])),
    ]);
  }));
}

// Losses are compared by ratio; what may be zero or negative by nature, by difference.
function change(name, now, before) {
  if (now == null || before == null) return "–";
  const byRatio = LOSSES.has(name) && before > 0;
  const text = byRatio ? percent(now / before - 1) : number(now - before);
  return now > before ? `+${text}` : text;
}

function isWorse(name, now, threshold) {
  if (now == null || threshold == null) return false;
  if (name === "mean_error") return Math.abs(now) > threshold;
  return LOSSES.has(name) ? now > threshold : now < threshold;
}

// A label that was pending has joined or been orphaned since, or is still waiting.
function labels(health) {
  const counted = Object.entries(health.feedback).filter(([word, n]) => n && word !== "pending");
  if (health.store.labels_waiting) counted.push(["waiting", health.store.labels_waiting]);
  return counted.map(([word, n]) => `${word}: ${count(n)}`).join(", ") || "0";
}

function showHealth(health) {
  const lost = health.observations.filter((one) => one.outcome !== "observed" && one.exchanges > 0);
  const sent = health.deliveries.filter((one) => one.count > 0);
  const facts = [
    ["Model reachable", { true: "yes", false: "no" }[health.upstream_reachable] ?? "not known yet"],
    ["Requests", Object.entries(health.requests).map(([code, n]) => `${code}: ${count(n)}`).join(", ") || "0"],
    ["Not observed", lost.map((one) => `${one.outcome} ${one.reason}: ${count(one.exchanges)}`).join(", ") || "0"],
    ["Waiting to be observed", `${count(health.queue_bytes)} bytes`],
    ["Observer lag", `${number(health.observer_lag_seconds)} s`],
    ["Relay workers", count(health.processes.relay_workers)],
    ["Open connections", count(health.processes.connections)],
    ["Labels", labels(health)],
    ["Store", `${count(health.store.rows)} rows, ${count(health.store.errors)} errors`],
    ["Alert messages", sent.map((one) => `${one.sink} ${one.outcome}: ${count(one.count)}`).join(", ") || "0"],
    ["Series left out", count(health.series_dropped)],
    ["Started", health.started_at ? when(health.started_at) : "–"],
  ];
  replace($("health"), facts.map(([term, text]) =>
    element("div", {}, [element("dt", {}, [term]), element("dd", {}, [text])])));
}

async function live() {
  if (!document.hidden) await look();
  setTimeout(live, EVERY_MILLISECONDS);
}

$("filter").addEventListener("input", look);
window.addEventListener("hashchange", look);
document.addEventListener("visibilitychange", () => document.hidden || look());
live();
