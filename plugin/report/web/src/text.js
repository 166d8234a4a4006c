// Words, numbers and elements. Names come from the network: they only ever become text nodes.
export function element(tag, attributes, ...children) {
  const e = document.createElement(tag);
  for (const [k, v] of Object.entries(attributes)) if (v) e.setAttribute(k, v);
  e.append(...children);
  return e;
}

export const number = (n) => n.toLocaleString("en-US");
export const scoreText = (s) => (s === null ? "–" : s.toFixed(s < 0.001 && s > 0 ? 5 : 3));
export const timeText = (ms) => new Date(ms).toISOString().slice(0, 16).replace("T", " ");
