// The pointer and the keys on the picture: position and span, a crosshair that reads seconds, hertz and decibels, zoom, the
// frequency scale and the range of levels.
import { byId } from "../../core/html/base.js";
import { guarded, say } from "../shared/asking.js";
import { hertzText } from "../shared/axes.js";
import { levelAt } from "../shared/levels.js";
import { page, playback } from "./page.js";
import { axes, clockText, cursor, home, markSpan, paintLevels, paintPicture, playhead, playing, seconds, viewOf } from "./picture.js";
import { controls, drawPicture, sound } from "./transport.js";

const SHORTEST_S = 0.005, NARROWEST_HZ = 50; // that the axes cover
const WHEEL_MS = 120; // of rest, before the server is asked for the zoomed picture
const view = byId("view");
let timer = 0;

// ---- zoom --------------------------------------------------------------------------------------------------------
function setZoom(change) {
  const { item } = page;
  item.zoom = { ...item.zoom, ...change };
  controls();
  paintPicture();
  clearTimeout(timer);
  timer = setTimeout(() => { if (page.item === item && item.picture) drawPicture(true); }, WHEEL_MS);
}
// Zooms in time around t, by a factor; `by` moves the axis by a share of it.
function zoomTime(factor, t, by = 0) {
  const { from, to } = viewOf(page.item), long = seconds(page.item.picture), length = Math.min(long, Math.max(SHORTEST_S, (to - from) * factor));
  const start = Math.min(long - length, Math.max(0, t - ((t - from) / (to - from)) * length + by * length));
  setZoom(length >= long ? { from: null, to: null } : { from: start, to: start + length });
}
function zoomHertz(factor, hz) { // on the scale of the axis
  const { low, high, log } = viewOf(page.item), half = page.item.picture.rate / 2, floor = log ? 20 : 0;
  const scale = log ? Math.log : (v) => v, back = log ? Math.exp : (v) => v, at = scale(hz);
  const [bottom, top] = [low, high].map((edge) => Math.min(half, Math.max(floor, back(at + (scale(edge) - at) * factor))));
  if (top - bottom < NARROWEST_HZ) return;
  setZoom(bottom <= floor + 0.5 && top >= half - 0.5 ? { low: null, high: null } : { low: bottom, high: top });
}
export function zoomSpan() { // to the marked span, else to all
  const { item } = page;
  if (!item?.picture) return;
  const { span } = item;
  setZoom(span ? { from: span[0], to: Math.max(span[1], span[0] + SHORTEST_S) } : { from: null, to: null, low: null, high: null });
  say(span ? "Zoomed to the span." : "All is shown.");
}
export function rescale() { // frequencies up to 1 kHz, or all
  playback.high = playback.high === null ? 1000 : null;
  redraw({ low: null, high: null });
}
function toggleLog() {
  playback.log = !playback.log;
  redraw({ low: null, high: null });
}
function redraw(change) {
  if (!page.item) return;
  page.item.zoom = { ...page.item.zoom, ...change };
  controls();
  drawPicture();
}
byId("scale").addEventListener("click", rescale);
byId("log").addEventListener("click", toggleLog);
byId("whole").addEventListener("click", () => { markSpan(null); zoomSpan(); });
byId("range-db").addEventListener("change", () => { // the levels are there already
  playback.range = byId("range-db").value.split(" ").map(Number);
  paintLevels();
  paintPicture();
});
view.addEventListener("wheel", (event) => {
  if (!page.item?.picture) return;
  event.preventDefault();
  const { t, hz } = placeOf(event), sideways = event.shiftKey ? 0 : event.deltaX, turned = (event.deltaY || event.deltaX) * (event.deltaMode === 1 ? 18 : 1), factor = Math.exp(turned * 0.002);
  if (Math.abs(sideways) > Math.abs(event.deltaY)) zoomTime(1, t, sideways * 0.002);
  else if (event.shiftKey && hz !== null) zoomHertz(factor, hz);
  else zoomTime(factor, t);
}, { passive: false });

// ---- crosshair ---------------------------------------------------------------------------------------------------
function placeOf(event) { // hz is null on the waveform
  const box = view.getBoundingClientRect(), wave = byId("wave").getBoundingClientRect().height, frame = axes(), y = event.clientY - box.top;
  return { t: frame.time(event.clientX - box.left), hz: y < wave ? null : frame.hertz(y - wave), y };
}
export function readAt(t, hz) { // what the crosshair says
  const { picture } = page.item, level = hz === null ? null : levelAt(picture, t, hz);
  const parts = [clockText(t - home(picture)), hz === null ? "" : hertzText(hz), level === null ? "" : `${level <= -100 ? "≤ −100" : level.toFixed(0).replace("-", "−")} dBFS`];
  return parts.filter(Boolean).join("  ");
}
function cross(place) {
  page.item.cross = place && { ...place, text: readAt(place.t, place.hz) };
  if (!playing()) cursor(); // else the next frame draws it
}
function crossByKey(by) { // at the playhead, by shares of the frequency axis
  const frame = axes(), wave = byId("wave").getBoundingClientRect().height, before = page.item.cross;
  const y = Math.min(frame.deep, Math.max(0, (before && before.hz !== null ? before.y - wave : frame.deep / 2) - by * frame.deep));
  cross({ t: playhead(), hz: frame.hertz(y), y: y + wave });
  say(page.item.cross.text);
}

// ---- position and span -------------------------------------------------------------------------------------------
const seek = guarded(async (at, start) => {
  page.item.at = at;
  if (start || playing()) await sound(at);
  cursor();
});
const KEYS = { // on the picture
  ArrowLeft: (far) => step(far ? -0.1 : -0.01), ArrowRight: (far) => step(far ? 0.1 : 0.01), Home: () => step(-Infinity), End: () => step(Infinity),
  ArrowUp: (far) => crossByKey(far ? 0.1 : 0.01), ArrowDown: (far) => crossByKey(far ? -0.1 : -0.01),
  "+": () => zoomTime(0.5, playhead()), "=": () => zoomTime(0.5, playhead()), "-": () => zoomTime(2, playhead()), 0: () => { markSpan(null); zoomSpan(); },
  PageUp: () => zoomHertz(0.5, viewOf(page.item).low), PageDown: () => zoomHertz(2, viewOf(page.item).low),
};
function step(by) { // by a share of the time axis
  const { from, to } = viewOf(page.item);
  page.item.cross = null;
  seek(Math.min(seconds(page.item.picture), Math.max(0, playhead() + by * (to - from))), false);
}
view.addEventListener("keydown", (event) => {
  const act = KEYS[event.key];
  if (!act || !page.item?.picture || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  event.stopPropagation();
  act(event.shiftKey);
});
let dragged = null;
view.addEventListener("pointerdown", (event) => {
  if (!page.item?.picture) return;
  view.setPointerCapture(event.pointerId);
  dragged = { from: placeOf(event).t, x: event.clientX, moved: false };
});
view.addEventListener("pointermove", (event) => {
  if (!page.item?.picture) return;
  const place = placeOf(event);
  cross(dragged?.moved ? null : place);
  if (!dragged || (!dragged.moved && Math.abs(event.clientX - dragged.x) < 4)) return;
  dragged.moved = true;
  markSpan([Math.min(dragged.from, place.t), Math.max(dragged.from, place.t)]);
});
view.addEventListener("pointerup", (event) => {
  if (dragged && !dragged.moved && page.item?.picture) { markSpan(null); seek(placeOf(event).t, true); }
  dragged = null;
});
view.addEventListener("pointercancel", () => { dragged = null; });
view.addEventListener("pointerleave", () => { if (page.item?.picture) cross(null); });
