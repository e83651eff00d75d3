// What the page says first: the verdict, the tiles, the alerts; and a welcome while there is little.

import { columnLink, count, duration, element, pill, plural, replace, say, time, when } from "./words.js";
import { headline } from "./performance.js";

const MOST_ALERTS = 50;
const $ = (id) => document.getElementById(id);
const counted = (columns, status) => columns.filter((column) => column.status === status).length;

function facts({ drift, alerts, health, performance }) {
  const columns = drift.columns;
  return {
    firing: alerts.alerts.filter((alert) => alert.state === "firing"),
    pending: alerts.alerts.filter((alert) => alert.state === "pending"),
    drifted: counted(columns, "drift"), warned: counted(columns, "warning"),
    judged: columns.length - counted(columns, "insufficient"),
    columns: columns.length, ready: drift.reference.state === "ready",
    silent: isSilent(drift, health), observing: health.observing,
    performance: headline(performance), reachable: health.upstream_reachable,
  };
}

// The first that holds is the verdict: [mood, title, text].
function verdict(known) {
  const { firing, pending, drifted, warned, judged, performance: { name, bad } } = known;
  const also = drifted ? ` ${plural(drifted, "column has", "columns have")} drifted.` : "";
  if (firing.length) {
    const first = firing[0].annotations.summary ?? firing[0].labels.alertname ?? "";
    const rest = firing.length > 1 ? ` and ${plural(firing.length - 1, "more", "more")}` : "";
    return ["drift", `${plural(firing.length, "alert is", "alerts are")} firing.`, `${first}${rest}.`];
  }
  if (!known.observing) return ["drift", "Traffic is not being observed.", "The relay may still be serving; nothing below is new."];
  if (known.reachable === false) return ["drift", "The model cannot be reached.", also.trim()];
  if (known.silent) return ["", "Waiting for the first prediction.", ""];
  if (!known.ready) return ["", "Learning what is normal.", "Nothing is judged yet."];
  if (!judged) return ["", "Too few rows in the window to judge.", "Nothing is wrong that can be seen."];
  if (bad) return ["drift", `${name} is past its threshold.`, also.trim()];
  if (drifted) return ["drift", `${plural(drifted, "column has", "columns have")} drifted.`, pending.length ? "An alert is pending." : ""];
  if (warned) return ["warning", `${plural(warned, "column has", "columns have")} moved.`, "None so surprisingly that it counts as drift."];
  return ["ok", "All is well.", `${judged === 1 ? "The one column that is judged looks" : `All ${count(judged)} columns look`} like the reference.`];
}

export function showOverview(state) {
  const known = facts(state);
  const [mood, title, text] = verdict(known);
  $("verdict").dataset.mood = mood;
  say($("verdict-title"), title);
  say($("verdict-text"), text);
  showTiles(state, known);
  showAlerts(state.alerts.alerts);
  showWelcome(state.drift, state.health);
  return { mood, firing: known.firing.length };
}

function showTiles({ drift, health }, known) {
  const { firing, drifted, warned, judged, ready, performance } = known;
  const { window: span, reference } = drift;
  replace($("tiles"), [
    tile("Alerts firing", count(firing.length), firing.length ? "drift" : "ok", known.pending.length ? `${count(known.pending.length)} pending` : "none pending"),
    tile("Columns drifted", judged ? count(drifted) : "–", judged ? (drifted ? "drift" : warned ? "warning" : "ok") : "",
      judged ? `of ${count(judged)} judged, ${plural(warned, "warning")}` : "too few rows to judge"),
    tile(performance.title, performance.value, performance.bad ? "drift" : performance.judged ? "ok" : "", performance.note),
    tile("Rows in the window", count(span.rows), "", span.start && span.end ? `over ${duration((new Date(span.end) - new Date(span.start)) / 1000)}` : "no window yet"),
    tile("Reference", ready ? count(reference.rows) : "learning", "", ready ? `rows${reference.data ? `, the last ${when(reference.data.end)}` : ""}, ${reference.digest.slice(0, 12)}` : `${count(reference.rows)} of ${count(reference.rows_needed)} rows`),
    tile("Observing", health.observing ? "yes" : "no", health.observing ? "ok" : "drift", `${count(health.predictions)} rows since the start`),
  ]);
}

function tile(title, value, mood, note) {
  return element("li", { "data-mood": mood }, [
    element("span", { class: "tile-title" }, [title]), element("b", {}, [value]), element("span", { class: "quiet" }, [note]),
  ]);
}

function showAlerts(alerts) {
  const over = alerts.filter((alert) => alert.state === "resolved");
  const open = alerts.filter((alert) => alert.state !== "resolved");
  $("alerts-none").hidden = open.length > 0;
  replace($("alerts-list"), open.slice(0, MOST_ALERTS).map(alertItem));
  $("alerts-more").hidden = open.length <= MOST_ALERTS;
  say($("alerts-more"), `${count(open.length - MOST_ALERTS)} more; every one of them is in /api/v1/alerts.`);
  $("alerts-over").hidden = over.length === 0;
  say($("alerts-over-title"), `${count(over.length)} lately resolved`);
  replace($("alerts-over-list"), over.slice(0, MOST_ALERTS).map(alertItem));
}

const SINCE = { firing: "fired_at", resolved: "resolved_at", pending: "active_since" };

function alertItem({ state, labels, annotations, ...at }) {
  const name = labels.alertname ?? "";
  const since = at[SINCE[state]] ?? at.active_since;
  const links = [
    ...(labels.column ? [element("a", { href: columnLink(labels.column, labels.role) }, ["Look"])] : []),
    element("a", { href: `/runbook#${name.toLowerCase()}` }, ["Runbook"]),
  ];
  return element("li", { "data-mood": state }, [
    element("p", { class: "alert-head" }, [
      pill(state), element("strong", {}, [annotations.summary ?? name ?? "alert"]),
      element("span", { class: "quiet" }, [labels.severity ? `${labels.severity} · ` : "", since ? time(since) : ""]),
    ]),
    element("p", { class: "links" }, links),
    element("p", { class: "alert-text" }, [annotations.description ?? ""]),
  ]);
}

// A restart begins to count anew, and keeps the window.
function isSilent(drift, health) {
  return health.predictions === 0 && drift.window.rows === 0;
}

function showWelcome(drift, health) {
  const { state, rows, rows_needed: needed } = drift.reference;
  const silent = isSilent(drift, health);
  const learning = state === "learning";
  $("welcome").hidden = !(silent || learning);
  $("welcome-command").hidden = !silent;
  $("welcome-progress").hidden = silent || !learning || !needed;
  if (silent) {
    say($("welcome-title"), "Nothing has arrived yet");
    say($("welcome-text"), "Send predictions through Sidelight's data port instead of straight to the model; " +
      "they are forwarded untouched, and show up here within seconds. With the default port:");
    say($("welcome-command"), `curl -X POST http://${location.hostname}:8000/<the model's path> -H 'content-type: application/json' -d @request.json`);
  } else if (learning) {
    say($("welcome-title"), `Learning the reference: ${count(rows)} of ${count(needed)} rows seen`);
    say($("welcome-text"), "The first rows become what later ones are compared with. Drift is judged from then on; " +
      "to judge at once, start with a reference file of your training data.");
    $("welcome-progress").max = needed || 1;
    $("welcome-progress").value = rows;
  }
}
