// Names on a map: groups of neighbouring cells in which most points have one name.
import { state, token } from "../../core/html/base.js";

const SIDE = 36; // cells along a side of the map
const SHARE = 0.5; // of the points of a cell that have its name, at least
const LEAST = 0.004; // share of all points that a named group has, at least
const FEWEST = 4; // points of a named group
const MOST = 28; // names
const PLACES = 2; // of one name, at most

// Groups { name, x, y, many }, the largest first. nameOf(i): place of the name of point i in `names`; -1 for points that are
// hidden or without a name. box: [x, y, side] of the square of all points.
export function clusters(xs, ys, nameOf, names, [x0, y0, side]) {
  const step = Math.max(side, 1e-12) / SIDE, at = (v, low) => Math.min(SIDE - 1, Math.max(0, Math.floor((v - low) / step)));
  const counts = Array.from({ length: SIDE * SIDE }, () => null), totals = new Uint32Array(SIDE * SIDE);
  let all = 0;
  for (let i = 0; i < xs.length; i++) {
    const name = nameOf(i);
    if (name < 0) continue;
    const cell = at(ys[i], y0) * SIDE + at(xs[i], x0);
    totals[cell]++;
    (counts[cell] ??= new Uint32Array(names.length))[name]++;
    all++;
  }
  const leader = counts.map((many, cell) => { // the name of each cell; -1 for none
    if (!many) return -1;
    let best = 0;
    many.forEach((n, name) => { if (n > many[best]) best = name; });
    return many[best] >= SHARE * totals[cell] ? best : -1;
  });
  const groups = [], seen = new Uint8Array(SIDE * SIDE), least = Math.max(FEWEST, LEAST * all);
  for (let start = 0; start < leader.length; start++) {
    if (seen[start] || leader[start] < 0) continue;
    const cells = neighbours(start, leader, seen), name = leader[start], many = cells.reduce((sum, cell) => sum + counts[cell][name], 0);
    if (many < least) continue;
    const peak = cells.reduce((best, cell) => (counts[cell][name] > counts[best][name] ? cell : best));
    groups.push({ name: names[name] || "(none)", many, x: x0 + ((peak % SIDE) + 0.5) * step, y: y0 + (Math.floor(peak / SIDE) + 0.5) * step });
  }
  groups.sort((a, b) => b.many - a.many);
  const chosen = groups.filter(({ name }, n) => groups.slice(0, n).filter((other) => other.name === name).length < PLACES).slice(0, MOST);
  state.named = chosen.map(({ name }) => name).join(", ");
  return chosen;
}
function neighbours(start, leader, seen) { // the connected cells of one name
  const cells = [start];
  seen[start] = 1;
  for (const here of cells) {
    const cx = here % SIDE, cy = Math.floor(here / SIDE);
    for (let y = Math.max(0, cy - 1); y <= Math.min(SIDE - 1, cy + 1); y++) {
      for (let x = Math.max(0, cx - 1); x <= Math.min(SIDE - 1, cx + 1); x++) {
        const cell = y * SIDE + x;
        if (!seen[cell] && leader[cell] === leader[start]) { seen[cell] = 1; cells.push(cell); }
      }
    }
  }
  return cells;
}
// Writes the names over the markers, the largest groups first; one that would cover another is left out. `place` gives the
// pixels of a position.
export function paintClusters(g, groups, place, { width, height }) {
  const taken = [];
  Object.assign(g, { font: "600 12px system-ui, sans-serif", textAlign: "center", lineJoin: "round", lineWidth: 4, strokeStyle: token("--bg"), fillStyle: token("--text") });
  for (const { name, x, y } of groups) {
    const text = name.replaceAll("_", " "), half = g.measureText(text).width / 2 + 3, [px, middle] = place(x, y), py = middle - 12;
    if (px < half || px > width - half || py < 44 || py > height - 28) continue; // not under the buttons and hints
    if (taken.some(([a, b, w]) => Math.abs(a - px) < w + half && Math.abs(b - py) < 16)) continue;
    taken.push([px, py, half]);
    g.globalAlpha = 0.85;
    g.strokeText(text, px, py);
    g.globalAlpha = 1;
    g.fillText(text, px, py);
  }
  g.textAlign = "left";
}
