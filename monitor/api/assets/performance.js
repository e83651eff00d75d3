// Performance: now beside the reference, how much of it is labelled, what is estimated, and where
// (segments, classes) it differs. Shows what the answer holds and leaves out what it does not.

import { columnLink, count, duration, element, number, percent, pill, plural, replace, say, sentence, time } from "./words.js";

const LOSSES = new Set([
  "rmse", "mae", "mape", "absolute_error_p50", "absolute_error_p90", "absolute_error_p95", "absolute_error_p99",
  "log_loss", "brier_score", "calibration_error",
]);
const NAMES = {
  rmse: "RMSE", mae: "MAE", mape: "MAPE", r2: "R²", f1: "F1", roc_auc: "ROC AUC", log_loss: "Log loss",
  brier_score: "Brier score", mean_error: "Mean error", absolute_error_p50: "Absolute error, median",
  absolute_error_p90: "Absolute error, 90 %", absolute_error_p95: "Absolute error, 95 %", absolute_error_p99: "Absolute error, 99 %",
};
const NO_METRIC = new Set(["rows", "status", "by_class", "intervals", "labelled_ratio", "confusion"]);
const MOST_CLASSES = 12;
const $ = (id) => document.getElementById(id);
const named = (metric) => NAMES[metric] ?? sentence(metric);
const metrics = (scores) => Object.keys(scores ?? {}).filter((name) => !NO_METRIC.has(name) && typeof scores[name] !== "object");
const judged = (scores) => scores != null && scores.status !== "insufficient";

function isWorse(name, now, threshold) {
  if (now == null || threshold == null) return false;
  if (name === "mean_error") return Math.abs(now) > threshold;
  return LOSSES.has(name) ? now > threshold : now < threshold;
}

// Losses are compared by ratio; what may be zero or negative by nature, by difference.
function change(name, now, before) {
  if (now == null || before == null) return "–";
  const byRatio = LOSSES.has(name) && before > 0;
  const text = byRatio ? percent(now / before - 1) : number(now - before);
  return now > before ? `+${text}` : text;
}

// The one number for the tile: a metric past its threshold, else one that has a threshold, else the first.
export function headline({ realised, reference, thresholds }) {
  const names = metrics({ ...reference, ...realised });
  const now = (name) => (judged(realised) ? realised[name] : null);
  const name = names.find((each) => isWorse(each, now(each), thresholds[each])) ??
    names.find((each) => each in thresholds) ?? names[0];
  if (!name) return { title: "Performance", value: "–", note: "no labels yet", name: "", bad: false, judged: false };
  const before = reference?.[name];
  const beside = before == null ? "no reference to compare with" : `reference ${number(before)}`;
  return {
    title: named(name), name: named(name), value: number(now(name)), judged: now(name) != null,
    note: now(name) == null ? `too few labels; ${beside}` : beside, bad: isWorse(name, now(name), thresholds[name]),
  };
}

export function showPerformance(performance) {
  const { realised } = performance;
  say($("performance-note"), note(realised, performance.by_prediction_time?.labelled_ratio));
  replace($("performance-warnings"), warnings(performance));
  replace($("performance-tables"), [
    overall(performance), segments(performance), byClass(realised), confusion(realised),
  ].filter(Boolean));
}

function note({ rows, status }, share) {
  if (!rows) return "No labels have arrived in the window. Post what really happened to /feedback; each prediction's id is its x-prediction-id.";
  const few = status === "insufficient" ? ": too few to judge" : "";
  const labelled = share == null ? "" : `; ${percent(share)} of the rows predicted in it are labelled so far`;
  return `${plural(rows, "label")} arrived in the window${few}${labelled}.`;
}

function warnings({ error_shift: shift, labels_overdue: overdue }) {
  const lines = [];
  if (shift) lines.push(["Errors rose ", time(shift.at), `: ${number(shift.since)} on average since then, ${number(shift.before)} before, by ${plural(shift.rows, "label")}.`]);
  if (overdue) lines.push([`${plural(overdue.rows, "prediction")} should have a label by now: labels are waited for ${duration(overdue.wait_seconds)}, `,
    ...(overdue.last_label_at ? ["and the last came ", time(overdue.last_label_at), "."] : ["and none ever came."])]);
  return lines.map((parts) => element("p", { class: "notice" }, parts));
}

const cell = (text) => element("td", { class: "number" }, [text]);

function table(caption, heads, rows) {
  const head = heads.map((text, index) => element("th", { scope: "col", ...(index && { class: "number" }) }, [text]));
  return element("div", { class: "wide", role: "region", tabindex: "0", "aria-label": caption }, [element("table", {}, [
    element("caption", {}, [caption]), element("thead", {}, [element("tr", {}, head)]), element("tbody", {}, rows),
  ])]);
}

const row = (head, cells) => element("tr", {}, [element("th", { scope: "row" }, head), ...cells]);

function overall({ realised, reference, estimated, thresholds }) {
  const names = [...new Set([...metrics(reference), ...metrics(realised), ...metrics(estimated)])];
  if (!names.length) return null;
  const heads = ["Metric", "Now", "Reference", "Change", ...(estimated ? ["Estimated without labels"] : []), "Threshold"];
  return table("Now beside the reference", heads, names.map((name) => {
    const now = judged(realised) ? realised[name] : null;
    const before = reference?.[name];
    const crossed = isWorse(name, now, thresholds[name]) ? [" ", pill("drift", "past its threshold")] : [];
    return row([named(name), ...crossed], [
      withBand(now, now == null ? null : realised.intervals?.[name]), cell(number(before)), cell(change(name, now, before)),
      ...(estimated ? [withBand(estimated[name], estimated.intervals?.[name])] : []), cell(number(thresholds[name])),
    ]);
  }));
}

function withBand(value, band) {
  if (value == null || !band) return cell(number(value));
  const text = `${number(band[0])} to ${number(band[1])}`;
  return element("td", { class: "number" }, [number(value), element("span", { class: "band", title: "95 % interval" }, [text])]);
}

function segments({ segments: found, realised, reference }) {
  if (!found?.length) return null;
  const shown = metrics(judged(realised) ? realised : reference).slice(0, 3);
  return table("By segment", ["Segment", "Rows", "Labels", ...shown.map(named), "Drift"], found.map((each) =>
    row([`${each.column} = ${each.value}`], [
      cell(count(each.rows)), cell(count(each.realised.rows)),
      ...shown.map((name) => beside(judged(each.realised) ? each.realised[name] : null, each.reference?.[name])),
      element("td", { class: "number" }, drifted(each)),
    ])));
}

function beside(now, before) {
  const cells = before == null ? [] : [element("span", { class: "band" }, [`reference ${number(before)}`])];
  return element("td", { class: "number" }, [number(now), ...cells]);
}

function drifted({ drift, drifted: readings }) {
  if (!drift) return ["–"];
  const links = (readings ?? []).slice(0, 3).map(({ column, role }) => element("a", { class: "band", href: columnLink(column, role) }, [column]));
  return [pill(drift, drift === "insufficient" ? "too few rows" : drift), ...links];
}

function byClass({ status, by_class: scores }) {
  const names = Object.keys(scores ?? {});
  if (status === "insufficient" || !names.length) return null;
  const classes = [...new Set(names.flatMap((name) => Object.keys(scores[name])))];
  const title = classes.length > MOST_CLASSES ? `By class, the first ${MOST_CLASSES} of ${count(classes.length)}` : "By class";
  return table(title, ["Class", ...names.map(named)], classes.slice(0, MOST_CLASSES).map((each) =>
    row([each], names.map((name) => cell(number(scores[name][each]))))));
}

function confusion({ status, confusion: cells }) {
  if (status === "insufficient" || !cells?.length) return null;
  const classes = [...new Set(cells.flatMap((one) => [one.label, one.prediction]))].sort();
  if (classes.length > MOST_CLASSES) return null;
  const rows = new Map(cells.map((one) => [JSON.stringify([one.label, one.prediction]), one.rows]));
  return table("Confusion: true class down, predicted class across", ["True", ...classes], classes.map((label) =>
    row([label], classes.map((prediction) => cell(count(rows.get(JSON.stringify([label, prediction])) ?? 0))))));
}
