// The waveform and the spectrogram of the item on the panel, with axes, the segments that the artifact changed, a playhead,
// and a span that the user marks by dragging or with the square brackets. Times t are seconds from the left edge.
import { byId, fitCanvas, state, token } from "../../core/html/base.js";
import { say } from "../shared/asking.js";
import { FLOOR, GUTTER, axesOf } from "../shared/axes.js";
import { drawSpectrum, drawWave } from "../shared/drawing.js";
import { levelsImage } from "../shared/levels.js";
import { player, soundChanged, soundMoved } from "../shared/player.js";
import { page, playback } from "./page.js";

export const seconds = (picture) => picture.samples / picture.rate;
export const home = (picture) => picture.span[0] / picture.rate; // where the row itself begins, behind its context
export const playing = () => Boolean(player.voice) && player.key === page.item?.key;
export const playhead = () => (playing() ? player.position() : page.item.at);

// What the axes cover: the zoom of the item, else all of its sound.
export function viewOf({ zoom, picture }) {
  const { log } = playback, high = Math.min(zoom.high ?? playback.high ?? Infinity, picture.rate / 2);
  return { from: zoom.from ?? 0, to: zoom.to ?? seconds(picture), low: Math.min(Math.max(zoom.low ?? 0, log ? 20 : 0), high / 2), high, log };
}
export function axes() {
  const { width, height } = byId("view").getBoundingClientRect();
  return axesOf(viewOf(page.item), width, height - byId("wave").getBoundingClientRect().height);
}
// Colours the spectrogram of the item in the present theme and range.
export function paintLevels() { if (page.item?.picture) page.item.image = levelsImage(page.item.picture, token("--bg"), playback.range); }

export function paintPicture() {
  const wave = fitCanvas(byId("wave")), spectrum = fitCanvas(byId("spectrogram"));
  for (const { context, width, height } of [wave, spectrum]) context.clearRect(0, 0, width + 1, height + 1); // the last pixel may be a part of one
  const picture = page.item?.picture;
  byId("key-touched").hidden = !picture?.segments.length;
  byId("key-outside").hidden = !page.item?.pad;
  byId("marks").textContent = picture ? marksText(picture) : "";
  if (picture) {
    const shared = axes();
    drawWave(wave.context, shared, wave.height, picture);
    outside(wave.context, shared, picture, wave.height);
    drawSpectrum(spectrum.context, shared, picture, page.item.image, home(picture));
    outside(spectrum.context, shared, picture, shared.deep);
  }
  cursor();
}
function marksText({ relation, clipped, mains }) {
  const many = clipped.reduce((sum, [, , samples]) => sum + samples, 0);
  return [relation, many ? `${many.toLocaleString("en")} clipped samples` : "", mains ? `mains hum ${mains.hz} Hz, ${mains.level_db.toFixed(0)} dBFS`.replace("-", "−") : ""].filter(Boolean).join(" · ");
}
function outside(g, { x, width }, picture, height) { // context, which is not part of the row, is dimmed
  g.fillStyle = token("--panel");
  g.globalAlpha = 0.62;
  const [xa, xb] = [x(home(picture)), x(picture.span[1] / picture.rate)];
  if (xa > GUTTER + 0.5) g.fillRect(GUTTER, 0, Math.min(xa, width) - GUTTER, height);
  if (xb < width - 0.5) g.fillRect(Math.max(GUTTER, xb), 0, width - Math.max(GUTTER, xb), height);
  g.globalAlpha = 1;
}

// ---- playhead and span -------------------------------------------------------------------------------------------
export const clockText = (t) => `${t < 0 ? "−" : ""}${Math.abs(t).toFixed(3)} s`;
export function cursor() {
  const { context: g, width, height } = fitCanvas(byId("cursor")), picture = page.item?.picture;
  g.clearRect(0, 0, width + 1, height + 1);
  if (!picture) { byId("clock").textContent = ""; return; }
  const at = playhead(), deep = height - FLOOR, { span, cross } = page.item, { x, from, to } = axes();
  g.save();
  g.beginPath(); g.rect(GUTTER, 0, width - GUTTER, height); g.clip();
  if (span) {
    const [xa, xb] = span.map(x);
    g.fillStyle = g.strokeStyle = token("--accent");
    g.globalAlpha = 0.16;
    g.fillRect(xa, 0, xb - xa, deep);
    g.globalAlpha = 1;
    g.lineWidth = 1.5;
    g.strokeRect(xa, 0.75, xb - xa, deep - 1.5);
  }
  if ((playing() || at > 0) && at >= from && at <= to) {
    g.fillStyle = token("--bg");
    g.fillRect(x(at) - 2, 0, 4, deep);
    g.fillStyle = token("--text");
    g.fillRect(x(at) - 0.75, 0, 1.5, deep);
  }
  if (cross) {
    g.fillStyle = token("--accent");
    g.fillRect(x(cross.t) - 0.5, 0, 1, deep);
    if (cross.hz !== null) g.fillRect(GUTTER, cross.y - 0.5, width - GUTTER, 1);
  }
  g.restore();
  const fromHome = at - home(picture);
  byId("clock").textContent = cross?.text ?? (span ? `${clockText(span[0] - home(picture))} to ${clockText(span[1] - home(picture))}` : `${clockText(fromHome)} of ${seconds(picture).toFixed(2)} s`);
  const slider = byId("view");
  slider.setAttribute("aria-valuemax", seconds(picture).toFixed(2));
  slider.setAttribute("aria-valuenow", at.toFixed(2));
  slider.setAttribute("aria-valuetext", `${fromHome.toFixed(2)} seconds`);
}
soundChanged.on(cursor);
soundMoved.on(cursor);

export function markSpan(span) { // null for none; shorter than 10 ms is none
  const { item } = page;
  if (!item) return;
  item.span = span && span[1] - span[0] >= 0.01 ? span : null;
  byId("span").hidden = !item.span;
  state.span = item.span ? item.span.map((t) => (t - home(item.picture)).toFixed(3)).join(" ") : "";
  cursor();
}
export function markEdge(end) { // keys [ and ]: the span begins (0) or ends (1) at the playhead
  const { item } = page;
  if (!item?.picture) return;
  const at = playhead(), [a, b] = item.span ?? [0, seconds(item.picture)];
  markSpan(end ? [Math.min(a, at), at] : [at, Math.max(b, at)]);
  say(item.span ? `Span ${byId("clock").textContent}` : "No span: its end must lie behind its start.");
}
