// The view of the map: which part of the plane the canvas shows, and which clip lies where on it.
import { byId, signal } from "../../core/html/base.js";
import { count, points, shown } from "./points.js";

export const canvas = byId("map");
export const size = { width: 1, height: 1 }; // of the canvas, in CSS pixels
export const view = { x: 0, y: 0, k: 1, fit: 1 }; // the point in the middle, pixels per unit, and k when all is shown
export const viewChanged = signal();
const HIT = 14; // pixels within which the pointer picks a clip

const extent = (values) => values.reduce(([low, high], v) => [Math.min(low, v), Math.max(high, v)], [Infinity, -Infinity]);
const [x0, x1] = extent(points.x), [y0, y1] = extent(points.y);
const span = Math.max(x1 - x0, y1 - y0) || 1;

export const box = [x0, y0, span]; // of all clips: corner and side
export const placeOf = (x, y) => [(x - view.x) * view.k + size.width / 2, (view.y - y) * view.k + size.height / 2];
export const screenX = (i) => (points.x[i] - view.x) * view.k + size.width / 2;
export const screenY = (i) => (view.y - points.y[i]) * view.k + size.height / 2;

export function fit() {
  const rest = canvas.getBoundingClientRect();
  view.fit = Math.min((rest.width - 70) / Math.max(x1 - x0, span * 1e-3), (rest.height - 120) / Math.max(y1 - y0, span * 1e-3));
  view.fit = Math.max(view.fit, 1e-9);
  Object.assign(view, { x: (x0 + x1) / 2, y: (y0 + y1) / 2, k: view.fit });
  viewChanged.emit();
}
export function zoom(factor, px = size.width / 2, py = size.height / 2) {
  const k = Math.min(Math.max(view.k * factor, view.fit * 0.4), view.fit * 400);
  view.x += (px - size.width / 2) * (1 / view.k - 1 / k);
  view.y -= (py - size.height / 2) * (1 / view.k - 1 / k);
  view.k = k;
  viewChanged.emit();
}
export function pan(dx, dy) { // by pixels
  view.x -= dx / view.k;
  view.y += dy / view.k;
  viewChanged.emit();
}
export function reveal(i) {
  const x = screenX(i), y = screenY(i), margin = 40;
  pan(-(Math.min(0, x - margin) + Math.max(0, x - size.width + margin)), -(Math.min(0, y - margin) + Math.max(0, y - size.height + margin)));
}

// ---- picking -----------------------------------------------------------------------------------------------------
// The shown clip nearest to a place on the canvas; -1 if none is within `reach` pixels.
export function nearest(px, py, reach = HIT) {
  let best = -1, least = reach * reach;
  for (let i = 0; i < count; i++) {
    if (!shown[i]) continue;
    const d = (screenX(i) - px) ** 2 + (screenY(i) - py) ** 2;
    if (d < least) [best, least] = [i, d];
  }
  return best;
}
export const central = () => nearest(size.width / 2, size.height / 2, Infinity);
// The nearest clip in a quarter turn around the direction of the key; sideways distance counts double.
export function neighbour(from, dx, dy) {
  let best = -1, least = Infinity;
  for (let i = 0; i < count; i++) {
    if (!shown[i] || i === from) continue;
    const x = screenX(i) - screenX(from), y = screenY(i) - screenY(from);
    const along = x * dx + y * dy, across = Math.abs(x * dy - y * dx);
    if (along <= 0 || across > along) continue;
    if (along + 2 * across < least) [best, least] = [i, along + 2 * across];
  }
  return best;
}
