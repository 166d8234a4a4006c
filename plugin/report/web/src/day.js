// A day of a host: its sessions with a low score one by one, and the other connections it had.
import { element, number, scoreText, timeText } from "./text.js";

const length = 24 * 3600 * 1000; // milliseconds
const most = 100; // rows

// dayOf gathers the 24 hours up to the host's last session, or around a time that lies before them. end is 0 for what it did as a
// source, 1 for what came to it.
export function dayOf(data, node, end, around) {
  const its = (e) => e[end] === node;
  let last = 0;
  for (const e of data.edges) if (its(e)) last = Math.max(last, e[7]);
  const to = around && around <= last - length ? around + length / 2 : last;
  const from = to - length, then = (time) => time > Math.max(from, 0) && time <= to, rows = [], listed = new Set();
  for (const [edge, score, time, reason] of data.lows) {
    if (!its(data.edges[edge]) || !then(time)) continue;
    listed.add(edge);
    rows.push({ edge, score, time, low: true, reason: data.reasons[reason], count: 1 });
  }
  for (const [edge, score, time, reason, points, triplets] of data.alerts) {
    if (!its(data.edges[edge]) || !then(time)) continue;
    let row = rows.find((r) => r.edge === edge && r.time === time);
    if (!row) rows.push(row = { edge, score, time, low: false, reason: data.reasons[reason], count: 1 });
    listed.add(edge);
    row.alert = pointsText(points, triplets);
  }
  data.edges.forEach((e, edge) => {
    if (its(e) && then(e[7]) && !listed.has(edge)) rows.push({ edge, score: e[4], time: e[7], low: !!e[5], reason: data.reasons[e[6]], count: e[3] });
  });
  rows.sort((a, b) => b.time - a.time || a.edge - b.edge);
  return { from, to, last: to === last, low: rows.filter((r) => r.low).length, all: rows.length, rows: rows.slice(0, most) };
}

// pointsText is what the odd sessions of a source add up to, "" where that is not known.
export const pointsText = (points, triplets) =>
  (triplets ? `${points.toFixed(1)} points from ${triplets === 1 ? "1 odd triplet" : `${number(triplets)} odd triplets`}` : "");

// timeOf is when a connection last had a low score, or else last came.
export const timeOf = (data, edge) => data.lows.find((low) => low[0] === edge)?.[2] ?? data.edges[edge][7];

// showDay fills the box with a day of a host, the last or the one around a time, and calls choose with the number of a
// connection that is clicked.
export function showDay(box, data, node, around, choose) {
  let end = 0, day = dayOf(data, node, end, around);
  if (!day.all) day = dayOf(data, node, (end = 1), around);
  const other = 1 - end;
  const row = (r) => {
    const e = data.edges[r.edge];
    const button = element("button", { type: "button" },
      element("time", {}, timeText(r.time)),
      element("span", { class: "score" }, scoreText(r.score)),
      element("span", { class: "pair" }, `${other ? "→" : "←"} ${data.nodes[e[other]]}`),
      element("span", { class: "more" }, r.alert === undefined ? "" : element("span", { class: "reason alert", title: r.alert }, end ? "its source is reported" : "source alert"),
        r.reason ? element("span", { class: "reason" }, r.reason.replaceAll("_", " ")) : "",
        [data.relations[e[2]], r.count > 1 ? `${number(r.count)} times` : ""].filter(Boolean).join(" · ")));
    button.addEventListener("click", () => choose(r.edge));
    return element("li", { class: r.low ? "islow" : "" }, button);
  };
  const sessions = day.low === 1 ? "1 session with a low score" : `${number(day.low)} sessions with a low score`;
  const reported = end ? [] : data.alerts.filter((a) => data.edges[a[0]][0] === node && a[2] > day.from && a[2] <= day.to);
  const points = reported.map((a) => [`Reported at ${timeText(a[2])}`, pointsText(a[4], a[5])].filter(Boolean).join(", with ")).join("; ");
  box.replaceChildren(
    element("h3", {}, `The ${day.last ? "last " : ""}day of ${end ? "sessions to " : ""}`, element("bdi", {}, data.nodes[node])),
    element("p", {}, day.all
      ? `${timeText(day.from)} to ${timeText(day.to)}: ${sessions}; other connections that came last then, with their lowest score where it is known.`
      : "No session of it has a time."),
    points ? element("p", { class: "reported" }, `${points}.`) : "",
    element("ol", { class: "day" }, ...day.rows.map(row)),
    day.all > day.rows.length ? element("p", {}, `${number(day.all - day.rows.length)} more are not listed`) : "");
}
