// How Sidelight itself is doing, as a list of facts.

import { count, element, number, plural, replace, sentence, time } from "./words.js";

// A label that was pending has joined or been orphaned since, or is still waiting.
function labels({ feedback, store }) {
  const counted = Object.entries(feedback).filter(([word, n]) => n && word !== "pending");
  if (store.labels_waiting) counted.push(["waiting", store.labels_waiting]);
  return listed(counted);
}

const listed = (pairs) => pairs.map(([word, n]) => `${word} ${count(n)}`).join(", ") || "none";

// Deliveries by receiver: "slack-1: sent 3, failed 1".
function deliveries(found) {
  const said = [...new Set(found.map((one) => one.sink))].map((sink) => {
    const counted = found.filter((one) => one.sink === sink && one.count);
    return `${sink}: ${listed(counted.map((one) => [one.outcome, one.count]))}`;
  });
  return said.join("; ") || "no receivers";
}

export function showHealth(place, health) {
  const lost = health.observations.filter((one) => one.outcome !== "observed" && one.exchanges > 0);
  const facts = [
    ["Model", { true: "reachable", false: "cannot be reached" }[health.upstream_reachable] ?? "not asked yet"],
    ["Requests by status", listed(Object.entries(health.requests))],
    ["Not observed", listed(lost.map((one) => [[one.outcome, one.reason].filter(Boolean).join(" "), one.exchanges]))],
    ["Waiting to be observed", plural(health.queue_bytes, "byte")],
    ["Observer lag", `${number(health.observer_lag_seconds)} s`],
    ["Relay", `${plural(health.processes.relay_workers, "worker")}, ${plural(health.processes.connections, "connection")}`],
    ["Labels", labels(health)],
    ["Store", `${plural(health.store.rows, "row")}, ${plural(health.store.errors, "error")}`],
    ["Alert messages", deliveries(health.deliveries)],
    ["Series left out", count(health.series_dropped)],
    ["Started", health.started_at ? time(health.started_at) : "–"],
  ];
  replace(place, facts.map(([term, text]) =>
    element("div", {}, [element("dt", {}, [sentence(term)]), element("dd", {}, [text])])));
}
