// Draws the waveform and the spectrogram of the part that is shown, each from the coarsest data that fill the pixels.
import { byId, fitCanvas, token } from "../../core/html/base.js";
import { levelsImage } from "../../pages/shared/levels.js";
import { bytes } from "../../pages/shared/stored.js";
import { detail, detailChanged } from "./detail.js";
import { data, left, px, sampleAt, view } from "./view.js";

const WAVE = 60, GAP = 6; // heights in pixels; the spectrogram has the rest
export const strips = byId("strips");
const { overview } = data;
strips.hidden = !overview;

// Columns of the waveform, and of each further level half as many: { hop in samples, low, high }.
const levels = [];
if (overview) {
  levels.push({ hop: overview.hop, low: new Int8Array(bytes(overview.low).buffer), high: new Int8Array(bytes(overview.high).buffer) });
  while (levels.at(-1).low.length > 2048) levels.push(halved(levels.at(-1)));
}
function halved({ hop, low, high }) {
  const count = Math.ceil(low.length / 2), joined = { hop: 2 * hop, low: new Int8Array(count), high: new Int8Array(count) };
  for (let n = 0; n < count; n++) {
    const next = Math.min(2 * n + 1, low.length - 1);
    joined.low[n] = Math.min(low[2 * n], low[next]);
    joined.high[n] = Math.max(high[2 * n], high[next]);
  }
  return joined;
}

const images = new Map(); // part of the recording -> its spectrogram as an image
let ground = "";
detailChanged.on(() => { for (const part of images.keys()) if (part !== overview) images.delete(part); });

export function paintStrips() {
  if (!overview) return;
  const { context: g, width, height } = fitCanvas(strips), edge = left();
  g.clearRect(0, 0, width, height);
  g.font = `11px ${getComputedStyle(document.body).fontFamily}`;
  g.textBaseline = "middle";
  const perPixel = (view.stop - view.start) / (width - edge);
  paintWave(g, width, edge, 0, levels.findLast((level) => level.hop <= perPixel) ?? levels[0]);
  paintSpectrogram(g, width, height, edge, 0, overview);
  const { part } = detail; // its sound is drawn over the rest where it shows more
  if (part && overview.hop > perPixel / 2) paintWave(g, width, edge, part.start, part);
  if (part && overview.frame > 2 * perPixel) paintSpectrogram(g, width, height, edge, part.start, part);
  g.textAlign = "right"; g.fillStyle = token("--soft");
  g.fillText(`peak ${overview.peak_dbfs.toFixed(1)} dBFS`, edge - 8, WAVE / 2, edge - 12);
  for (const hertz of [100, 1000, 10000]) {
    const y = WAVE + GAP + (height - WAVE - GAP) * (1 - Math.log(hertz / overview.lowest_hz) / Math.log(overview.highest_hz / overview.lowest_hz));
    if (y > WAVE + GAP + 6 && y < height - 5) g.fillText(hertz < 1000 ? `${hertz} Hz` : `${hertz / 1000} kHz`, edge - 8, y);
  }
  g.strokeStyle = token("--line"); g.beginPath(); g.moveTo(edge + 0.5, 0); g.lineTo(edge + 0.5, height); g.stroke();
}

// Columns of `hop` samples from the sample `start` on, over what is there.
function paintWave(g, width, edge, start, { hop, low, high }) {
  const middle = WAVE / 2, scale = (WAVE / 2 - 2) / 127;
  const from = Math.max(Math.floor(edge), Math.floor(px(start, width))), to = Math.min(width, px(start + low.length * hop, width));
  if (to <= from) return;
  g.clearRect(from, 0, to - from, WAVE);
  g.fillStyle = token("--soft");
  g.beginPath();
  for (let x = from; x < to; x++) {
    const first = Math.floor((sampleAt(x, width) - start) / hop), last = Math.max(first + 1, Math.ceil((sampleAt(x + 1, width) - start) / hop));
    let bottom = 127, top = -127;
    for (let n = Math.max(0, first); n < Math.min(last, low.length); n++) { bottom = Math.min(bottom, low[n]); top = Math.max(top, high[n]); }
    if (bottom <= top) g.rect(x, middle - top * scale - 0.5, 1, (top - bottom) * scale + 1);
  }
  g.fill();
}

function paintSpectrogram(g, width, height, edge, start, part) {
  const background = token("--bg"), y = WAVE + GAP, { frame, columns, rows } = part;
  if (ground !== background) { ground = background; images.clear(); }
  if (!images.has(part)) images.set(part, levelsImage(part, background));
  // Only the columns in view are drawn: a stretched image of hours would exceed what a canvas can hold.
  const first = Math.max(0, Math.floor((view.start - start) / frame)), last = Math.min(columns, Math.ceil((view.stop - start) / frame));
  if (last <= first) return;
  const from = px(start + first * frame, width), to = px(start + last * frame, width);
  g.save();
  g.beginPath(); g.rect(edge, y, width - edge, height - y); g.clip();
  g.clearRect(from, y, to - from, height - y);
  g.drawImage(images.get(part), first, 0, last - first, rows, from, y, to - from, height - y);
  g.restore();
}
