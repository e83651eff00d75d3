// Charts by plotly, which is fetched only when the first of them is wanted. A small chart is drawn
// when its row comes into view, one at a time and between other work, so that a long table stays quick.

const NOTHING = "rgba(0, 0, 0, 0)";
const QUIET = { staticPlot: true, displayModeBar: false };
const LIVELY = { displayModeBar: false, responsive: true, scrollZoom: false };
const dark = matchMedia("(prefers-color-scheme: dark)");
let library = null;

function plotly() {
  library ??= new Promise((done, failed) => {
    const script = document.createElement("script");
    script.src = document.body.dataset.charts;
    script.onload = () => done(window.Plotly);
    script.onerror = () => {
      library = null; // the next chart that is wanted asks again
      failed(new Error("the charts could not be fetched"));
    };
    document.head.append(script);
  });
  return library;
}

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
const idle = () => new Promise((done) => (window.requestIdleCallback ?? setTimeout)(done, { timeout: 500 }));

// Plotly reads some markup in labels; names come from traffic and mean none.
const plain = (text) => String(text).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

// Every chart on the page: what it shows, and whether it is in view.
class Gallery {
  constructor() {
    this.pictures = new Map();
    this.queue = new Set();
    this.busy = false;
    this.seen = new IntersectionObserver((changes) => this.look(changes), { rootMargin: "150px" });
    dark.addEventListener("change", () => this.pictures.forEach((_, place) => this.want(place, true)));
  }

  show(place, draw, data) {
    const key = JSON.stringify(data);
    const picture = this.pictures.get(place);
    if (picture?.key === key) return;
    if (!picture) this.seen.observe(place);
    this.pictures.set(place, { draw, data, key, near: picture?.near ?? false, drawn: picture?.drawn ?? false });
    this.want(place, true);
  }

  forget(place) {
    const picture = this.pictures.get(place);
    if (!picture) return;
    this.seen.unobserve(place);
    this.pictures.delete(place);
    this.queue.delete(place);
    if (picture.drawn) window.Plotly.purge(place);
  }

  look(changes) {
    for (const change of changes) {
      const picture = this.pictures.get(change.target);
      if (!picture) continue;
      picture.near = change.isIntersecting;
      if (picture.near && picture.old !== false) this.want(change.target, false);
    }
  }

  want(place, changed) {
    const picture = this.pictures.get(place);
    if (changed) picture.old = true;
    if (!picture.near || picture.old === false) return;
    this.queue.add(place);
    if (!this.busy) this.work();
  }

  async work() {
    this.busy = true;
    try {
      const tool = await plotly();
      for (const place of this.queue) {
        this.queue.delete(place);
        await idle();
        await this.paint(tool, place);
      }
    } catch (fault) {
      console.warn(fault.message); // the numbers beside the charts say the same
    } finally {
      this.busy = false;
    }
  }

  async paint(tool, place) {
    const picture = this.pictures.get(place);
    if (!picture || !place.isConnected) return;
    picture.old = false;
    try {
      const { traces, layout, config } = picture.draw(picture.data);
      await tool.react(place, traces, layout, config);
      picture.drawn = true;
    } catch (fault) {
      console.error("a chart could not be drawn", fault); // the others can
    }
  }
}

const gallery = new Gallery();
export const forget = (place) => gallery.forget(place);

export function spark(place, score, threshold, status) {
  gallery.show(place, drawSpark, { score, threshold, status });
}

export function bars(place, reference, current) {
  gallery.show(place, drawBars, { reference, current });
}

export function distribution(place, bins, kind) {
  gallery.show(place, drawDistribution, { bins, kind });
}

export function course(place, history, threshold, method) {
  gallery.show(place, drawCourse, { history, threshold, method });
}

function bare(width, height) {
  const axis = { visible: false, fixedrange: true };
  return {
    width, height, margin: { l: 1, r: 4, t: 3, b: 1 }, showlegend: false,
    paper_bgcolor: NOTHING, plot_bgcolor: NOTHING, xaxis: { ...axis }, yaxis: { ...axis },
  };
}

const MOODS = { drift: "drift", warning: "warning", ok: "ok" };

function drawSpark({ score, threshold, status }) {
  const ink = colour(MOODS[status] ?? "reference");
  const places = score.map((_, index) => index);
  const last = score.findLastIndex((each) => each != null);
  const most = Math.max(threshold ?? 0, ...score.filter((each) => each != null), 1e-9);
  const layout = bare(128, 34);
  layout.yaxis.range = [-0.05 * most, 1.12 * most];
  layout.xaxis.range = [0, Math.max(places.length - 1, 1) * 1.03];
  if (threshold != null) layout.shapes = [level(threshold, colour("quiet"))];
  const traces = [{ type: "scatter", mode: "lines", x: places, y: score, line: { color: ink, width: 1.6 } }];
  if (last >= 0) traces.push({ type: "scatter", mode: "markers", x: [last], y: [score[last]], marker: { color: ink, size: 5 } });
  return { traces, layout, config: QUIET };
}

function level(value, ink) {
  return { type: "line", xref: "paper", x0: 0, x1: 1, y0: value, y1: value, line: { color: ink, width: 1, dash: "dot" } };
}

function drawBars({ reference, current }) {
  const layout = { ...bare(150, 34), barmode: "group", bargap: 0.25, bargroupgap: 0 };
  layout.yaxis.range = [0, Math.max(...reference, ...current, 1e-9)];
  const bar = (shares, name) => ({ type: "bar", y: shares, marker: { color: colour(name), line: { width: 0 } } });
  return { traces: [bar(reference, "reference"), bar(current, "current")], layout, config: QUIET };
}

function roomy() {
  const ink = colour("quiet");
  const axis = { gridcolor: colour("line"), linecolor: colour("line"), zeroline: false, fixedrange: true, automargin: true };
  return {
    margin: { l: 8, r: 12, t: 8, b: 8 }, autosize: true, paper_bgcolor: NOTHING, plot_bgcolor: NOTHING,
    font: { family: getComputedStyle(document.body).fontFamily, size: 13, color: ink },
    hoverlabel: { bgcolor: colour("card"), bordercolor: colour("line"), font: { color: colour("text") }, align: "left" },
    legend: { orientation: "h", x: 0, y: 1.02, yanchor: "bottom" }, xaxis: { ...axis }, yaxis: { ...axis },
  };
}

const NAMED = new Set(["categorical", "boolean"]); // whose bins have names to be read, not an order

function drawDistribution({ bins, kind }) {
  const across = !NAMED.has(kind) && bins.length <= 40;
  const names = bins.map((one) => plain(one.bin));
  const places = bins.map((_, index) => index);
  const layout = { ...roomy(), barmode: "group", bargap: 0.22, bargroupgap: 0.04, hovermode: "closest" };
  const [named, shared] = across ? ["xaxis", "yaxis"] : ["yaxis", "xaxis"];
  const short = names.map((name) => (name.length > 24 ? `${name.slice(0, 23)}…` : name));
  Object.assign(layout[named], { tickmode: "array", tickvals: places, ticktext: short, showgrid: false });
  Object.assign(layout[shared], { tickformat: ".0%", rangemode: "tozero" });
  if (across) layout.height = 340;
  else {
    layout.yaxis.autorange = "reversed";
    layout.height = Math.max(220, 80 + 30 * bins.length);
  }
  const bar = (key, name) => {
    const shares = bins.map((one) => one[key]);
    return {
      type: "bar", name, orientation: across ? "v" : "h", x: across ? places : shares, y: across ? shares : places,
      marker: { color: colour(key) }, customdata: names,
      hovertemplate: `%{customdata}<br>${name} %{${across ? "y" : "x"}:.2%}<extra></extra>`,
    };
  };
  return { traces: [bar("reference", "Reference"), bar("current", "Current")], layout, config: LIVELY };
}

// Plotly's axes know no time zones: it is given the clock on the wall.
function local(text) {
  const at = new Date(text);
  return new Date(at - at.getTimezoneOffset() * 60_000).toISOString().slice(0, -1);
}

function drawCourse({ history, threshold, method }) {
  const layout = { ...roomy(), height: 260, showlegend: threshold != null, hovermode: "x" };
  layout.yaxis.rangemode = "tozero";
  layout.xaxis.type = "date";
  const at = history.at.map(local);
  const name = plain(method);
  const traces = [{
    type: "scatter", mode: at.length > 1 ? "lines" : "markers", name, x: at, y: history.score,
    line: { color: colour("current"), width: 2 }, hovertemplate: `${name} %{y:.4g}<extra></extra>`,
  }];
  if (threshold != null && at.length) traces.push({
    type: "scatter", mode: "lines", name: "Threshold", x: [at[0], at.at(-1)], y: [threshold, threshold],
    line: { color: colour("drift"), width: 1.5, dash: "dash" }, hoverinfo: "skip",
  });
  return { traces, layout, config: LIVELY };
}
