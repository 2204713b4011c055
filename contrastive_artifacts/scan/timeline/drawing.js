// Draws the lanes and the overview of the whole recording.
import { byId, darkQuery, fitCanvas, outline, token } from "../../core/html/base.js";
import { choice } from "./choice.js";
import { decisionOf } from "./decisions.js";
import { ROW, RULER, clock, data, laneName, lanes, left, lookOf, px, rate, segments, tickDistance, total, view } from "./view.js";

const overview = byId("overview");
const TALLEST = ROW - 9;
const MOST_BARS = 1500; // that are drawn one by one
// Height of the bar of a finding: its severity, half where it is unknown, all for measured ones.
const barHeight = (s) => TALLEST * (s.value !== null ? 1 : 0.3 + 0.7 * (s.severity ?? 0.5));

export function paintLanes() {
  const { context: g, width, height } = fitCanvas(lanes), edge = left();
  g.clearRect(0, 0, width, height);
  g.font = `12px ${getComputedStyle(document.body).fontFamily}`;
  g.textBaseline = "middle";
  paintRuler(g, width, height, edge);
  g.save();
  g.beginPath(); g.rect(edge, 0, width - edge, height); g.clip();
  g.fillStyle = token("--line");
  for (const [start, stop] of data.no_data) g.fillRect(px(start, width), RULER, px(stop, width) - px(start, width), height - RULER);
  paintBars(g, width);
  g.restore();
  g.textAlign = "left";
  data.lanes.forEach((lane, n) => {
    const look = lookOf(lane[0]), y = RULER + n * ROW + ROW / 2 + 1;
    g.fillStyle = look.fill;
    g.translate(16, y); g.fill(new Path2D(outline(look.shape, 5))); g.translate(-16, -y);
    g.fillStyle = token("--text");
    g.fillText(laneName(lane), 28, y, edge - 34);
  });
  g.strokeStyle = token("--line"); g.beginPath(); g.moveTo(edge + 0.5, 0); g.lineTo(edge + 0.5, height); g.stroke();
}

function paintRuler(g, width, height, edge) {
  const seconds = (view.stop - view.start) / rate, tick = tickDistance(seconds, width - edge);
  g.strokeStyle = token("--line");
  for (let n = Math.ceil(view.start / rate / tick); n * tick * rate <= view.stop; n++) {
    const x = Math.round(px(n * tick * rate, width)) + 0.5;
    g.beginPath(); g.moveTo(x, RULER - 7); g.lineTo(x, height); g.stroke();
    const label = clock(n * tick * rate, tick < 0.1 ? 2 : tick < 1 ? 1 : 0), half = g.measureText(label).width / 2;
    if (x + half < width) { g.fillStyle = token("--soft"); g.textAlign = x - edge < half + 4 ? "left" : "center"; g.fillText(label, x, 11); }
  }
  data.lanes.forEach((_, n) => { const y = RULER + n * ROW + 0.5; g.beginPath(); g.moveTo(0, y); g.lineTo(width, y); g.stroke(); });
}

function paintBars(g, width) {
  const colours = data.lanes.map((lane) => lookOf(lane[0]).fill), seen = [];
  segments.forEach((s, n) => { if (s.stop >= view.start && s.start <= view.stop) seen.push(n); });
  const bar = (s, height) => {
    const x = px(s.start, width), w = Math.max(3, px(s.stop, width) - x);
    g.beginPath(); g.roundRect(x, RULER + (s.lane + 1) * ROW - 4 - height, w, height, Math.min(4, w / 2));
  };
  if (seen.length > MOST_BARS) paintColumns(g, width, seen, colours);
  else {
    for (const n of seen) {
      g.globalAlpha = decisionOf(n) === "reject" ? 0.3 : 1;
      g.fillStyle = colours[segments[n].lane];
      bar(segments[n], barHeight(segments[n])); g.fill();
    }
    g.globalAlpha = 1;
  }
  g.lineWidth = 2;
  for (const [n, name] of [[choice.selected, "--accent"], [choice.hovered, "--text"]]) {
    if (n < 0) continue;
    g.strokeStyle = token(name);
    bar(segments[n], TALLEST); g.stroke();
  }
  g.lineWidth = 1;
}
// Of thousands of bars only the tallest of each pixel column is drawn, so that they cost no more than the lanes are wide.
function paintColumns(g, width, seen, colours) {
  const heights = data.lanes.map(() => new Float32Array(Math.ceil(width)));
  for (const n of seen) {
    const s = segments[n], tall = barHeight(s) * (decisionOf(n) === "reject" ? 0.3 : 1);
    const first = Math.max(0, Math.floor(px(s.start, width))), last = Math.min(heights[s.lane].length - 1, Math.floor(px(s.stop, width)));
    for (let x = first; x <= last; x++) if (heights[s.lane][x] < tall) heights[s.lane][x] = tall;
  }
  heights.forEach((columns, lane) => {
    const bottom = RULER + (lane + 1) * ROW - 4;
    g.fillStyle = colours[lane];
    for (let x = 0, from = 0; x < columns.length; x++) {
      if (columns[x + 1] === columns[x]) continue;
      if (columns[x]) g.fillRect(from, bottom - columns[x], x + 1 - from, columns[x]);
      from = x + 1;
    }
  });
}

// The lanes of the whole recording, drawn anew for another size or colour scheme only.
let whole = null, drawnFor = "";
function wholeLanes(width, height) {
  const about = `${width} ${height} ${devicePixelRatio} ${darkQuery.matches}`;
  if (drawnFor === about) return whole;
  drawnFor = about;
  whole = new OffscreenCanvas(Math.round(width * devicePixelRatio), Math.round(height * devicePixelRatio));
  const g = whole.getContext("2d"), scale = width / total, row = (height - 6) / Math.max(1, data.lanes.length);
  g.scale(devicePixelRatio, devicePixelRatio);
  g.fillStyle = token("--line");
  for (const [start, stop] of data.no_data) g.fillRect(start * scale, 0, (stop - start) * scale, height);
  const colours = data.lanes.map((lane) => lookOf(lane[0]).fill);
  for (const s of segments) {
    g.fillStyle = colours[s.lane];
    g.fillRect(s.start * scale, 3 + s.lane * row, Math.max(1, (s.stop - s.start) * scale), Math.max(1, row - 0.5));
  }
  return whole;
}
export function paintOverview() {
  const { context: g, width, height } = fitCanvas(overview), scale = width / total;
  g.clearRect(0, 0, width, height);
  g.drawImage(wholeLanes(width, height), 0, 0, width, height);
  if (view.stop - view.start < total) {
    g.fillStyle = token("--accent"); g.globalAlpha = 0.16;
    g.fillRect(view.start * scale, 0, (view.stop - view.start) * scale, height);
    g.globalAlpha = 1; g.strokeStyle = token("--accent");
    g.strokeRect(view.start * scale + 0.5, 0.5, Math.max(2, (view.stop - view.start) * scale - 1), height - 1);
  }
}
