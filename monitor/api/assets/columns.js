// The table of columns, the furthest moved first. Rows are kept from look to look, so that focus and
// selection stay where they are.

import { bars, forget, spark } from "./charts.js";
import { chance, columnLink, element, percent, pill, replace, say, short } from "./words.js";

const MOST_ROWS = 200;
const ORDER = { drift: 0, warning: 1, ok: 2, insufficient: 3 };
// By status, then as the answer ranks them (the important ones first), then by how far they moved.
const furthest = (a, b) => ORDER[a.status] - ORDER[b.status] || (a.rank ?? 0) - (b.rank ?? 0) || strength(b) - strength(a);
const SORTS = {
  column: (a, b) => a.column.localeCompare(b.column),
  status: furthest,
  score: (a, b) => strength(b) - strength(a),
  p_value: (a, b) => (a.p_value ?? 2) - (b.p_value ?? 2),
  missing_ratio: (a, b) => (b.missing_ratio ?? -1) - (a.missing_ratio ?? -1),
};
const rowKey = ({ role, column }) => JSON.stringify([role, column]);

// How far over its threshold; without one, the score itself.
function strength(column) {
  return column.score == null ? -1 : column.score / (column.threshold || 1);
}

export class Columns {
  constructor(head, body, changed) {
    this.body = body;
    this.rows = new Map();
    this.sort = "status";
    this.heads = [...head.querySelectorAll("[data-sort]")];
    for (const cell of this.heads) {
      const name = cell.textContent;
      const button = element("button", { type: "button", class: "sort" }, [name]);
      button.addEventListener("click", () => { this.sort = cell.dataset.sort; this.mark(); changed(); });
      cell.replaceChildren(button);
    }
    this.mark();
  }

  mark() {
    for (const cell of this.heads) {
      const order = cell.dataset.sort === "column" || cell.dataset.sort === "p_value" ? "ascending" : "descending";
      if (cell.dataset.sort === this.sort) cell.setAttribute("aria-sort", order);
      else cell.removeAttribute("aria-sort");
    }
  }

  show(columns, wanted) {
    const found = columns.filter((column) => column.column.toLowerCase().includes(wanted));
    found.sort((a, b) => SORTS[this.sort](a, b) || furthest(a, b));
    const shown = found.slice(0, MOST_ROWS);
    const rows = shown.map((column) => this.row(column));
    rows.forEach((row, index) => row.update(shown[index]));
    this.place(rows.map((row) => row.head));
    this.drop(new Set(columns.map(rowKey)));
    return { shown: shown.length, left: found.length - shown.length };
  }

  outline({ columns }) {
    for (const each of columns) this.rows.get(rowKey(each))?.draw(each);
  }

  row(column) {
    const key = rowKey(column);
    if (!this.rows.has(key)) this.rows.set(key, new Row(column));
    return this.rows.get(key);
  }

  place(parts) {
    const same = parts.length === this.body.children.length &&
      parts.every((part, index) => part === this.body.children[index]);
    if (same) return;
    const focused = document.activeElement;
    this.body.replaceChildren(...parts);
    if (this.body.contains(focused)) focused.focus({ preventScroll: true });
  }

  drop(known) {
    for (const [key, row] of this.rows) {
      if (known.has(key)) continue;
      row.charts.forEach(forget);
      this.rows.delete(key);
    }
  }
}

class Row {
  constructor(column) {
    this.charts = [
      element("span", { class: "chart spark", role: "img", "aria-label": "no score yet" }),
      element("span", { class: "chart bars", role: "img", "aria-label": "no shares yet" }),
    ];
    this.status = element("td");
    this.score = element("td");
    this.surprise = element("td", { class: "number" });
    this.missing = element("td", { class: "number" });
    const link = element("a", { class: "name", href: columnLink(column.column, column.role) }, [column.column]);
    this.role = element("span", { class: "role" });
    this.head = element("tr", {}, [
      element("th", { scope: "row" }, [link, this.role]),
      this.status, this.score, ...this.charts.map((chart) => element("td", {}, [chart])), this.surprise, this.missing,
    ]);
  }

  update(column) {
    this.column = column;
    const faults = column.quality.length ? [pill("warning", "faulty values")] : [];
    replace(this.status, [pill(column.status, column.status === "insufficient" ? "too few rows" : column.status), ...faults]);
    say(this.role, [column.role, column.kind, column.source ? `of ${column.source}` : ""].filter(Boolean).join(" · "));
    replace(this.score, [gauge(column)]);
    say(this.surprise, chance(column.p_value));
    say(this.missing, percent(column.missing_ratio));
  }

  draw({ score, reference, current }) {
    const { threshold, status } = this.column;
    const [course, shares] = this.charts;
    const known = score.filter((each) => each != null);
    if (known.length) {
      course.setAttribute("aria-label", `score from ${short(known[0])} to ${short(known.at(-1))}, at most ${short(Math.max(...known))}`);
      spark(course, score, threshold, status);
    }
    if (reference.length) {
      shares.setAttribute("aria-label", moved(reference, current));
      bars(shares, reference, current);
    }
  }
}

function moved(reference, current) {
  const most = reference.reduce((sum, share, index) => sum + Math.abs(share - (current[index] ?? 0)), 0) / 2;
  return `${percent(most)} of the rows would have to change their bin to be as in the reference`;
}

function gauge({ score, threshold, method, status }) {
  if (score == null) return element("span", { class: "quiet" }, ["not enough rows"]);
  const most = Math.max(score, 1.25 * (threshold ?? 0), 1e-9);
  const fill = element("i", { "data-mood": status });
  fill.style.width = `${(100 * score) / most}%`;
  const track = element("span", { class: "track", "aria-hidden": "true" }, [fill]);
  if (threshold != null) {
    const mark = element("u");
    mark.style.left = `${(100 * threshold) / most}%`;
    track.append(mark);
  }
  const beside = threshold == null ? method : `of ${short(threshold)} ${method}`;
  return element("span", { class: "gauge" }, [
    element("span", { class: "value" }, [element("b", {}, [short(score)]), ` ${beside}`]), track,
  ]);
}
