// Draws the waveform and the spectrogram of a sound on axes (see axes.js), with what is marked in them. A picture is what
// shared/spectrogram.py makes, with { rate, shown: [a, b], segments, clipped, mains }, all in samples of the sound.
import { token } from "../../core/html/base.js";
import { FLOOR, GUTTER, hertzText, hertzTicks, timeTicks } from "./axes.js";

const LINES = 8; // of mains hum
const MANY = 60; // segments; more have no dashed lines

export function label(g, text, x, y, align) {
  Object.assign(g, { font: "10.5px system-ui, sans-serif", textAlign: align, textBaseline: "middle", fillStyle: token("--soft") });
  g.fillText(text, x, y);
}
export function spans(g, axes, picture, ranges, colour, top, height) { // ranges [start, stop) in samples
  g.fillStyle = token(colour);
  for (const [a, b] of ranges) {
    const from = Math.max(GUTTER, axes.x(a / picture.rate)), to = Math.min(axes.width, axes.x(b / picture.rate));
    if (to >= GUTTER && from <= axes.width) g.fillRect(from, top, Math.max(1.5, to - from), height);
  }
}
// One lane for all channels, or one for each.
export function drawWave(g, axes, height, picture) {
  const { width, x } = axes, lanes = picture.lanes.length ? picture.lanes : [[picture.low, picture.high]], deep = height / lanes.length;
  const reach = Math.max(1e-4, ...picture.high, ...picture.low.map((v) => -v)) * 1.04;
  g.fillStyle = token("--bg");
  g.fillRect(GUTTER, 0, width - GUTTER, height);
  g.globalAlpha = 0.16;
  spans(g, axes, picture, picture.segments, "--touched", 0, height);
  g.globalAlpha = 1;
  g.save();
  g.beginPath(); g.rect(GUTTER, 0, width - GUTTER, height); g.clip();
  lanes.forEach(([low, high], lane) => {
    const middle = (lane + 0.5) * deep, begin = x(picture.shown[0] / picture.rate), step = (x(picture.shown[1] / picture.rate) - begin) / low.length;
    g.strokeStyle = token("--line");
    g.beginPath(); g.moveTo(GUTTER, middle); g.lineTo(width, middle); g.stroke();
    g.fillStyle = token("--accent");
    low.forEach((bottom, n) => {
      const above = middle - (high[n] / reach) * (deep / 2), below = middle - (bottom / reach) * (deep / 2);
      g.fillRect(begin + n * step, above, Math.max(1, step - 0.15), Math.max(1, below - above));
    });
  });
  spans(g, axes, picture, picture.clipped, "--reject", 0, 3);
  spans(g, axes, picture, picture.clipped, "--reject", height - 3, 3);
  g.restore();
  if (lanes.length === 2) ["L", "R"].forEach((name, lane) => label(g, name, GUTTER - 5, (lane + 0.5) * deep, "right"));
  else label(g, `${(20 * Math.log10(reach / 1.04)).toFixed(0)} dB`.replace("-", "−"), GUTTER - 5, 9, "right");
}
export function drawSpectrum(g, axes, picture, image, home) {
  const { width, deep, x, y } = axes, left = x(picture.shown[0] / picture.rate), top = y(picture.top_hz);
  g.save();
  g.beginPath(); g.rect(GUTTER, 0, width - GUTTER, deep); g.clip();
  g.imageSmoothingEnabled = true;
  g.drawImage(image, left, top, x(picture.shown[1] / picture.rate) - left, y(picture.bottom_hz) - top);
  spans(g, axes, picture, picture.segments, "--touched", 0, 5);
  spans(g, axes, picture, picture.clipped, "--reject", 0, 3);
  g.globalAlpha = 0.75;
  g.strokeStyle = token("--touched");
  g.setLineDash([3, 3]);
  for (const [a, b] of picture.segments.length <= MANY ? picture.segments : []) { // begin and end; one line if it is too narrow for two
    const [xa, xb] = [x(a / picture.rate), x(b / picture.rate)];
    for (const at of xb - xa > 5 ? [xa, xb] : [xa]) { g.beginPath(); g.moveTo(at, 5); g.lineTo(at, deep); g.stroke(); }
  }
  g.setLineDash([]);
  drawMains(g, axes, picture.mains);
  g.restore();
  g.fillStyle = token("--soft");
  for (const hz of hertzTicks(axes)) {
    g.fillRect(GUTTER - 4, Math.min(y(hz), deep - 1), 4, 1);
    if (hz) label(g, hertzText(hz), GUTTER - 6, Math.min(deep - 4, Math.max(8, y(hz))), "right");
  }
  for (const [at, text] of timeTicks(axes, home)) {
    g.fillRect(Math.min(x(at), width - 1), deep, 1, 4);
    label(g, text, Math.min(Math.max(x(at), GUTTER + 12), width - 18), deep + FLOOR - 6, "center");
  }
}
function drawMains(g, { width, y, low, high }, mains) { // where they would lie too close, only at the left edge
  if (!mains) return;
  const apart = Math.abs(y(mains.hz) - y(2 * mains.hz)) > 5;
  g.fillStyle = token("--accent");
  for (let n = 1; n <= LINES; n++) {
    const hz = n * mains.hz;
    if (hz < low || hz > high) continue;
    g.globalAlpha = 0.9;
    g.fillRect(GUTTER, y(hz) - 0.75, 8, 1.5);
    g.globalAlpha = 0.35;
    if (apart) g.fillRect(GUTTER, y(hz) - 0.5, width - GUTTER, 1);
  }
  g.globalAlpha = 1;
}
