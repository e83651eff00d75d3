// Numbers and times as people read them, and elements made of text alone. Everything that comes from
// outside goes in as text, never as markup, so a column named <img onerror=…> is a name.

const grouped = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const measured = new Intl.NumberFormat("en", { maximumSignificantDigits: 4 });
const rough = new Intl.NumberFormat("en", { maximumSignificantDigits: 3 });
const shares = new Intl.NumberFormat("en", { style: "percent", maximumFractionDigits: 1 });
const distance = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
const clock = new Intl.DateTimeFormat("en", { dateStyle: "medium", timeStyle: "medium" });
const UNITS = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];

export const count = (value) => (value == null ? "–" : grouped.format(value));
export const percent = (value) => (value == null ? "–" : shares.format(value));
export const sentence = (word) => word.charAt(0).toUpperCase() + word.slice(1).replaceAll("_", " ");
export const plural = (n, one, many = `${one}s`) => `${count(n)} ${n === 1 ? one : many}`;

export function number(value, format = measured) {
  if (value == null) return "–";
  return value !== 0 && Math.abs(value) < 1e-4 ? value.toExponential(1) : format.format(value);
}

export const short = (value) => number(value, rough);

export function chance(value) {
  if (value == null) return "–";
  if (value === 0) return "< 1e-300";
  return value < 1e-3 ? value.toExponential(1) : value.toFixed(3);
}

export function when(text) {
  const seconds = (new Date(text) - Date.now()) / 1000;
  const [unit, size] = UNITS.find(([, each]) => Math.abs(seconds) >= each) ?? UNITS.at(-1);
  return distance.format(Math.round(seconds / size), unit);
}

export function duration(seconds) {
  const whole = ([, each]) => Math.abs(seconds / each - Math.round(seconds / each)) < 0.02;
  const [unit, size] = UNITS.find((one) => seconds >= 2 * one[1] || (seconds >= 0.98 * one[1] && whole(one))) ?? UNITS.at(-1);
  return plural(Math.round(seconds / size), unit);
}

export const moment = (text) => clock.format(new Date(text));

export function time(text) {
  return element("time", { datetime: text, title: moment(text) }, [when(text)]);
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

export function pill(mood, word = mood) {
  return element("span", { class: "pill", "data-mood": mood }, [word]);
}

export function columnLink(column, role) {
  const place = new URLSearchParams(role ? { column, role } : { column });
  return `#${place.toString().replaceAll("+", "%20")}`;
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

export function say(node, text) {
  if (node.textContent !== text) node.textContent = text;
}
