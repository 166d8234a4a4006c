// Where hosts stand while only low scores are shown: sources on the left, destinations on the right, hosts that are both, as
// in a move from host to host, between them. Lines of one story lie together, and a host has as much room as it has lines.
const rounds = 12; // of sorting each column by the places of its neighbours

// lowLayout returns the places of hosts with low scores, x from 0 to width and y from 0 to 1, by the host's number.
// edges are pairs of hosts.
export function lowLayout(edges, width) {
  const out = new Map(), into = new Map();
  const push = (map, from, to) => { if (!map.has(from)) map.set(from, []); map.get(from).push(to); };
  for (const [s, d] of edges) if (s !== d) { push(out, s, d); push(into, d, s); }
  const columns = [[], [], []];
  for (const n of new Set([...out.keys(), ...into.keys()])) columns[out.has(n) ? (into.has(n) ? 1 : 0) : 2].push(n);
  const neighbours = (n) => [...(out.get(n) ?? []), ...(into.get(n) ?? [])];
  const room = (n) => 1 + Math.sqrt(neighbours(n).length);

  // Stories apart: hosts that no line joins to others keep to themselves, the largest first.
  const story = new Map();
  const sizes = [];
  for (const first of [...columns[0], ...columns[1], ...columns[2]]) {
    if (story.has(first)) continue;
    const number = sizes.push(0) - 1, open = [first];
    story.set(first, number);
    for (let n; (n = open.pop()) !== undefined;) {
      for (const m of neighbours(n)) { sizes[number]++; if (!story.has(m)) { story.set(m, number); open.push(m); } }
    }
  }
  const y = new Map();
  const spread = (column) => {
    const all = column.reduce((sum, n) => sum + room(n), 0);
    let at = 0;
    for (const n of column) { y.set(n, 1 - (at + room(n) / 2) / all); at += room(n); }
  };
  const sort = (column, key) => {
    const keys = new Map(column.map((n) => [n, key(n)]));
    column.sort((a, b) => sizes[story.get(b)] - sizes[story.get(a)] || story.get(a) - story.get(b) || keys.get(b) - keys.get(a) || a - b);
    spread(column);
  };
  for (const c of columns) sort(c, (n) => neighbours(n).length);
  for (let i = 0; i < rounds; i++) {
    for (const c of i % 2 ? columns : [...columns].reverse()) {
      sort(c, (n) => { const near = neighbours(n); return near.reduce((sum, m) => sum + y.get(m), 0) / near.length; });
    }
  }
  const places = new Map();
  columns.forEach((column, c) => column.forEach((n, i) => {
    const aside = c === 1 ? (i % 2 ? 0.05 : -0.05) : 0; // lines between hosts of the middle shall be seen
    places.set(n, { x: width * ([0.24, 0.5, 0.76][c] + aside), y: y.get(n), side: c === 0 ? -1 : 1 });
  }));
  return places;
}
