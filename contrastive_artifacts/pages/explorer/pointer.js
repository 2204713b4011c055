// The pointer on the map: hovering, selecting, moving, zooming, and the lasso.
import { byId, element, placeTip, rowsTable, state } from "../../core/html/base.js";
import { abort, ask, latest } from "../shared/asking.js";
import { amount } from "../shared/counts.js";
import { columns, points, valueText } from "./columns.js";
import { shown } from "./filter.js";
import { draw, mark } from "./frames.js";
import { playHovered } from "./hover.js";
import { count, page } from "./page.js";
import { select, verdictText } from "./panel.js";
import { openQuery } from "./search.js";
import { choose } from "./selection.js";
import { map, nearest, planeAt, screenX, screenY, size, stopGliding, view, zoom } from "./view.js";

const tip = byId("tip");
const TIP_MS = 70; // before the server is asked about the row under the pointer

// ---- hovering ----------------------------------------------------------------------------------------------------
let hoverTimer = 0, tipAt = [0, 0];
export function hover(row, px = 0, py = 0) {
  if (row !== page.hovered) {
    page.hovered = row;
    state.hovered = row >= 0 ? String(row) : "";
    map.classList.toggle("over", row >= 0);
    clearTimeout(hoverTimer);
    abort("tip");
    mark();
    if (row >= 0) {
      const known = [...columns.keys()].map((name) => [name, valueText(name, row)]).filter(([, text]) => text !== "");
      tip.replaceChildren(element("strong", { textContent: `row ${amount(row)}` }), rowsTable(known.slice(0, 6)));
      hoverTimer = setTimeout(() => ask(`api/rows/${row}`, undefined, { signal: latest("tip") }).then((info) => {
        if (row !== page.hovered) return;
        tip.replaceChildren(element("strong", { textContent: info.title }), element("div", { className: "soft", textContent: info.name }), rowsTable(tipRows(info)));
        showTip(...tipAt);
      }, () => {}), TIP_MS); // an error is shown only when the row is selected
    }
    playHovered(row);
  }
  tipAt = [px, py];
  if (row >= 0) showTip(px, py);
  else tip.hidden = true;
}
function showTip(px, py) { // beside the pointer, and not over the panel if the map has room
  placeTip(tip, px, py);
  const over = tip.getBoundingClientRect(), rest = map.getBoundingClientRect();
  if (over.right > rest.right && px - 16 - over.width > rest.left) tip.style.left = `${px - 16 - over.width}px`;
}
const tipRows = (info) => [["time", info.time], ["classified as", verdictText(info)], ["label", info.decision ? `${info.decision} ${info.label}` : ""], ["source", info.source === info.name ? "" : info.source]].filter(([, text]) => text);

// ---- lasso -------------------------------------------------------------------------------------------------------
function closeLasso(adds) { // the outline is painted once; a row is inside if its pixel is
  const outline = page.outline;
  page.outline = [];
  if (outline.length < 3) { mark(); return; }
  const mask = new OffscreenCanvas(Math.ceil(size.width), Math.ceil(size.height)).getContext("2d", { willReadFrequently: true });
  mask.beginPath();
  outline.forEach(([x, y]) => mask.lineTo(x, y));
  mask.fill();
  const { data, width, height } = mask.getImageData(0, 0, mask.canvas.width, mask.canvas.height);
  const xs = outline.map(([x]) => x), ys = outline.map(([, y]) => y);
  const [xa, yb] = planeAt(Math.min(...xs), Math.min(...ys)), [xb, ya] = planeAt(Math.max(...xs), Math.max(...ys));
  const inside = new Uint32Array(page.visible);
  let many = 0;
  for (let row = 0; row < count; row++) { // in memory order: faster than cell by cell when many rows are inside
    const x = points.x[row], y = points.y[row];
    if (!shown[row] || x < xa || x > xb || y < ya || y > yb) continue;
    const px = Math.floor(screenX(x)), py = Math.floor(screenY(y));
    if (px >= 0 && py >= 0 && px < width && py < height && data[4 * (py * width + px) + 3] > 127) inside[many++] = row;
  }
  const rows = inside.slice(0, many), drawn = outline.map(([x, y]) => planeAt(x, y)), { lasso } = page;
  if (adds) choose(Uint32Array.from(new Set([...lasso.rows, ...rows])), [...lasso.outlines, drawn]);
  else choose(rows, [drawn]);
}
export function toggleLasso(on = !page.lassoing) {
  page.lassoing = on;
  map.classList.toggle("lasso", on);
  byId("lasso").setAttribute("aria-pressed", String(on));
}
byId("lasso").addEventListener("click", () => toggleLasso());

// ---- pointer -----------------------------------------------------------------------------------------------------
const fingers = new Map();
let press = null;
const local = (event) => { const rest = map.getBoundingClientRect(); return [event.clientX - rest.left, event.clientY - rest.top]; };
const starAt = (px, py) => page.stars.find(({ x, y }) => Math.hypot(screenX(x) - px, screenY(y) - py) < 12);

export function cancelLasso() { page.outline = []; press = null; mark(); }
map.addEventListener("pointerdown", (event) => {
  map.setPointerCapture(event.pointerId);
  fingers.set(event.pointerId, local(event));
  stopGliding();
  const draws = page.lassoing || event.shiftKey;
  press = fingers.size === 1 ? { at: local(event), moved: false, draws, adds: page.lassoing && event.shiftKey } : press && { ...press, moved: true, draws: false };
  page.outline = [];
});
map.addEventListener("pointermove", (event) => {
  const [px, py] = local(event), before = fingers.get(event.pointerId);
  if (!before) return hover(nearest(px, py), event.clientX, event.clientY);
  if (!press || (!press.moved && Math.hypot(px - press.at[0], py - press.at[1]) < 4)) return undefined;
  if (!press.moved && press.draws) page.outline = [press.at];
  press.moved = true;
  hover(-1);
  fingers.set(event.pointerId, [px, py]);
  if (press.draws) {
    const last = page.outline[page.outline.length - 1];
    if (Math.hypot(px - last[0], py - last[1]) > 2) page.outline.push([px, py]);
    return mark();
  }
  map.classList.add("dragging");
  const other = [...fingers].find(([id]) => id !== event.pointerId)?.[1];
  view.x -= (px - before[0]) / view.k / fingers.size;
  view.y += (py - before[1]) / view.k / fingers.size;
  if (other) return zoom(Math.hypot(px - other[0], py - other[1]) / Math.max(1, Math.hypot(before[0] - other[0], before[1] - other[1])), ...other);
  return draw();
});
function release(event) {
  fingers.delete(event.pointerId);
  if (fingers.size || !press) return;
  const { moved, draws, adds } = press;
  press = null;
  map.classList.remove("dragging");
  if (event.type !== "pointerup") { page.outline = []; mark(); } else if (draws && moved) closeLasso(adds);
  else if (!moved) {
    const [px, py] = local(event), star = starAt(px, py), row = nearest(px, py);
    if (star) openQuery(star.id);
    else select(row, { play: row >= 0 });
  }
}
map.addEventListener("pointerup", release);
map.addEventListener("pointercancel", release);
map.addEventListener("pointerleave", () => hover(-1));
map.addEventListener("wheel", (event) => {
  event.preventDefault();
  stopGliding();
  zoom(Math.exp(-event.deltaY * (event.deltaMode === 1 ? 18 : 1) * (event.ctrlKey ? 0.01 : 0.0016)), ...local(event));
}, { passive: false });
