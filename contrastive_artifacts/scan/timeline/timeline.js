// The timeline: a ruler, one lane per artifact (and channel), and a table of the same segments.
import { byId, darkQuery, element, fillFacts, fitCanvas, placeTip, ramp, rowsTable, state, theme, token } from "../../core/html/base.js";
import { ROW, RULER, clock, data, laneName, lanes, left, px, rate, sampleAt, segments, show, tickDistance, total, view, viewChanged, zoom } from "./view.js";

const overview = byId("overview"), tip = byId("tip");
const PAGE = 500; // rows of the table that are added at once
const hasChannels = segments.some((s) => s.channel !== null);
let hovered = -1, selected = -1, frame = 0;

// The severity of a label that users added is unknown: null.
const severityOf = (s) => (s.severity === null ? "unknown" : s.severity.toFixed(2));
const colourOf = (s) => (s.value !== null ? token("--accent") : s.severity === null ? theme().neutral : ramp(s.severity));
const confidenceOf = (s) => `${Math.round(100 * s.confidence)} %`;

// ---- drawing -----------------------------------------------------------------------------------------------------
const draw = () => { frame ||= requestAnimationFrame(() => { frame = 0; paint(); paintOverview(); }); };
viewChanged.on(() => { hover(-1); draw(); }); // another segment is under the pointer now

function paint() {
  const { context: g, width, height } = fitCanvas(lanes), edge = left();
  const text = token("--text"), soft = token("--soft"), line = token("--line");
  g.clearRect(0, 0, width, height);
  g.font = `12px ${getComputedStyle(document.body).fontFamily}`;
  g.textBaseline = "middle";
  const seconds = (view.stop - view.start) / rate, tick = tickDistance(seconds, width - edge);
  for (let n = Math.ceil(view.start / rate / tick); n * tick * rate <= view.stop; n++) {
    const x = Math.round(px(n * tick * rate, width)) + 0.5;
    g.strokeStyle = line; g.beginPath(); g.moveTo(x, RULER - 7); g.lineTo(x, height); g.stroke();
    const label = clock(n * tick * rate, tick < 0.1 ? 2 : tick < 1 ? 1 : 0);
    if (x + g.measureText(label).width / 2 < width) { g.fillStyle = soft; g.textAlign = x - edge < 20 ? "left" : "center"; g.fillText(label, x, 11); }
  }
  data.lanes.forEach((lane, n) => {
    const y = RULER + n * ROW;
    g.strokeStyle = line; g.beginPath(); g.moveTo(0, y + 0.5); g.lineTo(width, y + 0.5); g.stroke();
  });
  g.save();
  g.beginPath(); g.rect(edge, 0, width - edge, height); g.clip();
  g.fillStyle = line;
  for (const [start, stop] of data.no_data) g.fillRect(px(start, width), RULER, px(stop, width) - px(start, width), height - RULER);
  segments.forEach((s, n) => {
    if (s.stop < view.start || s.start > view.stop) return;
    const x = px(s.start, width), w = Math.max(3, px(s.stop, width) - x), y = RULER + s.lane * ROW + 5;
    g.fillStyle = colourOf(s);
    g.beginPath(); g.roundRect(x, y, w, ROW - 9, Math.min(4, w / 2)); g.fill();
    if (n === hovered || n === selected) { g.lineWidth = 2; g.strokeStyle = n === hovered ? text : token("--accent"); g.stroke(); g.lineWidth = 1; }
  });
  g.restore();
  g.textAlign = "left";
  data.lanes.forEach((lane, n) => {
    g.fillStyle = segments.some((s) => s.lane === n) ? text : soft;
    g.fillText(laneName(lane), 12, RULER + n * ROW + ROW / 2 + 1, edge - 20);
  });
  g.strokeStyle = line; g.beginPath(); g.moveTo(edge + 0.5, 0); g.lineTo(edge + 0.5, height); g.stroke();
}

function paintOverview() {
  const { context: g, width, height } = fitCanvas(overview), scale = width / total;
  g.clearRect(0, 0, width, height);
  const row = (height - 6) / Math.max(1, data.lanes.length);
  g.fillStyle = token("--line");
  for (const [start, stop] of data.no_data) g.fillRect(start * scale, 0, (stop - start) * scale, height);
  for (const s of segments) {
    g.fillStyle = colourOf(s);
    g.fillRect(s.start * scale, 3 + s.lane * row, Math.max(1, (s.stop - s.start) * scale), Math.max(1, row - 0.5));
  }
  if (view.stop - view.start < total) {
    g.fillStyle = token("--accent"); g.globalAlpha = 0.16;
    g.fillRect(view.start * scale, 0, (view.stop - view.start) * scale, height);
    g.globalAlpha = 1; g.strokeStyle = token("--accent");
    g.strokeRect(view.start * scale + 0.5, 0.5, Math.max(2, (view.stop - view.start) * scale - 1), height - 1);
  }
}

// ---- the segment under the pointer, and the selected one ------------------------------------------------------------
function at(x, y) {
  const box = lanes.getBoundingClientRect(), lane = Math.floor((y - RULER) / ROW);
  let best = -1, least = 5;
  segments.forEach((s, n) => {
    if (s.lane !== lane || x < left()) return;
    const away = Math.max(px(s.start, box.width) - x, x - px(s.stop, box.width), 0);
    if (away < least) [best, least] = [n, away];
  });
  return best;
}

function hover(n, x, y) {
  if (n !== hovered) { hovered = n; state.hovered = n; lanes.classList.toggle("over", n >= 0); draw(); }
  if (n < 0) { tip.hidden = true; return; }
  const s = segments[n];
  const rows = [["from", clock(s.start, 3)], ["to", clock(s.stop, 3)], ["length", `${((s.stop - s.start) / rate).toFixed(2)} s`],
    ...(s.value === null ? [["severity", severityOf(s)], ["confidence", confidenceOf(s)]] : [["measured", s.value]])];
  if (s.channel !== null) rows.push(["channel", String(s.channel + 1)]);
  if (s.timecode !== null) rows.push(["time code", s.timecode.join(" – ")]);
  tip.replaceChildren(element("strong", { textContent: s.label }), rowsTable(rows));
  placeTip(tip, x, y);
}

function select(n, move = false) {
  selected = n;
  state.selected = n;
  document.querySelectorAll("#rows tr").forEach((row, m) => row.classList.toggle("selected", m === n));
  if (n >= 0 && move) {
    const s = segments[n], length = s.stop - s.start, middle = (s.start + s.stop) / 2;
    const width = Math.min(Math.max(view.stop - view.start, 2 * length), Math.max(30 * length, 20 * rate));
    show(middle - width / 2, middle + width / 2);
  }
  draw();
}

// ---- table -------------------------------------------------------------------------------------------------------
function fillTable(upTo) {
  const from = byId("rows").children.length;
  byId("rows").append(...segments.slice(from, upTo).map((s, k) => {
    const swatch = element("i");
    const cells = [element("td", {}, element("button", { type: "button", textContent: clock(s.start) })), ...[clock(s.stop), `${((s.stop - s.start) / rate).toFixed(2)} s`, s.label].map((t) => element("td", { textContent: t })),
      element("td", {}, swatch, s.value === null ? severityOf(s) : "measured"), element("td", { textContent: s.value ?? confidenceOf(s) })];
    if (hasChannels) cells.push(element("td", { textContent: s.channel === null ? (s.value === null ? "mix" : "all") : String(s.channel + 1) }));
    if (data.timecodes) cells.push(element("td", { textContent: s.timecode.join(" – ") }));
    const row = element("tr", {}, ...cells);
    row.addEventListener("click", () => select(from + k, true));
    return row;
  }));
  colour();
  const hidden = segments.length - byId("rows").children.length;
  byId("more").hidden = hidden <= 0;
  byId("more").textContent = `Show ${Math.min(hidden, PAGE).toLocaleString()} more of ${hidden.toLocaleString()}`;
}
function colour() {
  byId("gradient").style.background = `linear-gradient(90deg, ${theme().ramp.join(",")})`;
  document.querySelectorAll("#rows i").forEach((i, n) => { i.style.background = colourOf(segments[n]); });
}

// ---- pointer and keys --------------------------------------------------------------------------------------------
let press = null;
lanes.addEventListener("pointerdown", (event) => { press = { x: event.offsetX, start: view.start, stop: view.stop, moved: false }; lanes.setPointerCapture(event.pointerId); });
lanes.addEventListener("pointermove", (event) => {
  if (!press) { hover(at(event.offsetX, event.offsetY), event.clientX, event.clientY); return; }
  if (Math.abs(event.offsetX - press.x) > 3) press.moved = true;
  if (!press.moved) return;
  hover(-1);
  lanes.classList.add("dragging");
  const shift = ((press.x - event.offsetX) / (lanes.clientWidth - left())) * (press.stop - press.start);
  show(press.start + shift, press.stop + shift);
});
lanes.addEventListener("pointerup", (event) => {
  if (press && !press.moved) select(at(event.offsetX, event.offsetY));
  press = null;
  lanes.classList.remove("dragging");
});
lanes.addEventListener("pointercancel", () => { press = null; lanes.classList.remove("dragging"); });
lanes.addEventListener("pointerleave", () => hover(-1));
lanes.addEventListener("wheel", (event) => {
  event.preventDefault();
  if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
    const shift = ((event.deltaX || event.deltaY) / lanes.clientWidth) * (view.stop - view.start);
    show(view.start + shift, view.stop + shift);
  } else {
    zoom(Math.exp(event.deltaY * (event.deltaMode === 1 ? 18 : 1) * (event.ctrlKey ? 0.01 : 0.0016)), sampleAt(event.offsetX, lanes.clientWidth));
  }
}, { passive: false });
lanes.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "ArrowRight" && segments.length) select(Math.min(selected + 1, segments.length - 1), true);
  else if (event.key === "ArrowLeft" && segments.length) select(Math.max(selected - 1, 0), true);
  else if (event.key === "+" || event.key === "=") zoom(0.7);
  else if (event.key === "-") zoom(1 / 0.7);
  else if (event.key === "0") show(0, total);
  else if (event.key === "Escape") select(-1);
  else return;
  event.preventDefault();
});
const jump = (event) => { const half = (view.stop - view.start) / 2, middle = (event.offsetX / overview.clientWidth) * total; show(middle - half, middle + half); };
overview.addEventListener("pointerdown", (event) => { overview.setPointerCapture(event.pointerId); jump(event); });
overview.addEventListener("pointermove", (event) => { if (event.buttons) jump(event); });
byId("closer").addEventListener("click", () => zoom(0.7));
byId("farther").addEventListener("click", () => zoom(1 / 0.7));
byId("fit").addEventListener("click", () => show(0, total));
byId("more").addEventListener("click", () => fillTable(byId("rows").children.length + PAGE));
darkQuery.addEventListener("change", () => { colour(); draw(); });
new ResizeObserver(draw).observe(lanes);

lanes.style.height = `${RULER + Math.max(1, data.lanes.length) * ROW + 3}px`;
const lengthOf = (spans) => spans.reduce((length, [start, stop]) => length + stop - start, 0);
const facts = [["length", clock(total)], ["rate", `${rate.toLocaleString("en")} Hz`], ["segments", data.segments.length.toLocaleString("en")], ["in segments", clock(lengthOf(data.segments))]];
if (data.findings.length) facts.push(["findings", data.findings.length.toLocaleString("en")]);
if (data.no_data.length) facts.push(["without data (grey)", clock(lengthOf(data.no_data))]);
if (data.out_of_phase.length) facts.push(["channels out of phase", clock(lengthOf(data.out_of_phase))]);
fillFacts(byId("facts"), facts);
document.querySelector(".channel").hidden = !hasChannels;
document.querySelector(".timecode").hidden = !data.timecodes;
byId("table").hidden = !segments.length;
byId("none").hidden = data.segments.length > 0;
fillFacts(byId("measured"), data.facts);
byId("measured").hidden = !data.facts.length;
state.segments = segments.length;
fillTable(PAGE);
show(0, total);
