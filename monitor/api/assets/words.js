// Numbers and times as people read them, and elements made of text alone.

const grouped = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const measured = new Intl.NumberFormat("en", { maximumSignificantDigits: 4 });
const shares = new Intl.NumberFormat("en", { style: "percent", maximumFractionDigits: 1 });
const distance = new Intl.RelativeTimeFormat("en", { numeric: "auto" });

export const count = (value) => (value == null ? "–" : grouped.format(value));
export const percent = (value) => (value == null ? "–" : shares.format(value));

export function number(value) {
  if (value == null) return "–";
  return value !== 0 && Math.abs(value) < 1e-4 ? value.toExponential(1) : measured.format(value);
}

export function chance(value) {
  if (value == null) return "–";
  if (value === 0) return "< 1e-300";
  return value < 1e-3 ? value.toExponential(1) : value.toFixed(3);
}

export function when(text) {
  const seconds = (new Date(text) - Date.now()) / 1000;
  const [unit, size] = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]]
    .find(([, size]) => Math.abs(seconds) >= size) ?? ["second", 1];
  return distance.format(Math.round(seconds / size), unit);
}

export function element(name, attributes = {}, children = []) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children.map(asNode));
  return made;
}

function asNode(child) {
  return child instanceof Node ? child : document.createTextNode(String(child));
}

// Leaves what already reads the same, so that a screen reader or a selection is not disturbed.
export function replace(parent, children) {
  children.forEach((child, index) => {
    const old = parent.children[index];
    if (!old) parent.append(child);
    else if (!old.isEqualNode(child)) old.replaceWith(child);
  });
  while (parent.children.length > children.length) parent.lastElementChild.remove();
}
