// The waveform and the spectrogram of the item on the panel, with axes, the segments that the artifact changed, a playhead,
// and a span that the user marks by dragging or with the square brackets. Times t are seconds from the left edge.
import { byId, fitCanvas, state, token } from "../../core/html/base.js";
import { say } from "../shared/asking.js";
import { levelsImage } from "../shared/levels.js";
import { player, soundChanged, soundMoved } from "../shared/player.js";
import { page } from "./page.js";

const GUTTER = 50, FLOOR = 17; // pixels for the frequency axis at the left and the time axis below
const TICKS_S = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20];
const TICKS_HZ = [50, 100, 200, 250, 500, 1000, 2000, 4000, 5000, 10000, 20000];

export const seconds = (picture) => picture.samples / picture.rate;
export const home = (picture) => picture.span[0] / picture.rate; // where the row itself begins, behind its context
const across = (t, width) => GUTTER + (t / seconds(page.item.picture)) * (width - GUTTER);
export const playing = () => Boolean(player.voice) && player.key === page.item?.key;
export const playhead = () => (playing() ? player.position() : page.item.at);

// Colours the spectrogram of the item in the present theme.
export function paintLevels() { if (page.item?.picture) page.item.image = levelsImage(page.item.picture, token("--bg")); }

export function paintPicture() {
  const wave = fitCanvas(byId("wave")), spectrum = fitCanvas(byId("spectrogram"));
  for (const { context, width, height } of [wave, spectrum]) context.clearRect(0, 0, width + 1, height + 1); // the last pixel may be a part of one
  const picture = page.item?.picture;
  byId("key-touched").hidden = !picture?.segments.length;
  byId("key-outside").hidden = !page.item?.pad;
  if (picture) { paintWave(wave, picture); paintSpectrum(spectrum, picture); }
  cursor();
}
function paintWave({ context: g, width, height }, picture) {
  const reach = Math.max(1e-4, ...picture.high, ...picture.low.map((v) => -v)) * 1.04, half = height / 2, step = (width - GUTTER) / picture.low.length;
  g.fillStyle = token("--bg");
  g.fillRect(GUTTER, 0, width - GUTTER, height);
  g.globalAlpha = 0.16;
  bands(g, picture, width, 0, height);
  g.globalAlpha = 1;
  g.strokeStyle = token("--line");
  g.beginPath(); g.moveTo(GUTTER, half); g.lineTo(width, half); g.stroke();
  g.fillStyle = token("--accent");
  picture.low.forEach((bottom, n) => {
    const above = half - (picture.high[n] / reach) * half, below = half - (bottom / reach) * half;
    g.fillRect(GUTTER + n * step, above, Math.max(1, step - 0.15), Math.max(1, below - above));
  });
  label(g, `${(20 * Math.log10(reach / 1.04)).toFixed(0)} dBFS`, GUTTER - 5, 9, "right");
  outside(g, picture, width, height);
}
function paintSpectrum({ context: g, width, height }, picture) {
  const deep = height - FLOOR;
  g.imageSmoothingEnabled = true;
  g.drawImage(page.item.image, GUTTER, 0, width - GUTTER, deep);
  bands(g, picture, width, 0, 5);
  g.globalAlpha = 0.75;
  g.setLineDash([3, 3]);
  g.strokeStyle = token("--touched");
  for (const [a, b] of picture.segments) { // begin and end of each segment; one line if it is too narrow for two
    const [xa, xb] = [across(a / picture.rate, width), across(b / picture.rate, width)];
    for (const x of xb - xa > 5 ? [xa, xb] : [xa]) if (picture.segments.length <= 60) { g.beginPath(); g.moveTo(x, 5); g.lineTo(x, deep); g.stroke(); }
  }
  g.setLineDash([]);
  g.globalAlpha = 1;
  outside(g, picture, width, deep);
  g.strokeStyle = token("--soft");
  const tick = TICKS_HZ.find((hz) => picture.top_hz / hz <= Math.max(2.5, deep / 30)) ?? picture.top_hz;
  for (let hz = 0; hz < picture.top_hz * 0.97; hz += tick) {
    const y = deep * (1 - hz / picture.top_hz);
    g.fillStyle = token("--soft");
    g.fillRect(GUTTER - 4, Math.min(y, deep - 1), 4, 1);
    if (hz) label(g, picture.top_hz <= 2000 ? `${hz} Hz` : `${hz / 1000} kHz`, GUTTER - 6, Math.min(deep - 4, Math.max(8, y)), "right");
  }
  const long = seconds(picture), every = TICKS_S.find((s) => long / s <= (width - GUTTER) / 62) ?? 50, places = every < 0.01 ? 3 : every < 0.1 ? 2 : every < 1 ? 1 : 0;
  for (let n = Math.ceil(-home(picture) / every); n * every <= long - home(picture) + 1e-9; n++) { // seconds from the row's own start
    const x = across(n * every + home(picture), width);
    g.fillRect(Math.min(x, width - 1), deep, 1, 4);
    const text = `${(n * every).toFixed(places)} s`.replace("-", "−");
    label(g, text, Math.min(Math.max(x, GUTTER + 10), width - 14), deep + 11, "center");
  }
}
function label(g, text, x, y, align) {
  Object.assign(g, { font: "10.5px system-ui, sans-serif", textAlign: align, textBaseline: "middle", fillStyle: token("--soft") });
  g.fillText(text, x, y);
}
function bands(g, picture, width, top, height) {
  g.fillStyle = token("--touched");
  for (const [a, b] of picture.segments) {
    const x = across(a / picture.rate, width);
    g.fillRect(x, top, Math.max(1.5, across(b / picture.rate, width) - x), height);
  }
}
function outside(g, picture, width, height) { // context, which is not part of the row, is dimmed
  g.fillStyle = token("--panel");
  g.globalAlpha = 0.62;
  const [xa, xb] = [across(home(picture), width), across(picture.span[1] / picture.rate, width)];
  if (xa > GUTTER + 0.5) g.fillRect(GUTTER, 0, xa - GUTTER, height);
  if (xb < width - 0.5) g.fillRect(xb, 0, width - xb, height);
  g.globalAlpha = 1;
}

// ---- playhead and span -------------------------------------------------------------------------------------------
const clockText = (t) => `${t < 0 ? "−" : ""}${Math.abs(t).toFixed(3)} s`;
export function cursor() {
  const { context: g, width, height } = fitCanvas(byId("cursor")), picture = page.item?.picture;
  g.clearRect(0, 0, width, height);
  if (!picture) { byId("clock").textContent = ""; return; }
  const at = playhead(), deep = height - FLOOR, { span } = page.item;
  if (span) {
    const [xa, xb] = span.map((t) => across(t, width));
    g.fillStyle = g.strokeStyle = token("--accent");
    g.globalAlpha = 0.16;
    g.fillRect(xa, 0, xb - xa, deep);
    g.globalAlpha = 1;
    g.lineWidth = 1.5;
    g.strokeRect(xa, 0.75, xb - xa, deep - 1.5);
  }
  if (playing() || at > 0) {
    const x = across(at, width);
    g.fillStyle = token("--bg");
    g.fillRect(x - 2, 0, 4, deep);
    g.fillStyle = token("--text");
    g.fillRect(x - 0.75, 0, 1.5, deep);
  }
  const fromHome = at - home(picture);
  byId("clock").textContent = span ? `${clockText(span[0] - home(picture))} to ${clockText(span[1] - home(picture))}` : `${clockText(fromHome)} of ${seconds(picture).toFixed(2)} s`;
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
  byId("span").hidden = !item.span || item.row < 0;
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
export function timeAt(event) {
  const rest = byId("view").getBoundingClientRect();
  return Math.min(1, Math.max(0, (event.clientX - rest.left - GUTTER) / (rest.width - GUTTER))) * seconds(page.item.picture);
}
