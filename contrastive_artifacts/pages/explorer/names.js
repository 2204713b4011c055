// Names on the map: where rows of one name lie together, by the column that colours the map.
import { state, token } from "../../core/html/base.js";
import { columns, points } from "./columns.js";
import { filtered, shown } from "./filter.js";
import { count, page } from "./page.js";
import { grid, screenX, screenY, size } from "./view.js";

const SIDE = 36; // cells along a side of the map
const SHARE = 0.5; // of the rows of a cell that have its name, at least
const LEAST = 0.004; // share of the shown rows that a named group has, at least
const MOST = 28; // names
const TWICE = 2; // places of one name, at most

let names = null; // { name, x, y, many }, the largest group first; null until they are needed
filtered.on(() => { names = null; });
export function forgetNames() { names = null; }

// Groups of neighbouring cells in which most rows have one name.
function findNames() {
  const column = columns.get(page.colour);
  if (column?.kind !== "category" || !column.data || column.rest.length > column.listed.length) return [];
  const { data, parts, hidden, listed } = column, most = Math.max(grid.side * grid.cell, 1e-9), step = most / SIDE, [x0, y0] = grid.box;
  const rank = new Map(listed.map((place, n) => [place, n])), first = parts.map((places) => rank.get(places.find((place) => !hidden.has(column.names[place])) ?? places[0]) ?? -1);
  const counts = Array.from({ length: SIDE * SIDE }, () => null), totals = new Uint32Array(SIDE * SIDE);
  for (let row = 0; row < count; row++) {
    if (!shown[row]) continue;
    const cell = Math.min(SIDE - 1, Math.floor((points.y[row] - y0) / step)) * SIDE + Math.min(SIDE - 1, Math.floor((points.x[row] - x0) / step)), name = first[data[row]] ?? -1;
    totals[cell]++;
    if (name >= 0) (counts[cell] ??= new Uint32Array(listed.length))[name]++;
  }
  const leader = counts.map((many, cell) => { // the name of each cell; -1 for none
    if (!many) return -1;
    const best = many.indexOf(Math.max(...many));
    return many[best] >= SHARE * totals[cell] ? best : -1;
  });
  const groups = [], seen = new Uint8Array(SIDE * SIDE), least = Math.max(4, LEAST * page.visible);
  for (let start = 0; start < leader.length; start++) {
    if (seen[start] || leader[start] < 0) continue;
    const cells = [start], name = leader[start];
    seen[start] = 1;
    for (let n = 0; n < cells.length; n++) {
      const cx = cells[n] % SIDE, cy = Math.floor(cells[n] / SIDE);
      for (let y = Math.max(0, cy - 1); y <= Math.min(SIDE - 1, cy + 1); y++) {
        for (let x = Math.max(0, cx - 1); x <= Math.min(SIDE - 1, cx + 1); x++) {
          const cell = y * SIDE + x;
          if (!seen[cell] && leader[cell] === name) { seen[cell] = 1; cells.push(cell); }
        }
      }
    }
    const many = cells.reduce((sum, cell) => sum + counts[cell][name], 0);
    if (many < least) continue;
    const peak = cells.reduce((best, cell) => (counts[cell][name] > counts[best][name] ? cell : best));
    groups.push({ name: column.names[listed[name]] || "(none)", many, x: x0 + ((peak % SIDE) + 0.5) * step, y: y0 + (Math.floor(peak / SIDE) + 0.5) * step });
  }
  groups.sort((a, b) => b.many - a.many);
  return groups.filter(({ name }, n) => groups.slice(0, n).filter((other) => other.name === name).length < TWICE).slice(0, MOST);
}
// Writes the names over the markers, the largest groups first; a name that would cover another one is left out.
export function paintNames(g) {
  if (!names) { names = findNames(); state.named = names.map(({ name }) => name).join(", "); }
  const taken = [];
  g.font = "600 12px system-ui, sans-serif";
  g.textAlign = "center";
  g.lineJoin = "round";
  g.lineWidth = 4;
  g.strokeStyle = token("--bg");
  g.fillStyle = token("--text");
  for (const { name, x, y } of names) {
    const text = name.replaceAll("_", " "), half = g.measureText(text).width / 2 + 3, px = screenX(x), py = screenY(y) - 12;
    if (px < half || px > size.width - half || py < 44 || py > size.height - 28) continue; // not under the buttons and hints
    if (taken.some(([a, b, w]) => Math.abs(a - px) < w + half && Math.abs(b - py) < 16)) continue;
    taken.push([px, py, half]);
    g.globalAlpha = 0.85;
    g.strokeText(text, px, py);
    g.globalAlpha = 1;
    g.fillText(text, px, py);
  }
  g.textAlign = "left";
}
