// The timeline: waveform, spectrogram, a ruler, one lane per artifact (and channel), and a table of the same findings.
import { byId, darkQuery, element, fillFacts, placeTip, rowsTable, state } from "../../core/html/base.js";
import { choice, choiceChanged, hover, select, selectNext } from "./choice.js";
import { decide, decisionChanged, report } from "./decisions.js";
import { detailChanged } from "./detail.js";
import { paintLanes, paintOverview } from "./drawing.js";
import { play, playFrom, playOrStop } from "./playing.js";
import { soundFacts } from "./sounds.js";
import { paintStrips, strips } from "./strips.js";
import { fillTable, hasChannels, recolourTable } from "./table.js";
import { ROW, RULER, channelOf, clock, confidenceOf, data, lanes, left, px, rate, sampleAt, secondsOf, segments, severityOf, show, total, unionLength, view, viewChanged, zoom } from "./view.js";

const overview = byId("overview"), tip = byId("tip");
let frame = 0;
const draw = () => { frame ||= requestAnimationFrame(() => { frame = 0; paintStrips(); paintLanes(); paintOverview(); }); };
viewChanged.on(() => { point(-1); draw(); }); // another finding is under the pointer now
choiceChanged.on(() => { report(); draw(); });
decisionChanged.on(draw);
detailChanged.on(draw);

// ---- the finding under the pointer -------------------------------------------------------------------------------
function at(x, y) {
  const lane = Math.floor((y - RULER) / ROW);
  if (x < left() || y < RULER || lane >= data.lanes.length) return -1;
  let best = -1, distance = 5; // pixels: clicks are narrow
  segments.forEach((s, n) => {
    if (s.lane !== lane) return;
    const off = Math.max(px(s.start, lanes.clientWidth) - x, x - Math.max(px(s.stop, lanes.clientWidth), px(s.start, lanes.clientWidth) + 3), 0);
    if (off < distance) { distance = off; best = n; }
  });
  return best;
}
function point(n, x, y) {
  hover(n);
  lanes.classList.toggle("over", n >= 0);
  if (n < 0) { tip.hidden = true; return; }
  const s = segments[n];
  const rows = [["from", clock(s.start, 3)], ["to", clock(s.stop, 3)], ["length", secondsOf(s)],
    ...(s.value === null ? [["severity", severityOf(s)], ["confidence", confidenceOf(s)]] : [["measured", s.value]])];
  if (s.channel !== null) rows.push(["channel", channelOf(s)]);
  if (s.timecode) rows.push(["time code", s.timecode.join(" – ")]);
  tip.replaceChildren(element("strong", { textContent: s.label }), rowsTable(rows));
  placeTip(tip, x, y);
}

// ---- pointer -----------------------------------------------------------------------------------------------------
let press = null;
for (const canvas of [lanes, strips]) {
  const finding = (event) => (canvas === lanes ? at(event.offsetX, event.offsetY) : -1);
  const release = () => { press = null; canvas.classList.remove("dragging"); };
  canvas.addEventListener("pointerdown", (event) => { press = { x: event.offsetX, start: view.start, stop: view.stop, moved: false }; canvas.setPointerCapture(event.pointerId); });
  canvas.addEventListener("pointermove", (event) => {
    if (!press) { point(finding(event), event.clientX, event.clientY); return; }
    if (Math.abs(event.offsetX - press.x) > 3) press.moved = true;
    if (!press.moved) return;
    canvas.classList.add("dragging");
    const shift = ((press.x - event.offsetX) / (canvas.clientWidth - left())) * (press.stop - press.start);
    show(press.start + shift, press.stop + shift);
  });
  canvas.addEventListener("pointerup", (event) => {
    if (press && !press.moved) {
      const n = finding(event);
      if (canvas === lanes) { select(n); play(n); } else playFrom(sampleAt(event.offsetX, canvas.clientWidth));
    }
    release();
  });
  canvas.addEventListener("pointercancel", release);
  canvas.addEventListener("pointerleave", () => point(-1));
  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
      const shift = ((event.deltaX || event.deltaY) / canvas.clientWidth) * (view.stop - view.start);
      show(view.start + shift, view.stop + shift);
    } else {
      zoom(Math.exp(event.deltaY * (event.deltaMode === 1 ? 18 : 1) * (event.ctrlKey ? 0.01 : 0.0016)), sampleAt(event.offsetX, canvas.clientWidth));
    }
  }, { passive: false });
}
const jump = (event) => { const half = (view.stop - view.start) / 2, middle = (event.offsetX / overview.clientWidth) * total; show(middle - half, middle + half); };
overview.addEventListener("pointerdown", (event) => { overview.setPointerCapture(event.pointerId); jump(event); });
overview.addEventListener("pointermove", (event) => { if (event.buttons) jump(event); });

// ---- keys and buttons --------------------------------------------------------------------------------------------
const keys = {
  j: () => selectNext(1), arrowright: () => selectNext(1), k: () => selectNext(-1), arrowleft: () => selectNext(-1),
  " ": () => { if (choice.selected < 0) selectNext(1); playOrStop(); },
  y: () => decide("keep"), x: () => decide("reject"), u: () => decide(""),
  "+": () => zoom(0.7), "=": () => zoom(0.7), "-": () => zoom(1 / 0.7), 0: () => show(0, total), escape: () => { play(-1); select(-1); },
};
document.addEventListener("keydown", (event) => {
  const act = keys[event.key.toLowerCase()];
  if (!act || event.ctrlKey || event.metaKey || event.altKey || (event.key === " " && event.target.tagName === "BUTTON")) return;
  act();
  event.preventDefault();
});
byId("closer").addEventListener("click", () => zoom(0.7));
byId("farther").addEventListener("click", () => zoom(1 / 0.7));
byId("fit").addEventListener("click", () => show(0, total));
byId("next").addEventListener("click", () => selectNext(1));
byId("previous").addEventListener("click", () => selectNext(-1));
darkQuery.addEventListener("change", () => { recolourTable(); draw(); });
new ResizeObserver(draw).observe(lanes);

lanes.style.height = `${RULER + Math.max(1, data.lanes.length) * ROW + 3}px`;
const facts = [["length", clock(total)], ["rate", `${rate.toLocaleString("en")} Hz`], ["segments", data.segments.length.toLocaleString("en")], ["marked", clock(unionLength(data.segments))]];
if (data.findings.length) facts.push(["measured findings", data.findings.length.toLocaleString("en")]);
if (data.no_data.length) facts.push(["without data (grey)", clock(unionLength(data.no_data))]);
if (data.out_of_phase.length) facts.push(["channels out of phase", clock(unionLength(data.out_of_phase))]);
fillFacts(byId("facts"), facts);
fillFacts(byId("measured"), data.facts);
byId("measured").hidden = !data.facts.length;
document.querySelector(".channel").hidden = !hasChannels;
document.querySelector(".timecode").hidden = !data.timecodes;
byId("list").hidden = document.querySelector(".findings").hidden = !segments.length;
byId("none").hidden = data.segments.length > 0;
byId("unheard").textContent = data.unheard.length ? `Not detected: ${data.unheard.join(", ")}.` : "";
byId("sounds").textContent = soundFacts();
state.segments = segments.length;
fillTable(500);
report();
show(0, total);
