// The table of columns, the furthest moved first; a row opens to its bins. Rows are kept from look to
// look, so that focus and what was opened stay.

import { chance, element, percent, number, replace } from "./words.js";

const MOST_ROWS = 200;
const WITH_SHARES = 12; // so many rows show their shares unopened; each costs one question
const ORDER = { drift: 0, warning: 1, ok: 2, insufficient: 3 };

export class Columns {
  constructor(body, ask) {
    this.body = body;
    this.ask = ask;
    this.rows = new Map();
    this.opened = null;
  }

  async show(drift, wanted) {
    const found = drift.columns.filter((column) => column.column.toLowerCase().includes(wanted));
    found.sort((a, b) => ORDER[a.status] - ORDER[b.status] || strength(b) - strength(a));
    const shown = found.slice(0, MOST_ROWS);
    const rows = shown.map((column) => this.row(column));
    rows.forEach((row, index) => row.update(shown[index]));
    this.place(rows);
    this.openNamed(rows);
    await Promise.all(rows.map((row, index) => row.deepen(drift.evaluated_at, index < WITH_SHARES, this.ask)));
    return { shown: shown.length, left: found.length - shown.length };
  }

  // The address /#column=NAME opens that column: alerts can point at it.
  openNamed(rows) {
    const name = new URLSearchParams(location.hash.slice(1)).get("column");
    if (name === this.opened) return;
    const row = rows.find((each) => each.column.column === name);
    if (name !== null && !row) return;
    this.opened = name;
    if (!row) return;
    if (row.detail.hidden) row.toggle();
    row.head.scrollIntoView({ block: "center" });
  }

  row(column) {
    const key = JSON.stringify([column.role, column.column]);
    if (!this.rows.has(key)) this.rows.set(key, new Row(column));
    return this.rows.get(key);
  }

  place(rows) {
    const parts = rows.flatMap((row) => [row.head, row.detail]);
    const same = parts.length === this.body.children.length &&
      parts.every((part, index) => part === this.body.children[index]);
    if (same) return;
    const focused = document.activeElement;
    this.body.replaceChildren(...parts);
    if (this.body.contains(focused)) focused.focus({ preventScroll: true });
  }
}

// How far over its threshold; without one, the score itself.
function strength(column) {
  return column.score == null ? -1 : column.score / (column.threshold || 1);
}

class Row {
  constructor(column) {
    this.column = column;
    this.looked = null;
    this.name = element("button", { type: "button", class: "more", "aria-expanded": "false" }, [column.column]);
    this.name.addEventListener("click", () => this.toggle());
    this.cells = Array.from({ length: 5 }, () => element("td"));
    this.cells[2].className = this.cells[4].className = "number";
    this.head = element("tr", {}, [
      element("th", { scope: "row" }, [this.name, element("span", { class: "role" }, [`${column.role}, ${column.kind}`])]),
      ...this.cells,
    ]);
    this.inside = element("td", { colspan: "6" });
    this.detail = element("tr", { class: "detail" }, [this.inside]);
    this.detail.hidden = true;
  }

  toggle() {
    this.detail.hidden = !this.detail.hidden;
    this.name.setAttribute("aria-expanded", String(!this.detail.hidden));
    if (this.shares) this.showBins(this.shares);
    else replace(this.inside, [element("p", {}, ["Loading…"])]);
  }

  update(column) {
    this.column = column;
    const pill = element("span", { class: "pill", "data-mood": column.status }, [column.status]);
    const [status, score, p, , missing] = this.cells;
    replace(status, [pill]);
    replace(score, [gauge(column)]);
    p.textContent = chance(column.p_value);
    missing.textContent = percent(column.missing_ratio);
  }

  async deepen(evaluated_at, near, ask) {
    if (!near && this.detail.hidden) return;
    if (this.looked === evaluated_at && this.shares) return;
    const { column, role } = this.column;
    const path = column.split("/").map(encodeURIComponent).join("/");
    try {
      this.shares = await ask(`/api/v1/columns/${path}?role=${encodeURIComponent(role)}`);
    } catch {
      return; // the column has just gone: the next look says so
    }
    this.looked = evaluated_at;
    replace(this.cells[3], [small(this.shares.bins)]);
    if (!this.detail.hidden) this.showBins(this.shares);
  }

  showBins(shares) {
    const { column } = this;
    const lines = [
      column.explanation,
      ...column.quality,
      `mean ${number(column.mean)} (reference ${number(shares.reference.mean)}), ` +
        `standard deviation ${number(column.stddev)} (reference ${number(shares.reference.stddev)}), ` +
        `missing ${percent(column.missing_ratio)} (reference ${percent(shares.reference.missing_ratio)})`,
      Object.entries(column.scores).map(([method, score]) => `${method} ${number(score)}`).join(" · "),
    ].filter(Boolean);
    const most = Math.max(...shares.bins.flatMap((one) => [one.reference ?? 0, one.current ?? 0]), 1e-9);
    replace(this.inside, [
      ...lines.map((line) => element("p", {}, [line])),
      element("p", { class: "key" }, [element("span", {}, ["reference"]), element("span", {}, ["current"])]),
      element("div", { class: "bins" }, shares.bins.flatMap((one) => bin(one, most))),
    ]);
  }
}

function gauge({ score, threshold, method, status }) {
  if (score == null) return element("span", { class: "quiet" }, ["not enough rows"]);
  const most = Math.max(score, threshold ?? 0, 1e-9) * (score > (threshold ?? 0) ? 1 : 1.25);
  const fill = element("i", { "data-mood": status });
  fill.style.width = `${(100 * score) / most}%`;
  const track = element("span", { class: "track" }, [fill]);
  if (threshold != null) {
    const mark = element("u");
    mark.style.left = `${(100 * threshold) / most}%`;
    track.append(mark);
  }
  const of = threshold == null ? "" : ` / ${number(threshold)}`;
  return element("span", { class: "gauge" }, [track, element("span", { class: "value" }, [`${number(score)}${of} ${method}`])]);
}

function small(bins) {
  const most = Math.max(...bins.flatMap((one) => [one.reference ?? 0, one.current ?? 0]), 1e-9);
  const picture = element("span", { class: "small", role: "img", "aria-label": furthest(bins) });
  for (const one of bins) {
    const [before, now] = [element("i"), element("b")];
    before.style.height = `${(100 * (one.reference ?? 0)) / most}%`;
    now.style.height = `${(100 * (one.current ?? 0)) / most}%`;
    picture.append(element("span", { title: words(one) }, [before, now]));
  }
  return picture;
}

const words = (one) => `${one.bin}: reference ${percent(one.reference)}, current ${percent(one.current)}`;

function furthest(bins) {
  const moved = (one) => Math.abs((one.current ?? 0) - (one.reference ?? 0));
  const most = bins.reduce((a, b) => (moved(b) > moved(a) ? b : a), bins[0]);
  return most ? `moved most: ${words(most)}` : "no bins";
}

function bin(one, most) {
  const [before, now] = [element("i"), element("b")];
  before.style.width = `${(100 * (one.reference ?? 0)) / most}%`;
  now.style.width = `${(100 * (one.current ?? 0)) / most}%`;
  return [
    element("span", { class: "name" }, [one.bin]),
    element("span", { class: "pair" }, [before, now]),
    element("span", { class: "number" }, [`${percent(one.reference)} → ${percent(one.current)}`]),
  ];
}
