// The page: a graph of who talks to whom, the lowest scores beside it, two charts below.
// Its data is the JSON in #data; a live filter serves newer data at graph.json.
import { charts, onResize } from "./charts.js";
import { pointsText, showDay, timeOf } from "./day.js";
import { Picture } from "./picture.js";
import { element, number, scoreText, timeText } from "./text.js";

const $ = (id) => document.getElementById(id);
let data = JSON.parse($("data").textContent);
let picture = null;
let byName = new Map();
let chosen = null; // { node } or { edge }, numbers in data; a node may have a time, around which its day is shown

function figures() {
  const list = [
    [number(data.records), data.records === 1 ? "session" : "sessions"],
    [number(data.scored), "scored"],
    [number(data.low), "with a low score", "low"],
    ...(data.reported ? [[number(data.reported), data.reported === 1 ? "source alert" : "source alerts", "low"]] : []),
    [number(data.nodes.length), "hosts"],
    [number(data.edges.length), data.omitted ? `connections drawn, ${number(data.omitted)} left out` : "connections"],
  ];
  $("figures").replaceChildren(...list.map(([n, what, kind]) => element("li", { class: kind }, element("b", {}, n), what)));
  $("period").textContent = data.from ? `${timeText(data.from)} to ${timeText(data.to)}, UTC` : "";
}

// sinceStart is since when a live filter counts and lists, as the end of a sentence. Its graph may be older.
const sinceStart = () => (data.live && data.since ? ` since the filter started at ${timeText(data.since)} UTC` : "");

// say changes what an element says only if that is another text: screen readers read each change aloud.
function say(e, text) {
  if (e.textContent !== text) e.textContent = text;
}

// health shows what a live filter says of itself.
function health() {
  if (!data.live) return;
  say($("since"), data.since ? `counted since ${timeText(data.since)} UTC` : "");
  say($("state"), data.state ? `live, ${data.state}` : "live");
  const box = $("problem");
  box.hidden = !data.problem;
  box.className = `problem ${data.state}`;
  say(box, data.problem);
}

// noLows says why no session is listed.
function noLows() {
  const see = data.problem && data.state !== "scoring" ? ": see above" : ""; // else the problem is another one
  if (data.records === 0) return data.live ? `No session has come${sinceStart()}${see}.` : "No sessions yet.";
  if (data.scored > 0) return data.live ? `No session had a low score${sinceStart()}.` : "No session had a low score.";
  return data.live ? `No session has had a score${sinceStart()}${see}.` : "No session has a score: the filter or rgcn replay adds it.";
}

const edgeTitle = (e) => `${data.nodes[e[0]]} → ${data.nodes[e[1]]}`;

// pair is the title with each name kept to itself, whatever direction its letters run in.
const pair = (e) => [element("bdi", {}, data.nodes[e[0]]), " → ", element("bdi", {}, data.nodes[e[1]])];

// times is how often a connection came. A live filter may have forgotten one that had a low score.
const times = (e) => (e[3] === 0 ? "" : e[3] === 1 ? "once" : `${number(e[3])} times`);

function edgeRow(i, place) {
  const e = data.edges[i];
  const button = element("button", { type: "button", "aria-pressed": "false", "data-edge": String(i) },
    element("span", { class: "score" }, scoreText(e[4])),
    element("span", { class: "pair", title: edgeTitle(e) }, ...pair(e)),
    element("span", { class: "more" },
      data.reasons[e[6]] ? element("span", { class: "reason" }, data.reasons[e[6]].replaceAll("_", " ")) : "",
      element("span", { class: "relation" }, [data.relations[e[2]], times(e)].filter(Boolean).join(" · ")),
      e[7] ? element("span", { class: "when" }, timeText(e[7])) : "",
      data.evidence[place] ? element("span", { class: "evidence" }, data.evidence[place]) : ""));
  button.addEventListener("click", () => choose({ edge: i }));
  return element("li", { class: e[5] ? "islow" : "" }, button);
}

function lowest() {
  const list = $("lowest");
  if (!data.lowest.length) {
    list.replaceChildren(element("li", { class: "more" }, element("p", { class: "search" }, noLows())));
    return;
  }
  list.replaceChildren(...data.lowest.map(edgeRow));
}

// sources lists the sources that were reported, each at the session with which it was.
function sources() {
  $("reported").hidden = !data.alerts.length;
  $("reportedNote").textContent = data.reported > data.alerts.length ? `the last ${number(data.alerts.length)} of ${number(data.reported)}` : "newest first";
  $("sources").replaceChildren(...data.alerts.map(([edge, score, time, reason, points, triplets]) => {
    const e = data.edges[edge];
    const button = element("button", { type: "button" },
      element("span", { class: "score" }, triplets ? points.toFixed(1) : "–"),
      element("span", { class: "pair" }, element("bdi", {}, data.nodes[e[0]])),
      element("span", { class: "more" },
        data.reasons[reason] ? element("span", { class: "reason" }, data.reasons[reason].replaceAll("_", " ")) : "",
        pointsText(points, triplets).replace(/^\S+ /, ""), element("span", { class: "when" }, timeText(time))));
    button.addEventListener("click", () => choose({ node: e[0], time }));
    return element("li", { class: "islow" }, button);
  }));
}

// choose shows a host or a connection: in the picture, in the list, and in words with the day of the host or of the source.
// Where stay is true the picture is not moved.
function choose(what, stay) {
  chosen = what;
  for (const b of document.querySelectorAll("#lowest button")) b.setAttribute("aria-pressed", String(what?.edge === Number(b.dataset.edge)));
  const box = $("chosen");
  box.hidden = !what;
  picture?.choose(what, stay);
  if (!what) return;
  let node = what.node;
  if (what.edge !== undefined) {
    const e = data.edges[what.edge], place = data.lowest.indexOf(what.edge);
    node = e[0];
    $("chosenName").replaceChildren(...pair(e));
    const verdict = e[4] === null ? "no score kept" : `score ${scoreText(e[4])}${e[5] ? ", low" : ""}`;
    const why = data.reasons[e[6]] ? ` (${data.reasons[e[6]].replaceAll("_", " ")})` : "";
    const last = e[7] ? `last ${timeText(e[7])}` : "";
    const evidence = place >= 0 ? data.evidence[place] : "";
    $("chosenText").textContent = [data.relations[e[2]] || "no relation", verdict + why, times(e) && `seen ${times(e)}`, last, evidence].filter(Boolean).join("; ");
  } else {
    let out = 0, into = 0, low = 0;
    for (const e of data.edges) {
      if (e[0] === node) out++;
      if (e[1] === node) into++;
      if (e[5] && (e[0] === node || e[1] === node)) low++;
    }
    $("chosenName").replaceChildren(element("bdi", {}, data.nodes[node]));
    $("chosenText").textContent = `${number(out)} connections out, ${number(into)} in, ${number(low)} of them with a low score`;
  }
  showDay($("day"), data, node, what.edge === undefined ? what.time ?? 0 : timeOf(data, what.edge), (edge) => choose({ edge }));
  if (!stay && !$("side").matches(":hover")) box.scrollIntoView?.({ block: "nearest" });
}

// keep remembers what is chosen and where the keyboard is, by names, and returns a function that finds both in newer data.
function keep() {
  const key = (e) => JSON.stringify([data.nodes[e[0]], data.relations[e[2]], data.nodes[e[1]]]);
  const node = chosen?.node !== undefined ? data.nodes[chosen.node] : undefined, time = chosen?.time;
  const edge = chosen?.edge !== undefined ? key(data.edges[chosen.edge]) : undefined;
  const focused = document.activeElement?.dataset?.edge, focus = focused !== undefined ? key(data.edges[focused]) : undefined;
  return () => {
    const find = (wanted) => (wanted === undefined ? -1 : data.edges.findIndex((e) => key(e) === wanted));
    const n = node === undefined ? undefined : byName.get(node), e = find(edge);
    choose(n !== undefined ? { node: n, time } : e >= 0 ? { edge: e } : null, true);
    document.querySelector(`#lowest button[data-edge="${find(focus)}"]`)?.focus({ preventScroll: true });
  };
}

function search() {
  const input = $("search"), list = $("found");
  let at = -1, hits = []; // names: newer data may number them otherwise
  const show = () => {
    const wanted = input.value.trim().toLowerCase();
    at = -1;
    hits = [];
    if (wanted) {
      for (let i = 0; i < data.nodes.length && hits.length < 50; i++) if (data.nodes[i].toLowerCase().includes(wanted)) hits.push(data.nodes[i]);
    }
    list.hidden = !wanted;
    input.setAttribute("aria-expanded", String(!!wanted));
    input.removeAttribute("aria-activedescendant");
    list.replaceChildren(...(hits.length ? hits.map((name, i) => {
      const o = element("li", { role: "option", id: `found${i}`, "aria-selected": "false" }, name);
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
    const node = byName.get(hits[i]);
    if (node === undefined) return;
    choose({ node });
    input.value = hits[i];
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

// lowView says how to read the picture where only low scores are asked for, and where there are none.
function lowView() {
  $("lowNote").hidden = !$("onlyLow").checked;
  if (!data.edges.length) return;
  const none = $("onlyLow").checked && !data.edges.some((e) => e[5]);
  $("says").hidden = !none;
  $("says").textContent = none ? `No session had a low score${sinceStart()}.` : "";
}

function draw() {
  figures();
  health();
  lowest();
  sources();
  charts($("histogram"), $("timeline"), data);
  $("thresholdNote").textContent = data.threshold === null ? "" : `low below ${data.live ? "" : "about "}${scoreText(data.threshold)}`;
  byName = new Map(data.nodes.map((n, i) => [n, i]));
  const says = $("says");
  says.hidden = data.edges.length > 0;
  says.textContent = data.edges.length ? "" : "Nothing to draw: no session with a source and a destination.";
  lowView();
  try {
    if (picture) picture.update(data);
    else if (data.edges.length) {
      picture = new Picture($("canvas"), $("tip"), data, choose);
      if ($("onlyLow").checked) picture.onlyLow(true);
    }
  } catch (err) {
    says.hidden = false;
    says.textContent = "This browser cannot draw the graph (it has no WebGL). The list and the charts are complete without it.";
    console.warn(err.message);
  }
}

search();
onResize(() => {
  charts($("histogram"), $("timeline"), data);
  picture?.resized();
});
draw();
$("close").addEventListener("click", () => choose(null));
$("onlyLow").addEventListener("change", (ev) => { picture?.onlyLow(ev.target.checked); lowView(); });
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

// refresh shows newer data; what is chosen stays chosen.
function refresh(newer) {
  const again = keep();
  data = newer;
  draw();
  again();
}

// A live page asks for newer data while somebody looks at it.
if (data.live) {
  setInterval(async () => {
    if (document.hidden) return;
    try {
      const answer = await fetch("graph.json", { cache: "no-store" });
      if (!answer.ok) throw new Error(`status ${answer.status}`);
      refresh(await answer.json());
    } catch (err) {
      say($("state"), `the filter does not answer (${err.message}); this is what it said last`);
    }
  }, 15000);
}

// For the tests.
window.rgcn = { get picture() { return picture; }, get data() { return data; }, get byName() { return byName; }, choose, refresh };
