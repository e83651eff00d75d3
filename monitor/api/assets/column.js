// One column's own view, at #column=NAME&role=ROLE: reference against current, the score over time,
// and what both say in words.

import { course, distribution, forget } from "./charts.js";
import { chance, columnLink, count, element, number, percent, pill, plural, replace, say, time } from "./words.js";

const MOVED = 3; // so many bins are named in words

export class ColumnView {
  constructor(article, ask) {
    this.article = article;
    this.ask = ask;
    this.shown = null;
  }

  // What the address asks for; null where it asks for the overview.
  static asked() {
    const place = new URLSearchParams(location.hash.slice(1));
    return place.has("column") ? { name: place.get("column"), role: place.get("role") } : null;
  }

  async show({ name, role }) {
    const key = JSON.stringify([name, role]);
    if (this.shown !== key) this.begin(key, name);
    const path = name.split("/").map(encodeURIComponent).join("/");
    const column = await this.ask(`/api/v1/columns/${path}${role ? `?role=${encodeURIComponent(role)}` : ""}`, [404]);
    if (this.shown !== key) return; // another was asked for meanwhile
    if (column === null) this.missing(name);
    else this.fill(column);
  }

  close() {
    if (this.charts) Object.values(this.charts).forEach(forget);
    this.shown = this.charts = null;
    this.article.replaceChildren();
  }

  begin(key, name) {
    this.close();
    this.shown = key;
    const part = (tag, attributes) => element(tag, attributes);
    this.title = element("h2", { id: "column-title", tabindex: "-1" }, [name]);
    this.status = part("p", { class: "standing" });
    this.words = part("div", { class: "words" });
    this.facts = part("dl", { class: "facts" });
    this.charts = {
      shares: part("div", { class: "chart", role: "img", "aria-label": "Shares by bin; the table below holds the numbers" }),
      course: part("div", { class: "chart", role: "img", "aria-label": "The score over time" }),
    };
    this.rows = part("tbody");
    this.table = element("details", {}, [element("summary", {}, ["The same as a table"]), binTable(this.rows)]);
    this.sharesNote = part("p", { class: "quiet" });
    this.courseNote = part("p", { class: "quiet" });
    this.article.append(
      element("p", {}, [element("a", { class: "back", href: "#" }, ["All columns"])]),
      element("header", { class: "column-head" }, [this.title, this.status]),
      card("In words", [this.words]),
      card("Reference against current", [this.sharesNote, this.charts.shares, this.table]),
      card("Score over time", [this.courseNote, this.charts.course]),
      card("Numbers", [this.facts]),
    );
    this.title.focus({ preventScroll: true });
    scrollTo(0, 0);
  }

  missing(name) {
    this.close();
    this.shown = null;
    this.article.append(
      element("p", {}, [element("a", { class: "back", href: "#" }, ["All columns"])]),
      element("h2", { id: "column-title", tabindex: "-1" }, [name]),
      element("p", {}, ["There is no column of this name now: it may have come from another reference."]),
    );
  }

  fill(column) {
    const { bins, history } = column;
    replace(this.status, [
      pill(column.status, column.status === "insufficient" ? "too few rows" : column.status),
      element("span", { class: "quiet" }, [`${column.role} · ${column.kind} · ${plural(column.rows, "row")} in the window`]),
      ...column.roles.filter((role) => role !== column.role).map((role) =>
        element("a", { href: columnLink(column.column, role) }, [`its namesake, a ${role}`])),
    ]);
    replace(this.words, inWords(column).map((line) => element("p", {}, [line])));
    replace(this.rows, bins.map(binRow));
    this.charts.shares.hidden = !bins.some((one) => one.current != null);
    this.table.hidden = bins.length === 0;
    say(this.sharesNote, bins.length ? (this.charts.shares.hidden ? "No rows in the window yet." : "") : "This column has no bins now.");
    if (!this.charts.shares.hidden) distribution(this.charts.shares, bins, column.kind);
    const points = history.score.filter((score) => score != null).length;
    this.charts.course.hidden = points === 0;
    say(this.courseNote, points ? `${column.method} against its threshold, as far back as this process remembers: two windows at most` : "No score yet.");
    if (points) course(this.charts.course, history, column.threshold, column.method);
    replace(this.facts, facts(column).map(([term, text]) =>
      element("div", {}, [element("dt", {}, [term]), element("dd", {}, [text])])));
  }
}

function binTable(rows) {
  const heads = ["Bin", "Reference", "Current", "Change"].map((text, index) =>
    element("th", { scope: "col", ...(index && { class: "number" }) }, [text]));
  return element("table", {}, [
    element("caption", { class: "hidden" }, ["Shares by bin"]),
    element("thead", {}, [element("tr", {}, heads)]), rows,
  ]);
}

function card(title, children) {
  const id = `column-${title.toLowerCase().replaceAll(" ", "-")}`;
  return element("section", { class: "card", "aria-labelledby": id }, [element("h3", { id }, [title]), ...children]);
}

function binRow(one) {
  const change = one.current == null ? null : one.current - one.reference;
  const cells = [percent(one.reference), percent(one.current), change == null ? "–" : signed(change)];
  return element("tr", {}, [
    element("th", { scope: "row" }, [one.bin]),
    ...cells.map((text) => element("td", { class: "number" }, [text])),
  ]);
}

const signed = (share) => `${share > 0 ? "+" : ""}${number(100 * share)} points`;

const VERDICTS = {
  drift: "It has drifted: this is more than the budget of false alerts allows by chance.",
  warning: "It has moved, but not so surprisingly that it counts as drift.",
  ok: "It looks like the reference.",
  insufficient: "There are too few rows in the window to say anything.",
};

function inWords(column) {
  const moved = column.bins.filter((one) => one.current != null)
    .sort((a, b) => Math.abs(b.current - b.reference) - Math.abs(a.current - a.reference)).slice(0, MOVED)
    .filter((one) => Math.abs(one.current - one.reference) >= 0.005)
    .map((one) => `${one.bin} went from ${percent(one.reference)} to ${percent(one.current)}`);
  return [
    VERDICTS[column.status],
    ...column.quality.map((fault) => `Faulty values: ${fault}.`),
    column.explanation,
    column.explanation || !moved.length ? "" : `Moved most: ${moved.join("; ")}.`,
  ].filter(Boolean);
}

function facts(column) {
  const { reference } = column;
  const beside = (now, before, text) => `${text(now)} (reference ${text(before)})`;
  return [
    [`Score, ${column.method}`, column.threshold == null ? number(column.score) : `${number(column.score)} (threshold ${number(column.threshold)})`],
    ["p-value", chance(column.p_value)],
    ...Object.entries(column.scores).filter(([method]) => method !== column.method).map(([method, score]) => [`By ${method}`, number(score)]),
    ...(column.mean == null ? [] : [
      ["Mean", beside(column.mean, reference.mean, number)],
      ["Standard deviation", beside(column.stddev, reference.stddev, number)],
    ]),
    ["Missing", beside(column.missing_ratio, reference.missing_ratio, percent)],
    ["Rows in the window", count(column.rows)],
    ...(column.distinct == null ? [] : [["Different values, about", beside(column.distinct, reference.distinct ?? column.reference_distinct, count)]]),
    ...(column.importance == null ? [] : [["Importance for the prediction", number(column.importance)]]),
    ...(column.source ? [["Made of", element("a", { href: columnLink(column.source) }, [column.source])]] : []),
    ["Evaluated", column.evaluated_at ? time(column.evaluated_at) : "not yet"],
  ];
}
