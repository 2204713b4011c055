// One row per recording: facts, the waveform and a lane per fault. Canvases are drawn when they come into view and
// emptied when they leave it, so that hundreds of them cost no memory.
import { byId, darkQuery, element, fitCanvas, placeTip, state, token } from "../../core/html/base.js";
import { marker } from "../../pages/shared/marks.js";
import { bytes } from "../../pages/shared/stored.js";
import { clock, faults, fileShown, files, filtered, laneShown, lookOf, placeShown, severityText, spanShown } from "./data.js";
import { current, currentChanged, describe, headMoved, play } from "./playing.js";

const WAVE = 34, LANE = 9; // heights in pixels
const REACH = 8; // pixels from the pointer to a place
const rows = [];
const drawn = new Set();

export function buildRows() {
  for (const file of files) rows.push(row(file));
  byId("files").append(...rows.map(({ node }) => node));
  state.files = rows.length;
}
function row(file) {
  const canvas = element("canvas"), head = element("div", { className: "head", hidden: true }), chips = element("div", { className: "chips" });
  canvas.style.height = `${WAVE + 6 + LANE * Math.max(1, file.lanes.length)}px`;
  const bar = element("i");
  bar.style.width = `${100 * Math.min(1, file.damage)}%`;
  const about = element("div", { className: "about" },
    element("a", { href: file.page, textContent: file.name }),
    element("span", { className: "soft", textContent: `${clock(file.seconds)} · ${(file.rate / 1000).toLocaleString("en")} kHz · ${file.channels} ch` }),
    element("span", { textContent: `damage ${file.damage.toFixed(3)} · ${(100 * file.share).toFixed(1)} % marked` }), element("div", { className: "bar" }, bar), chips);
  const node = element("li", { className: "file" }, about, element("div", { className: "stage" }, canvas, head));
  const item = { file, node, canvas, head, chips, low: null, high: null };
  fillChips(item);
  canvas.addEventListener("click", (event) => play(placeAt(item, event)));
  canvas.addEventListener("pointermove", (event) => {
    const place = placeAt(item, event);
    if (!place) { byId("tip").hidden = true; return; }
    byId("tip").textContent = describe(place);
    placeTip(byId("tip"), event.clientX, event.clientY);
  });
  canvas.addEventListener("pointerleave", () => { byId("tip").hidden = true; });
  return item;
}
function fillChips({ file, chips }) {
  chips.replaceChildren(...file.lanes.map(([fault, count, severity]) => element("span", {}, marker(lookOf(fault)),
    `${faults[fault].name} ${count}× ${faults[fault].measured ? "" : severityText(severity)}`)));
  if (!file.lanes.length) chips.textContent = "nothing heard";
}

// ---- drawing -----------------------------------------------------------------------------------------------------
const COLUMNS = 480;
function draw(item) {
  const { context: g, width, height } = fitCanvas(item.canvas), { file } = item;
  item.low ??= new Int8Array(bytes(file.low).buffer);
  item.high ??= new Int8Array(bytes(file.high).buffer);
  g.clearRect(0, 0, width, height);
  g.fillStyle = token("--panel");
  g.fillRect(0, WAVE + 4, width, height - WAVE - 4);
  g.fillStyle = token("--soft");
  const step = width / Math.max(1, item.low.length), scale = (WAVE / 2 - 1) / 127;
  item.low.forEach((low, n) => g.fillRect(n * step, WAVE / 2 - item.high[n] * scale - 0.5, Math.max(1, step), (item.high[n] - low) * scale + 1));
  file.lanes.forEach((lane, n) => {
    const [fault, , , spans] = lane, { fill } = lookOf(fault), y = WAVE + 6 + n * LANE;
    g.fillStyle = fill;
    for (const span of spans) {
      const [first, last, severity] = span, tall = (LANE - 1) * (faults[fault].measured ? 1 : 0.35 + 0.65 * (severity ?? 0.5));
      g.globalAlpha = laneShown(lane) && spanShown(span) ? 1 : 0.18;
      g.fillRect((first / COLUMNS) * width, y + LANE - 1 - tall, Math.max(2, ((last + 1 - first) / COLUMNS) * width), tall);
    }
    g.globalAlpha = 1;
  });
  if (current.place?.file === file.n) {
    const { start, stop, fault } = current.place, lane = file.lanes.findIndex(([name]) => name === fault);
    g.strokeStyle = token("--text"); g.lineWidth = 1.5;
    g.strokeRect((start / file.seconds) * width - 1.5, WAVE + 4.5 + lane * LANE, Math.max(5, ((stop - start) / file.seconds) * width + 3), LANE + 1);
  }
}
const inView = new IntersectionObserver((entries) => {
  for (const entry of entries) {
    const item = rows.find(({ canvas }) => canvas === entry.target);
    if (entry.isIntersecting) { drawn.add(item); draw(item); } else if (drawn.delete(item)) item.canvas.width = 0;
  }
  state.drawn = drawn.size;
}, { rootMargin: "400px" });
export const redraw = () => drawn.forEach(draw);
export function watch() {
  rows.forEach(({ canvas }) => inView.observe(canvas));
  darkQuery.addEventListener("change", () => { rows.forEach(fillChips); redraw(); });
  addEventListener("resize", redraw);
  addEventListener("beforeprint", () => rows.forEach(draw));
  addEventListener("afterprint", () => rows.forEach((item) => { if (!drawn.has(item)) item.canvas.width = 0; }));
}

// ---- places --------------------------------------------------------------------------------------------------------
// The shown place under the pointer; over the waveform, the most important one near its time.
function placeAt({ file, canvas }, event) {
  const second = (event.offsetX / canvas.clientWidth) * file.seconds, reach = (REACH / canvas.clientWidth) * file.seconds;
  const lane = file.lanes[Math.floor((event.offsetY - WAVE - 6) / LANE)]?.[0];
  const off = (place) => Math.max(place.start - second, second - place.stop, 0);
  const near = file.places.filter((place) => placeShown(place) && off(place) <= reach && (lane === undefined || place.fault === lane));
  return near.sort((a, b) => off(a) - off(b) || a.rank - b.rank)[0] ?? null;
}

filtered.on(() => {
  rows.forEach(({ file, node }) => { node.hidden = !fileShown(file); });
  redraw();
});
let before = null;
currentChanged.on(() => {
  const item = current.place ? rows[current.place.file] : null;
  before?.node.classList.remove("current");
  if (before && drawn.has(before)) draw(before);
  before = item;
  if (!item) return;
  item.node.classList.add("current");
  if (!item.node.hidden) item.node.scrollIntoView({ block: "nearest" });
  if (drawn.has(item)) draw(item);
});
headMoved.on((place, second) => {
  for (const { head } of rows) if (!head.hidden) head.hidden = true;
  if (!place) return;
  const { head, canvas, file } = rows[place.file];
  head.hidden = false;
  head.style.transform = `translateX(${(second / file.seconds) * canvas.clientWidth}px)`;
});
