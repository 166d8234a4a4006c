// Names in the picture: as many as fit without lying on one another, those that matter first.

// A name is cut to so many characters, in a narrow picture to half; the tip and the list have all of it.
const longest = 32, narrow = 600; // pixels

function short(name, width) {
  const letters = [...name], most = width < narrow ? longest / 2 : longest;
  return letters.length > most ? `${letters.slice(0, most - 1).join("")}…` : name;
}

export class Labels {
  constructor() { this.waiting = []; }

  // begin forgets what was offered and never placed: sigma renders once before anybody can listen for the end of that.
  begin() { this.waiting = []; }

  // add takes a name that sigma would draw, until place is called.
  add(context, data, settings) {
    if (data.label) this.waiting.push({ context, data, settings });
  }

  // place draws what fits. A host's side says where its name goes: -1 left, 1 right, 0 wherever there is room.
  place(text, halo, width) {
    const list = this.waiting, taken = [];
    this.waiting = [];
    const weight = ({ data }) => (data.forceLabel ? 1e6 : 0) + (data.rank ?? 0) * 100 + data.size;
    list.sort((a, b) => weight(b) - weight(a));
    for (const { context, data, settings } of list) {
      const high = settings.labelSize;
      context.font = `${settings.labelWeight} ${high}px ${settings.labelFont}`;
      const name = short(data.label, width), wide = context.measureText(name).width;
      const sides = data.side ? [data.side] : [1, -1];
      for (const side of sides) {
        const x = side > 0 ? data.x + data.size + 4 : data.x - data.size - 4 - wide;
        const box = { left: x - 2, right: x + wide + 2, top: data.y - high / 2 - 1, bottom: data.y + high / 2 + 2, name: data.label };
        const out = box.left < 0 || box.right > width;
        if ((out && !data.forceLabel) || taken.some((t) => t.left < box.right && box.left < t.right && t.top < box.bottom && box.top < t.bottom)) continue;
        taken.push(box);
        const at = Math.max(2, Math.min(x, width - wide - 2));
        context.lineJoin = "round";
        context.lineWidth = 3;
        context.strokeStyle = halo;
        context.strokeText(name, at, data.y + high / 3);
        context.fillStyle = text;
        context.fillText(name, at, data.y + high / 3);
        break;
      }
    }
    this.drawn = taken; // for the tests
  }
}
