// What a page must be for everybody, as far as a script can tell: gives a list of faults.
() => {
  const faults = [];
  const all = (selector) => [...document.querySelectorAll(selector)].filter((node) => node.checkVisibility());
  const named = (node) => {
    const by = (node.getAttribute("aria-labelledby") ?? "").split(" ").filter(Boolean);
    for (const id of by) if (!document.getElementById(id)) faults.push(`aria-labelledby names no ${id}`);
    const text = by.map((id) => document.getElementById(id)?.textContent).join("") || node.getAttribute("aria-label") ||
      node.labels?.[0]?.textContent || node.textContent || node.querySelector("img[alt]")?.alt || "";
    return text.trim();
  };
  const ids = [...document.querySelectorAll("[id]")].map((node) => node.id);
  for (const id of new Set(ids.filter((id, index) => ids.indexOf(id) !== index))) faults.push(`id ${id} twice`);
  if (!document.documentElement.lang) faults.push("no language");
  if (!document.title) faults.push("no title");
  if (all("main").length !== 1) faults.push("not one main");
  if (all("h1").length !== 1) faults.push("not one h1");
  let before = 0;
  for (const head of all("h1, h2, h3, h4")) {
    const level = Number(head.tagName[1]);
    if (level > before + 1) faults.push(`h${before} is followed by h${level}: ${head.textContent}`);
    before = level;
  }
  for (const node of all("a, button, input, select, summary, section, [role=img], [role=region], progress")) {
    if (!named(node) && !(node.tagName === "SECTION" && !node.hasAttribute("aria-labelledby"))) faults.push(`without a name: ${node.outerHTML.slice(0, 80)}`);
  }
  for (const image of document.querySelectorAll("img")) if (!image.hasAttribute("alt")) faults.push("img without alt");
  for (const node of document.querySelectorAll("[tabindex]")) if (node.tabIndex > 0) faults.push("tabindex beyond 0");
  for (const table of all("table")) {
    if (!table.caption) faults.push("table without a caption");
    for (const head of table.querySelectorAll("th")) if (!head.scope) faults.push(`th without a scope: ${head.textContent}`);
  }
  for (const list of all("ul, ol")) for (const child of list.children) if (child.tagName !== "LI") faults.push("a list of other things");

  // WCAG 2.1, 1.4.3: contrast of text against what is behind it.
  const channels = (text) => (text.match(/[\d.]+/g) ?? []).map(Number);
  const light = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map((value) => value / 255).map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const behind = (node) => {
    for (let each = node; each; each = each.parentElement) {
      const found = channels(getComputedStyle(each).backgroundColor);
      if (found.length === 3 || found[3] > 0.99) return found;
    }
    return [255, 255, 255];
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const seen = new Set();
  while (walker.nextNode()) {
    const node = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || seen.has(node) || !node.checkVisibility() || node.closest("svg, noscript, .skip")) continue;
    seen.add(node);
    const [one, other] = [light(channels(getComputedStyle(node).color)), light(behind(node))];
    const ratio = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
    if (ratio < 4.5) faults.push(`contrast ${ratio.toFixed(2)}: ${node.textContent.trim().slice(0, 40)}`);
  }
  if (seen.size < 10) faults.push("hardly any text was looked at");
  return faults;
}
