// Two bar charts as SVG, low scores stacked below the others.
import { number, scoreText, timeText } from "./text.js";

const W = 800, H = 150, LEFT = 46, RIGHT = 8, TOP = 16, BOTTOM = 22;

function svg(tag, attributes, text) {
  const e = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [k, v] of Object.entries(attributes)) e.setAttribute(k, v);
  if (text !== undefined) e.textContent = text;
  return e;
}

// bars draws two stacked rows of counts; scale says how a count becomes a height of 0 to 1.
function bars(root, low, other, scale, title, ticks, top) {
  const width = root.clientWidth || W;
  root.setAttribute("viewBox", `0 0 ${width} ${H}`);
  root.setAttribute("preserveAspectRatio", "none");
  root.replaceChildren();
  const inner = width - LEFT - RIGHT, high = H - TOP - BOTTOM, step = inner / low.length;
  const x = (share) => LEFT + share * inner;
  root.append(svg("line", { class: "axis", x1: LEFT, x2: width - RIGHT, y1: H - BOTTOM, y2: H - BOTTOM }));
  for (const t of top) {
    const y = TOP + high * (1 - scale(t));
    root.append(svg("line", { class: "axis", x1: LEFT, x2: width - RIGHT, y1: y, y2: y }));
    root.append(svg("text", { class: "tick", x: LEFT - 6, y: y + 4, "text-anchor": "end" }, number(t)));
  }
  for (let i = 0; i < low.length; i++) {
    const all = scale(low[i] + other[i]) * high, red = low[i] ? Math.max(scale(low[i]) * high, 2) : 0;
    const group = svg("g", {});
    group.append(svg("title", {}, title(i)));
    if (other[i]) group.append(svg("rect", { class: "bar", x: LEFT + i * step, width: Math.max(step - 1, 0.5), y: H - BOTTOM - Math.max(all, red), height: Math.max(all, red) - red }));
    if (red) group.append(svg("rect", { class: "bar low", x: LEFT + i * step, width: Math.max(step - 1, 0.5), y: H - BOTTOM - red, height: red }));
    root.append(group);
  }
  for (const [share, text, anchor] of ticks) root.append(svg("text", { class: "tick", x: x(share), y: H - 6, "text-anchor": anchor }, text));
  return x;
}

// round returns one or two counts for the lines of an axis up to most.
function round(most) {
  if (most < 2) return [1];
  const p = 10 ** Math.floor(Math.log10(most));
  const n = Math.floor(most / p) * p;
  return [n];
}

export function charts(histogram, timeline, data) {
  const h = data.histogram, n = h.low.length;
  const most = Math.max(1, ...h.low.map((v, i) => v + h.other[i]));
  // Nearly all sessions are usual: on a plain scale the few that matter would have no height.
  const log = (v) => Math.log1p(v) / Math.log1p(most);
  const decades = [];
  for (let p = 10; p <= most; p *= 100) decades.push(p);
  const x = bars(histogram, h.low, h.other, log,
    (i) => `score ${(i / n).toFixed(2)} to ${((i + 1) / n).toFixed(2)}: ${number(h.low[i])} low, ${number(h.other[i])} others`,
    [[0, "0", "start"], [0.25, "0.25", "middle"], [0.5, "0.5", "middle"], [0.75, "0.75", "middle"], [1, "score 1", "end"]], decades);
  if (data.threshold !== null) {
    const at = x(Math.min(Math.max(data.threshold, 0), 1));
    histogram.append(svg("line", { class: "threshold", x1: at, x2: at, y1: TOP - 4, y2: H - BOTTOM }));
    const right = data.threshold > 0.8;
    histogram.append(svg("text", { class: "mark", x: at + (right ? -5 : 5), y: TOP + 2, "text-anchor": right ? "end" : "start" }, `threshold ${scoreText(data.threshold)}`));
  }

  const t = data.timeline;
  const lows = t.low.length ? t.low : [0];
  const peak = Math.max(1, ...lows);
  const at = (i) => t.start + i * t.step;
  bars(timeline, lows, lows.map(() => 0), (v) => v / peak,
    (i) => `from ${timeText(at(i))}: ${number(lows[i])} low of ${number(t.all[i] ?? 0)}`,
    t.low.length ? [[0, timeText(at(0)), "start"], [1, timeText(at(lows.length)), "end"]] : [], round(peak));
}

let pending;
export function onResize(redraw) {
  window.addEventListener("resize", () => { clearTimeout(pending); pending = setTimeout(redraw, 150); });
}
