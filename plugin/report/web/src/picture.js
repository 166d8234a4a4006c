// The graph, drawn by sigma (WebGL) and laid out by ForceAtlas2 in a worker for a while.
import Graph from "graphology";
import layout from "graphology-layout-forceatlas2";
import LayoutWorker from "graphology-layout-forceatlas2/worker";
import Sigma from "sigma";
import { Labels } from "./labels.js";
import { lowLayout } from "./lowlayout.js";
import { element, number, scoreText } from "./text.js";

const colours = () => {
  const style = getComputedStyle(document.documentElement);
  const get = (name) => style.getPropertyValue(name).trim();
  return { low: get("--low"), lowSoft: get("--lowsoft"), edge: get("--edge"), node: get("--node"), faint: get("--faint"), text: get("--text"), card: get("--card") };
};

const manyEdges = 2000;
// Labels that sigma offers to Labels in a cell of its grid; in a column all hosts lie in few cells.
const density = 1, columnDensity = 30;
const lowestThick = 50; // so many of the lowest scores stand out where only low ones are shown

export class Picture {
  constructor(container, tip, data, choose) {
    this.container = container;
    this.tip = tip;
    this.colours = colours();
    this.graph = new Graph({ type: "directed", multi: true });
    this.chosen = null; // set of nodes to show clearly, or null
    this.chosenEdge = null;
    this.hovered = null;
    this.lowOnly = false;
    this.labels = new Labels();
    this.fill(data);
    this.sigma = new Sigma(this.graph, container, {
      defaultEdgeType: "arrow",
      enableEdgeEvents: true,
      hideEdgesOnMove: data.edges.length > manyEdges, // without a GPU they are too much for each frame
      zIndex: true,
      labelFont: "system-ui, sans-serif",
      labelSize: 12,
      labelColor: { color: this.colours.text },
      labelRenderedSizeThreshold: 0, // Labels leaves out what does not fit
      labelDensity: density,
      labelGridCellSize: 70,
      defaultDrawNodeLabel: (context, data, settings) => this.labels.add(context, data, settings),
      minCameraRatio: 0.02,
      maxCameraRatio: 4,
      allowInvalidContainer: true,
      defaultDrawNodeHover: () => {}, // the page has a tip of its own
      nodeReducer: (n, a) => this.node(n, a),
      edgeReducer: (e, a) => this.edge(e, a),
    });
    const s = this.sigma;
    s.on("beforeRender", () => this.labels.begin());
    s.on("afterRender", () => this.labels.place(this.colours.text, this.colours.card, container.clientWidth));
    s.on("enterNode", ({ node, event }) => { this.hovered = node; this.show(event, ...this.nodeText(node)); s.refresh({ skipIndexation: true }); });
    s.on("leaveNode", () => { this.hovered = null; this.hide(); s.refresh({ skipIndexation: true }); });
    s.on("enterEdge", ({ edge, event }) => this.show(event, ...this.edgeText(edge)));
    s.on("leaveEdge", () => this.hide());
    s.on("clickNode", ({ node }) => choose({ node: Number(node) }));
    s.on("clickEdge", ({ edge }) => choose({ edge: Number(edge) }));
    s.on("clickStage", () => choose(null));
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
      this.colours = colours();
      s.setSetting("labelColor", { color: this.colours.text });
    });
    this.arrange(5000);
  }

  // fill brings the graph to the data; hosts that it has already keep their places. It returns how many are new to it.
  fill(data) {
    this.data = data;
    const g = this.graph, places = new Map();
    let fresh = 0;
    g.forEachNode((n, a) => places.set(a.name, this.apart?.get(n) ?? [a.x, a.y]));
    g.clear();
    const degree = new Uint32Array(data.nodes.length), low = new Uint32Array(data.nodes.length), into = new Uint32Array(data.nodes.length);
    for (const e of data.edges) {
      degree[e[0]]++; degree[e[1]]++; into[e[1]]++;
      if (e[5]) { low[e[0]]++; low[e[1]]++; }
    }
    const small = Math.max(0.3, Math.min(1, Math.sqrt(600 / data.nodes.length)));
    data.nodes.forEach((name, i) => {
      const angle = i * 2.399963, r = Math.sqrt(i + 1); // a sunflower: even, and the same each time
      if (!places.has(name)) fresh++;
      const [x, y] = places.get(name) ?? [r * Math.cos(angle), r * Math.sin(angle)];
      g.addNode(String(i), { name, label: name, x, y, size: small * Math.min(2.5 + 0.7 * Math.sqrt(degree[i]), 10), low: low[i], degree: degree[i], into: into[i] });
    });
    // The more there are, the thinner: a few stand out, hundreds shall not paint the rest over.
    const lowest = new Set(data.lowest.slice(0, lowestThick));
    this.manyLow = low.reduce((sum, n) => sum + n, 0) / 2 > 2 * lowestThick;
    const thick = Math.max(1.2, Math.min(3, 30 / Math.sqrt(1 + low.reduce((sum, n) => sum + n, 0) / 2)));
    data.edges.forEach((e, i) => {
      if (e[0] === e[1]) return; // a host that logs in to itself has no line
      g.addEdgeWithKey(String(i), String(e[0]), String(e[1]), { low: !!e[5], lowest: lowest.has(i), size: e[5] ? thick : 0.8, weight: e[5] ? 0.1 : 1 });
    });
    return fresh;
  }

  update(data) {
    this.hide();
    this.hovered = null;
    this.chosen = this.chosenEdge = this.centre = null; // numbers of the older data
    const before = this.data.nodes.length;
    const fresh = this.fill(data);
    if (this.lowOnly) {
      this.apart = null; // fill has put all hosts where they stood
      this.arrangeLow();
    } else if (fresh > 0 || data.nodes.length !== before) this.arrange(2000);
  }

  // arrangeLow puts the hosts with low scores in columns, and remembers where all hosts stood.
  arrangeLow() {
    clearTimeout(this.timer);
    this.layout?.stop();
    this.settled = true;
    const width = Math.max(0.4, this.container.clientWidth / Math.max(1, this.container.clientHeight));
    const places = lowLayout(this.data.edges.filter((e) => e[5]), width);
    this.columnsWidth = width; // in heights
    this.apart ??= new Map(this.graph.mapNodes((n, a) => [n, [a.x, a.y]]));
    this.sides = new Map();
    for (const [n, p] of places) {
      this.graph.mergeNodeAttributes(String(n), { x: p.x, y: p.y });
      this.sides.set(String(n), p.side);
    }
    // The others are hidden, and shall not stretch the picture.
    this.graph.forEachNode((n) => { if (!this.sides.has(n)) this.graph.mergeNodeAttributes(n, { x: width / 2, y: 0.5 }); });
    this.sigma.setCustomBBox({ x: [0, width], y: [0, 1] });
    this.sigma.setSetting("labelDensity", columnDensity);
    this.sigma.refresh();
  }

  // arrange lets the layout run in a worker for some milliseconds.
  arrange(ms) {
    const n = this.graph.order;
    if (n < 2) return;
    clearTimeout(this.timer);
    this.layout?.kill();
    const settings = { ...layout.inferSettings(this.graph), barnesHutOptimize: n > 500, scalingRatio: 20, gravity: 0.6, edgeWeightInfluence: 1 };
    this.settled = false;
    try {
      this.layout = new LayoutWorker(this.graph, { settings, getEdgeWeight: "weight" });
      this.layout.start();
      this.timer = setTimeout(() => { this.layout.stop(); this.settled = true; }, ms);
    } catch { // no workers here: a few rounds at once
      this.layout = null;
      layout.assign(this.graph, { iterations: n > 2000 ? 30 : 150, settings });
      this.settled = true;
    }
  }

  node(n, a) {
    const c = this.colours;
    const r = { ...a, color: a.low ? c.text : c.node, zIndex: a.low ? 2 : 1 };
    r.rank = a.low;
    if (this.lowOnly) {
      r.hidden = !a.low || !this.sides?.has(n);
      r.side = this.sides?.get(n);
      r.size = Math.min(2 + Math.sqrt(a.low), 6);
    }
    const near = this.hovered !== null && n !== this.hovered && this.graph.areNeighbors(n, this.hovered);
    if (this.chosen?.has(n) || n === this.hovered || (near && this.graph.degree(this.hovered) <= 40)) { r.forceLabel = true; r.zIndex = 3; }
    else if (this.chosen) { r.color = c.faint; r.label = null; r.zIndex = 0; r.size *= 0.5; } // sigma draws lines below hosts
    return r;
  }

  edge(e, a) {
    const c = this.colours;
    const r = { ...a, color: a.low ? c.low : c.edge, zIndex: a.low ? 2 : 1 };
    if (this.lowOnly) {
      r.hidden = !a.low;
      if (this.manyLow && !a.lowest && !this.chosen) { r.size = 0.7; r.color = c.lowSoft; }
    }
    if (this.chosenEdge === e) r.size = 4;
    else if (this.chosenEdge !== null) r.hidden = true;
    else if (this.chosen && !this.graph.hasExtremity(e, this.centre)) r.hidden = true;
    return r;
  }

  // choose brings a node with its neighbours, or an edge with its ends, to the fore.
  // With stay the camera stays where it is.
  choose(what, stay) {
    this.chosen = this.chosenEdge = this.centre = null;
    if (what?.node !== undefined) {
      this.centre = String(what.node);
      this.chosen = new Set([this.centre, ...this.graph.neighbors(this.centre).slice(0, 60)]);
    } else if (what?.edge !== undefined) {
      const e = this.data.edges[what.edge];
      this.chosenEdge = String(what.edge);
      this.chosen = new Set([String(e[0]), String(e[1])]);
    }
    this.sigma.refresh({ skipIndexation: true });
    if (!this.chosen || stay) return;
    if (this.lowOnly) { this.reset(); return; } // both columns in sight
    const ends = [...(this.centre ? [this.centre] : this.chosen)].map((n) => this.sigma.getNodeDisplayData(n));
    const x = ends.reduce((sum, d) => sum + d.x, 0) / ends.length, y = ends.reduce((sum, d) => sum + d.y, 0) / ends.length;
    const apart = ends.length > 1 ? Math.hypot(ends[0].x - ends[1].x, ends[0].y - ends[1].y) : 0;
    this.move({ x, y, ratio: Math.min(1, Math.max(0.25, apart * 1.6)) });
  }

  move(state) {
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) this.sigma.getCamera().setState(state);
    else this.sigma.getCamera().animate(state, { duration: 350 }, () => this.sigma.scheduleRender()); // where it stood there already, too
  }

  zoom(factor) { this.move({ ratio: this.sigma.getCamera().getBoundedRatio(this.sigma.getCamera().ratio * factor) }); }
  pan(dx, dy) { const c = this.sigma.getCamera(); this.move({ x: c.x + dx * c.ratio * 0.15, y: c.y + dy * c.ratio * 0.15 }); }
  reset() { this.move({ x: 0.5, y: 0.5, ratio: 1, angle: 0 }); }

  resized() { if (this.lowOnly) this.arrangeLow(); }

  onlyLow(on) {
    if (on === this.lowOnly) return;
    this.lowOnly = on;
    if (on) this.arrangeLow();
    else {
      this.graph.forEachNode((n) => { const [x, y] = this.apart.get(n); this.graph.mergeNodeAttributes(n, { x, y }); });
      this.apart = this.sides = null;
      this.sigma.setCustomBBox(null);
      this.sigma.setSetting("labelDensity", density);
      this.sigma.refresh();
      this.arrange(2000); // what came meanwhile has no place yet
    }
    this.reset();
  }

  nodeText(n) {
    const a = this.graph.getNodeAttributes(n);
    return [a.name, `${number(a.degree - a.into)} connections out, ${number(a.into)} in${a.low ? `; ${number(a.low)} with a low score` : ""}`];
  }

  edgeText(i) {
    const e = this.data.edges[i], reason = this.data.reasons[e[6]];
    return [`${this.data.nodes[e[0]]} → ${this.data.nodes[e[1]]}`,
      `${this.data.relations[e[2]] || "no relation"}; score ${scoreText(e[4])}${e[5] ? ", low" : ""}${reason ? ` (${reason.replaceAll("_", " ")})` : ""}; ${number(e[3])}×`];
  }

  show(event, title, text) {
    this.container.classList.add("over");
    this.tip.replaceChildren(element("b", {}, title), text);
    this.tip.hidden = false;
    const box = this.container.getBoundingClientRect(), w = this.tip.offsetWidth, h = this.tip.offsetHeight;
    this.tip.style.left = `${Math.max(4, Math.min(event.x + 14, box.width - w - 4))}px`;
    this.tip.style.top = `${event.y + 14 + h > box.height ? Math.max(4, event.y - h - 10) : event.y + 14}px`;
  }

  hide() { this.container.classList.remove("over"); this.tip.hidden = true; }
}
