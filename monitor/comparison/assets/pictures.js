// Draws each picture when it comes near, in the page's own colours, and again when those change.
"use strict";
(() => {
  const pictures = JSON.parse(document.getElementById("pictures").textContent);
  const places = [...document.querySelectorAll(".plot")];
  const drawn = new Set();
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
  // Plotly reads a little markup in its texts; what comes from data must not be any.
  const plain = (text) => String(text).replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
  const short = (text) => (text.length > 18 ? `${text.slice(0, 17)}…` : text);
  const axis = () => ({ gridcolor: colour("line"), zerolinecolor: colour("line"), linecolor: colour("line"),
    automargin: true, fixedrange: true });
  const layout = (more) => ({ paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
    font: { color: colour("text"), size: 11, family: "system-ui, sans-serif" },
    margin: { l: 44, r: 8, t: 8, b: 30 }, showlegend: false, ...more });

  function bars(one) {
    const places = one.names.map((_, i) => i);
    const every = Math.max(1, Math.ceil(one.names.length / (one.ordered ? 8 : 14)));
    const ticks = places.filter((i) => i % every === 0);
    const trace = (name) => ({ type: "bar", name, x: places, y: one[name], marker: { color: colour(name) },
      customdata: one.names.map(plain), hovertemplate: `%{customdata}<br>${name} %{y:.2%}<extra></extra>` });
    return [[trace("reference"), trace("current")], layout({ barmode: "group", bargap: 0.15,
      xaxis: { ...axis(), tickvals: ticks, ticktext: ticks.map((i) => plain(short(one.ordered ? one.names[i].split(" – ")[0] : one.names[i]))), showgrid: false },
      yaxis: { ...axis(), tickformat: ".0%", rangemode: "tozero" } })];
  }

  function lines(one) {
    const traces = one.series.map((series) => ({ type: "scatter", mode: "lines", name: plain(series.name),
      x: one.at, y: series.values, line: { width: 1.4 }, connectgaps: false,
      hovertemplate: `${plain(series.name)}<br>%{x}<br>%{y:.4g}<extra></extra>` }));
    const shapes = one.spans.map((span) => ({ type: "rect", xref: "x", yref: "paper", x0: span[0], x1: span[1],
      y0: 0, y1: 1, fillcolor: colour("bad"), opacity: 0.13, line: { width: 0 } }));
    for (const level of one.levels) shapes.push({ type: "line", xref: "paper", x0: 0, x1: 1, y0: level, y1: level,
      line: { color: colour("faint"), width: 1, dash: "dot" } });
    return [traces, layout({ shapes, showlegend: traces.length > 1, legend: { orientation: "h", y: -0.2 },
      xaxis: { ...axis(), type: "date" }, yaxis: { ...axis(), rangemode: "tozero" } })];
  }

  function gantt(one) {
    const trace = { type: "bar", orientation: "h", base: one.begins, x: one.lasts, y: one.rows,
      marker: { color: colour("bad") }, width: 0.6, customdata: one.lives.map(plain),
      hovertemplate: "%{customdata}<extra></extra>" };
    return [[trace], layout({ xaxis: { ...axis(), type: "date", range: one.range },
      yaxis: { ...axis(), tickvals: one.names.map((_, i) => i), ticktext: one.names.map((name) => plain(name)),
        autorange: "reversed", showgrid: false } })];
  }

  const kinds = { bars, lines, gantt };
  function draw(index) {
    const [traces, shape] = kinds[pictures[index].kind](pictures[index]);
    Plotly.react(places[index], traces, shape, { displayModeBar: false, responsive: true });
    drawn.add(index);
  }
  const watcher = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      watcher.unobserve(entry.target);
      draw(places.indexOf(entry.target));
    }
  }, { rootMargin: "600px" });
  places.forEach((place) => watcher.observe(place));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => drawn.forEach(draw));
  addEventListener("beforeprint", () => places.forEach((_, index) => drawn.has(index) || draw(index)));
})();
