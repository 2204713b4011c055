// The view of the map: which part of the plane is shown, which row lies where, and picking. Picking goes through a
// uniform grid of the positions, so that no movement of the pointer looks at all rows.
import { byId } from "../../core/html/base.js";
import { points } from "./columns.js";
import { shown } from "./filter.js";
import { draw, mark } from "./frames.js";
import { count, page } from "./page.js";

export const map = byId("map");
const HIT = 13; // pixels within which the pointer picks a marker
const STEP = 3; // pixels that an arrow key moves at least; nearer rows need a closer view
const GLIDE_MS = 220;
// The point in the middle, pixels per unit, pixels per unit when all is shown, and the radius of the markers.
export const view = { x: 0, y: 0, k: 1, fit: 1, radius: 3 };
export const size = { width: 1, height: 1 }; // of the map, in CSS pixels
const calm = matchMedia("(prefers-reduced-motion: reduce)");

export const screenX = (x) => (x - view.x) * view.k + size.width / 2;
export const screenY = (y) => (view.y - y) * view.k + size.height / 2;
export const rowX = (row) => screenX(points.x[row]);
export const rowY = (row) => screenY(points.y[row]);
export const planeAt = (px, py) => [view.x + (px - size.width / 2) / view.k, view.y - (py - size.height / 2) / view.k];

// ---- grid: rows by cell, from a counting sort --------------------------------------------------------------------
const FEW = 5000; // rows whose markers are opaque however they lie
const COARSE = 64; // squares along a side of the map, of which those with rows are counted
export const grid = { box: [-1, -1, 1, 1], side: 1, cell: 1, starts: null, rows: null, occupied: 1 };
const cellAt = (at, low) => Math.min(grid.side - 1, Math.max(0, Math.floor((at - low) / grid.cell)));

export function buildGrid() {
  let [x0, y0, x1, y1] = [Infinity, Infinity, -Infinity, -Infinity];
  for (let i = 0; i < count; i++) {
    const x = points.x[i], y = points.y[i];
    if (x < x0) x0 = x;
    if (x > x1) x1 = x;
    if (y < y0) y0 = y;
    if (y > y1) y1 = y;
  }
  grid.box = [x0, y0, x1, y1];
  grid.side = Math.min(1024, Math.max(1, Math.ceil(Math.sqrt(count / 3))));
  grid.cell = Math.max(x1 - x0, y1 - y0, 1e-6) / grid.side;
  const cells = new Uint32Array(count);
  grid.starts = new Uint32Array(grid.side * grid.side + 1);
  for (let i = 0; i < count; i++) {
    cells[i] = cellAt(points.y[i], y0) * grid.side + cellAt(points.x[i], x0);
    grid.starts[cells[i] + 1]++;
  }
  for (let c = 1; c < grid.starts.length; c++) grid.starts[c] += grid.starts[c - 1];
  const next = grid.starts.slice();
  grid.rows = new Uint32Array(count);
  for (let i = 0; i < count; i++) grid.rows[next[cells[i]]++] = i;
  const coarse = new Uint8Array(COARSE * COARSE), step = (grid.cell * grid.side) / COARSE;
  for (let i = 0; i < count; i++) coarse[Math.min(COARSE - 1, Math.floor((points.y[i] - y0) / step)) * COARSE + Math.min(COARSE - 1, Math.floor((points.x[i] - x0) / step))] = 1;
  grid.occupied = Math.max(1, coarse.reduce((sum, v) => sum + v, 0));
}
// How many markers lie over each other where markers are, on average.
export function crowding() {
  if (page.visible < FEW) return 0; // large markers: each should be seen
  const lone = grid.side * grid.cell * view.k, most = COARSE * COARSE;
  const area = grid.rows ? lone * lone * (grid.occupied / most) : 1;
  return Math.max(0, (page.visible * Math.PI * view.radius ** 2) / Math.max(1, area) - 1);
}
// Calls `visit` with every shown row whose cell meets the rectangle.
function within(xa, ya, xb, yb, visit) {
  const { box } = grid;
  if (!grid.rows || xb < box[0] || xa > box[2] || yb < box[1] || ya > box[3]) return;
  const [c0, c1, r0, r1] = [cellAt(xa, box[0]), cellAt(xb, box[0]), cellAt(ya, box[1]), cellAt(yb, box[1])];
  for (let r = r0; r <= r1; r++) {
    const stop = grid.starts[r * grid.side + c1 + 1];
    for (let at = grid.starts[r * grid.side + c0]; at < stop; at++) if (shown[grid.rows[at]]) visit(grid.rows[at]);
  }
}
// The shown row nearest to a place on the map; -1 if none is within `reach` pixels.
export function nearest(px, py, reach = HIT) {
  const [x, y] = planeAt(px, py), far = reach / view.k;
  let best = -1, least = far * far;
  within(x - far, y - far, x + far, y + far, (row) => {
    const d = (points.x[row] - x) ** 2 + (points.y[row] - y) ** 2;
    if (d < least) [best, least] = [row, d];
  });
  return best;
}
// The nearest row in a quarter turn around the direction of the key; sideways distance counts double.
export function neighbour(from, dx, dy) {
  const x = points.x[from], y = points.y[from], least = STEP / view.k, { box } = grid;
  let best = -1, lowest = Infinity;
  for (let reach = 24 / view.k; lowest > reach; reach *= 2) { // rows outside the square are farther than half its side
    within(x - reach, y - reach, x + reach, y + reach, (row) => {
      const across = points.x[row] - x, up = y - points.y[row], along = across * dx + up * dy, aside = Math.abs(across * dy - up * dx);
      if (row === from || along < least || aside > along || along + 2 * aside >= lowest) return;
      [best, lowest] = [row, along + 2 * aside];
    });
    if (reach > 2 * (box[2] - box[0] + box[3] - box[1])) break;
  }
  return best;
}
export function central() {
  for (let reach = 20; reach < 4 * Math.max(size.width, size.height); reach *= 2) {
    const row = nearest(size.width / 2, size.height / 2, reach);
    if (row >= 0) return row;
  }
  return -1;
}

// ---- moving ------------------------------------------------------------------------------------------------------
let glide = 0; // counts movements: a new one ends the one under way
export function stopGliding() { glide++; }
export function measure() { // markers cover a fair part of the map when all is shown, and grow with the view
  const grown = Math.max(1, view.k / view.fit) ** 0.38;
  view.radius = Math.min(9, Math.min(6, Math.max(0.9, 0.55 * Math.sqrt((size.width * size.height) / Math.max(1, page.visible)))) * grown);
}
export function fit() {
  const { box } = grid, width = Math.max(box[2] - box[0], 1e-3), height = Math.max(box[3] - box[1], 1e-3);
  view.fit = Math.max(1e-9, Math.min((size.width - 50) / width, (size.height - 96) / height));
  Object.assign(view, { x: (box[0] + box[2]) / 2, y: (box[1] + box[3]) / 2, k: view.fit });
  draw();
}
export function zoom(factor, px = size.width / 2, py = size.height / 2) {
  const k = Math.min(Math.max(view.k * factor, view.fit * 0.4), view.fit * 3000);
  view.x += (px - size.width / 2) * (1 / view.k - 1 / k);
  view.y -= (py - size.height / 2) * (1 / view.k - 1 / k);
  view.k = k;
  draw();
}
export function reveal(x, y) { // with an animation, unless the user asked for reduced motion
  const px = screenX(x), py = screenY(y), margin = 48;
  const dx = Math.min(0, px - margin) + Math.max(0, px - size.width + margin), dy = Math.min(0, py - margin) + Math.max(0, py - size.height + margin);
  if (!dx && !dy) { mark(); return; }
  const far = Math.hypot(dx, dy) > Math.min(size.width, size.height) / 2; // then it goes to the middle
  const to = far ? [x, y] : [view.x + dx / view.k, view.y - dy / view.k], from = [view.x, view.y], start = performance.now(), mine = ++glide;
  const go = (now) => {
    if (mine !== glide) return;
    const t = calm.matches ? 1 : Math.min(1, Math.max(0, now - start) / GLIDE_MS), ease = t * (2 - t);
    [view.x, view.y] = [0, 1].map((n) => from[n] + (to[n] - from[n]) * ease);
    draw();
    if (t < 1) requestAnimationFrame(go);
  };
  go(start);
}
export function resize() {
  const rest = map.getBoundingClientRect(), whole = Math.abs(view.k - view.fit) < 1e-9 * view.fit;
  if (rest.width < 2 || (rest.width === size.width && rest.height === size.height)) return;
  Object.assign(size, { width: rest.width, height: rest.height });
  if (whole || view.k === 1) fit();
  draw();
}
byId("closer").addEventListener("click", () => zoom(1.5));
byId("farther").addEventListener("click", () => zoom(1 / 1.5));
byId("fit").addEventListener("click", fit);
