// The page: a graph of who talks to whom, the lowest scores beside it, two charts below.
// Its data is the JSON in #data; a live filter serves newer data at graph.json.
import { charts, onResize } from "./charts.js";
import { Picture } from "./picture.js";
import { element, number, scoreText, timeText } from "./text.js";

const $ = (id) => document.getElementById(id);
let data = JSON.parse($("data").textContent);
let picture = null;
let byName = new Map();

function figures() {
  const list = [
    [number(data.records), data.records === 1 ? "session" : "sessions"],
    [number(data.scored), "scored"],
    [number(data.low), "with a low score", "low"],
    [number(data.nodes.length), "hosts"],
    [number(data.edges.length), data.omitted ? `connections drawn, ${number(data.omitted)} left out` : "connections"],
  ];
  $("figures").replaceChildren(...list.map(([n, what, kind]) => element("li", { class: kind }, element("b", {}, n), what)));
  $("period").textContent = data.from ? `${timeText(data.from)} to ${timeText(data.to)}, UTC` : "";
}

const edgeTitle = (e) => `${data.nodes[e[0]]} → ${data.nodes[e[1]]}`;

function edgeRow(i, place) {
  const e = data.edges[i];
  const button = element("button", { type: "button", "aria-pressed": "false", "data-edge": String(i) },
    element("span", { class: "score" }, scoreText(e[4])),
    element("span", { class: "pair" }, edgeTitle(e)),
    element("span", { class: "more" },
      data.reasons[e[6]] ? element("span", { class: "reason" }, data.reasons[e[6]].replaceAll("_", " ")) : "",
      [data.relations[e[2]], e[3] === 1 ? "once" : `${number(e[3])} times`].filter(Boolean).join(" · "),
      e[7] ? element("span", { class: "when" }, timeText(e[7])) : "",
      data.evidence[place] ? element("span", { class: "evidence" }, data.evidence[place]) : ""));
  button.addEventListener("click", () => choose({ edge: i }));
  return element("li", { class: e[5] ? "islow" : "" }, button);
}

function lowest() {
  const list = $("lowest");
  if (!data.lowest.length) {
    const why = data.records === 0 ? "No sessions yet." : data.scored > 0 ? "No session had a low score so far." : "No session has a score yet: the filter adds numbers after its first training.";
    list.replaceChildren(element("li", { class: "more" }, element("p", { class: "search" }, why)));
    return;
  }
  list.replaceChildren(...data.lowest.map(edgeRow));
}

// choose shows a host or a connection: in the picture, in the list, and in words.
function choose(what) {
  for (const b of document.querySelectorAll("#lowest button")) b.setAttribute("aria-pressed", String(what?.edge === Number(b.dataset.edge)));
  const box = $("chosen");
  box.hidden = !what;
  picture?.choose(what);
  if (!what) return;
  if (what.edge !== undefined) {
    const e = data.edges[what.edge];
    $("chosenName").textContent = edgeTitle(e);
    const verdict = e[4] === null ? "no score yet" : `score ${scoreText(e[4])}${e[5] ? ", low" : ""}`;
    const last = e[7] ? `, last ${timeText(e[7])}` : "";
    $("chosenText").textContent = `${data.relations[e[2]] || "no relation"}; ${verdict}; seen ${e[3] === 1 ? "once" : number(e[3]) + " times"}${last}`;
  } else {
    let out = 0, into = 0, low = 0;
    for (const e of data.edges) {
      if (e[0] === what.node) out++;
      if (e[1] === what.node) into++;
      if (e[5] && (e[0] === what.node || e[1] === what.node)) low++;
    }
    $("chosenName").textContent = data.nodes[what.node];
    $("chosenText").textContent = `${number(out)} connections out, ${number(into)} in, ${number(low)} of them with a low score`;
  }
}

function search() {
  const input = $("search"), list = $("found");
  let at = -1, hits = [];
  const show = () => {
    const wanted = input.value.trim().toLowerCase();
    at = -1;
    hits = [];
    if (wanted) {
      for (let i = 0; i < data.nodes.length && hits.length < 50; i++) if (data.nodes[i].toLowerCase().includes(wanted)) hits.push(i);
    }
    list.hidden = !wanted;
    input.setAttribute("aria-expanded", String(!!wanted));
    input.removeAttribute("aria-activedescendant");
    list.replaceChildren(...(hits.length ? hits.map((n, i) => {
      const o = element("li", { role: "option", id: `found${i}`, "aria-selected": "false" }, data.nodes[n]);
      o.addEventListener("mousedown", (ev) => { ev.preventDefault(); take(i); });
      return o;
    }) : [element("li", { class: "none" }, "no host of that name is drawn")]));
  };
  const mark = (i) => {
    at = (i + hits.length) % hits.length;
    [...list.children].forEach((c, j) => c.setAttribute("aria-selected", String(j === at)));
    list.children[at].scrollIntoView({ block: "nearest" });
    input.setAttribute("aria-activedescendant", `found${at}`);
  };
  const take = (i) => {
    if (hits[i] === undefined) return;
    choose({ node: hits[i] });
    input.value = data.nodes[hits[i]];
    list.hidden = true;
    input.setAttribute("aria-expanded", "false");
  };
  input.addEventListener("input", show);
  input.addEventListener("blur", () => { list.hidden = true; });
  input.addEventListener("keydown", (ev) => {
    if (ev.key === "ArrowDown" && hits.length) { ev.preventDefault(); mark(at + 1); }
    else if (ev.key === "ArrowUp" && hits.length) { ev.preventDefault(); mark(at - 1); }
    else if (ev.key === "Enter") { ev.preventDefault(); take(Math.max(at, 0)); }
    else if (ev.key === "Escape") { input.value = ""; show(); choose(null); }
  });
}

function draw() {
  figures();
  lowest();
  charts($("histogram"), $("timeline"), data);
  $("thresholdNote").textContent = data.threshold === null ? "" : `low below ${data.live ? "" : "about "}${scoreText(data.threshold)}`;
  byName = new Map(data.nodes.map((n, i) => [n, i]));
  const says = $("says");
  says.hidden = data.edges.length > 0;
  says.textContent = data.edges.length ? "" : "Nothing to draw: no session with a source and a destination.";
  try {
    if (picture) picture.update(data);
    else if (data.edges.length) picture = new Picture($("canvas"), $("tip"), data, choose);
  } catch (err) {
    says.hidden = false;
    says.textContent = "This browser cannot draw the graph (it has no WebGL). The list and the charts are complete without it.";
    console.warn(err.message);
  }
}

search();
onResize(() => charts($("histogram"), $("timeline"), data));
draw();
$("close").addEventListener("click", () => choose(null));
$("onlyLow").addEventListener("change", (ev) => picture?.onlyLow(ev.target.checked));
$("zoomIn").addEventListener("click", () => picture?.zoom(1 / 1.6));
$("zoomOut").addEventListener("click", () => picture?.zoom(1.6));
$("reset").addEventListener("click", () => picture?.reset());
document.addEventListener("keydown", (ev) => {
  if (ev.target.matches("input")) return;
  if (ev.key === "/") { ev.preventDefault(); $("search").focus(); }
  if (ev.key === "Escape") choose(null);
});
$("canvas").addEventListener("keydown", (ev) => {
  const act = {
    "+": () => picture?.zoom(1 / 1.6), "=": () => picture?.zoom(1 / 1.6), "-": () => picture?.zoom(1.6), 0: () => picture?.reset(),
    ArrowLeft: () => picture?.pan(-1, 0), ArrowRight: () => picture?.pan(1, 0), ArrowUp: () => picture?.pan(0, 1), ArrowDown: () => picture?.pan(0, -1),
  }[ev.key];
  if (act) { ev.preventDefault(); act(); }
});

// A live page asks for newer data while somebody looks at it.
if (data.live) {
  setInterval(async () => {
    if (document.hidden) return;
    try {
      const answer = await fetch("graph.json", { cache: "no-store" });
      if (!answer.ok) throw new Error(`status ${answer.status}`);
      data = await answer.json();
      choose(null);
      draw();
      $("state").textContent = "live";
    } catch (err) {
      $("state").textContent = `the filter does not answer (${err.message}); this is what it said last`;
    }
  }, 15000);
}

// For the tests.
window.rgcn = { get picture() { return picture; }, get data() { return data; }, get byName() { return byName; } };
