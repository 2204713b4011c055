// Geometry of the timeline: findings, lanes, and the part of the recording that is shown. Positions are samples at the
// recording's own rate; seconds appear only as text.
import { byId, read, signal, state, token } from "../../core/html/base.js";
import { faultLook } from "../../pages/shared/marks.js";

export const data = read("data");
export const rate = data.sample_rate;
export const total = Math.max(1, data.samples);
const heard = data.segments.map(([start, stop, label, severity, confidence, channel, sound]) => ({ start, stop, label, severity, confidence, channel, value: null, sound }));
// Measured findings are segments with a value, without a severity and a confidence. sound: number of its block, or -1.
const measured = data.findings.map(([start, stop, label, value, channel, sound]) => ({ start, stop, label, severity: null, confidence: null, channel, value, sound }));
// Time codes of the first frame and of the frame after the last one, where the recording has one.
[...heard, ...measured].forEach((s, n) => { s.timecode = data.timecodes?.[n] ?? null; });
export const segments = [...heard, ...measured].sort((a, b) => a.start - b.start || a.stop - b.stop);
const laneOf = new Map(data.lanes.map(([label, channel], n) => [`${channel}|${label}`, n]));
segments.forEach((s) => { s.lane = laneOf.get(`${s.channel}|${s.label}`); });
const isMeasured = new Set(measured.map((s) => s.label));
// The look of a lane: that of its artifact on every page, measured ones in a colour of their own.
export const lookOf = (label) => (isMeasured.has(label) ? { fill: token("--text"), shape: "diamond" } : faultLook(data.places[label]));

export const lanes = byId("lanes"); // the canvas
export const ROW = 30; // height of a lane in pixels
export const RULER = 28; // height of the ruler
export const laneName = ([label, channel]) => (channel === null ? label : `${label} · ch ${channel + 1}`);
// Width of the lane names.
export const left = () => Math.min(220, Math.max(110, 40 + 7.4 * Math.max(...data.lanes.map((lane) => laneName(lane).length))));

export const view = { start: 0, stop: total };
export const viewChanged = signal();

// Shows [start, stop), widened to 50 ms and moved into the recording.
export function show(start, stop) {
  const width = Math.min(total, Math.max(stop - start, Math.min(total, rate * 0.05)));
  view.start = Math.min(Math.max(0, start + (stop - start - width) / 2), total - width);
  view.stop = view.start + width;
  byId("range").textContent = `${clock(view.start)} – ${clock(view.stop)} of ${clock(total)}`;
  state.range = `${Math.round(view.start)} ${Math.round(view.stop)}`;
  viewChanged.emit();
}
export function zoom(factor, at = (view.start + view.stop) / 2) { show(at - (at - view.start) * factor, at + (view.stop - at) * factor); }
// x on a canvas of that width for a sample, and the reverse.
export const px = (sample, width) => left() + ((sample - view.start) / (view.stop - view.start)) * (width - left());
export const sampleAt = (x, width) => view.start + ((x - left()) / (width - left())) * (view.stop - view.start);

// h:mm:ss with decimals.
export function clock(sample, digits = 2) {
  const unit = 10 ** digits, ticks = Math.round((sample / rate) * unit), seconds = Math.floor(ticks / unit);
  const two = (n) => String(n).padStart(2, "0");
  const fraction = digits ? `.${String(ticks % unit).padStart(digits, "0")}` : "";
  const h = Math.floor(seconds / 3600), m = Math.floor(seconds / 60) % 60;
  return `${h ? `${h}:${two(m)}` : m}:${two(seconds % 60)}${fraction}`;
}
// Distance of the ticks in seconds: the smallest round one whose labels are at least 90 px apart.
export function tickDistance(seconds, width) {
  const distances = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400];
  return distances.find((s) => (width * s) / seconds >= 90) ?? 28800 * Math.max(1, Math.ceil((90 * seconds) / width / 28800));
}

// What is said of a finding.
export const severityOf = (s) => (s.severity === null ? "unknown" : s.severity.toFixed(2));
export const confidenceOf = (s) => `${Math.round(100 * s.confidence)} %`;
export const channelOf = (s) => (s.channel === null ? (s.value === null ? "mix" : "all") : String(s.channel + 1));
export const secondsOf = (s) => `${((s.stop - s.start) / rate).toFixed(2)} s`;
// Length of the union of [start, stop) spans, in samples: what several channels or artifacts mark counts once.
export function unionLength(spans) {
  let length = 0, reached = 0;
  for (const [start, stop] of [...spans].sort((a, b) => a[0] - b[0])) {
    length += Math.max(0, stop - Math.max(start, reached));
    reached = Math.max(reached, stop);
  }
  return length;
}
