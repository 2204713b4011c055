// The waveform and the spectrogram of the selected sound, with axes, what the artifact touched, a playhead, and a span
// that can be marked by dragging or with the square brackets.

const GUTTER = 50, FLOOR = 17; // pixels for the frequency axis at the left and the time axis below
const COLOURS = { key: "", table: null };
let bitmap = null; // the spectrogram as it came, coloured

function colourTable() { // the quietest fifth fades into the ground: nothing should not glare
  const key = String(darkQuery.matches);
  if (COLOURS.key === key) return COLOURS.table;
  const ground = rgb(token("--bg"));
  COLOURS.table = Uint8ClampedArray.from(Array.from({ length: 256 }, (_, v) => rgb(ramp(v / 255)).map((c, k) => ground[k] + (c - ground[k]) * Math.min(1, v / 51))).flat());
  COLOURS.key = key;
  return COLOURS.table;
}
function paintLevels(found) {
  const levels = atob(found.spectrogram), table = colourTable(), pixels = new ImageData(found.columns, found.rows);
  for (let n = 0; n < levels.length; n++) {
    const v = 3 * levels.charCodeAt(n);
    pixels.data[4 * n] = table[v];
    pixels.data[4 * n + 1] = table[v + 1];
    pixels.data[4 * n + 2] = table[v + 2];
    pixels.data[4 * n + 3] = 255;
  }
  bitmap = new OffscreenCanvas(found.columns, found.rows);
  bitmap.getContext("2d").putImageData(pixels, 0, 0);
}

const seconds = (found) => found.samples / found.rate;
const home = (found) => found.span[0] / found.rate; // where the row itself begins in what is shown
const across = (t, width) => GUTTER + (t / seconds(item.picture)) * (width - GUTTER);
const NICE = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20];

function paintPicture() {
  const wave = fitCanvas(byId("wave")), spectrum = fitCanvas(byId("spectrogram"));
  wave.context.clearRect(0, 0, wave.width, wave.height);
  spectrum.context.clearRect(0, 0, spectrum.width, spectrum.height);
  const found = item?.picture;
  byId("key-touched").hidden = !found?.segments.length;
  byId("key-outside").hidden = !item?.pad;
  if (found) { paintWave(wave, found); paintSpectrum(spectrum, found); }
  cursor();
}
function paintWave({ context: g, width, height }, found) {
  const reach = Math.max(1e-4, ...found.high, ...found.low.map((v) => -v)) * 1.04, half = height / 2, step = (width - GUTTER) / found.low.length;
  g.fillStyle = token("--bg");
  g.fillRect(GUTTER, 0, width - GUTTER, height);
  g.globalAlpha = 0.16;
  bands(g, found, width, 0, height);
  g.globalAlpha = 1;
  g.strokeStyle = token("--line");
  g.beginPath(); g.moveTo(GUTTER, half); g.lineTo(width, half); g.stroke();
  g.fillStyle = token("--accent");
  found.low.forEach((bottom, n) => {
    const above = half - (found.high[n] / reach) * half, below = half - (bottom / reach) * half;
    g.fillRect(GUTTER + n * step, above, Math.max(1, step - 0.15), Math.max(1, below - above));
  });
  label(g, `${(20 * Math.log10(reach / 1.04)).toFixed(0)} dBFS`, GUTTER - 5, 9, "right");
  outside(g, found, width, height);
}
function paintSpectrum({ context: g, width, height }, found) {
  const deep = height - FLOOR;
  g.imageSmoothingEnabled = true;
  g.drawImage(bitmap, GUTTER, 0, width - GUTTER, deep);
  bands(g, found, width, 0, 5);
  g.globalAlpha = 0.75;
  g.setLineDash([3, 3]);
  g.strokeStyle = token("--touched");
  for (const [a, b] of found.segments) { // where a segment begins and ends, if it is wide enough to have two sides
    const [xa, xb] = [across(a / found.rate, width), across(b / found.rate, width)];
    for (const x of xb - xa > 5 ? [xa, xb] : [xa]) if (found.segments.length <= 60) { g.beginPath(); g.moveTo(x, 5); g.lineTo(x, deep); g.stroke(); }
  }
  g.setLineDash([]);
  g.globalAlpha = 1;
  outside(g, found, width, deep);
  g.strokeStyle = token("--soft");
  const tick = [50, 100, 200, 250, 500, 1000, 2000, 4000, 5000, 10000, 20000].find((hz) => found.top_hz / hz <= Math.max(2.5, deep / 30)) ?? found.top_hz;
  for (let hz = 0; hz < found.top_hz * 0.97; hz += tick) {
    const y = deep * (1 - hz / found.top_hz);
    g.fillStyle = token("--soft");
    g.fillRect(GUTTER - 4, Math.min(y, deep - 1), 4, 1);
    if (hz) label(g, found.top_hz <= 2000 ? `${hz} Hz` : `${hz / 1000} kHz`, GUTTER - 6, Math.min(deep - 4, Math.max(8, y)), "right");
  }
  const long = seconds(found), every = NICE.find((s) => long / s <= (width - GUTTER) / 62) ?? 50, places = every < 0.01 ? 3 : every < 0.1 ? 2 : every < 1 ? 1 : 0;
  for (let n = Math.ceil(-home(found) / every); n * every <= long - home(found) + 1e-9; n++) { // seconds from the row's own start
    const x = across(n * every + home(found), width);
    g.fillRect(Math.min(x, width - 1), deep, 1, 4);
    const text = `${(n * every).toFixed(places)} s`.replace("-", "−");
    label(g, text, Math.min(Math.max(x, GUTTER + 10), width - 14), deep + 11, "center");
  }
}
function label(g, text, x, y, align) {
  Object.assign(g, { font: "10.5px system-ui, sans-serif", textAlign: align, textBaseline: "middle", fillStyle: token("--soft") });
  g.fillText(text, x, y);
}
function bands(g, found, width, top, height) {
  g.fillStyle = token("--touched");
  for (const [a, b] of found.segments) {
    const x = across(a / found.rate, width);
    g.fillRect(x, top, Math.max(1.5, across(b / found.rate, width) - x), height);
  }
}
function outside(g, found, width, height) { // context that is not part of the row lies behind a veil
  g.fillStyle = token("--panel");
  g.globalAlpha = 0.62;
  const [xa, xb] = [across(home(found), width), across(found.span[1] / found.rate, width)];
  if (xa > GUTTER + 0.5) g.fillRect(GUTTER, 0, xa - GUTTER, height);
  if (xb < width - 0.5) g.fillRect(xb, 0, width - xb, height);
  g.globalAlpha = 1;
}

// ---- playhead and span -------------------------------------------------------------------------------------------
const clockText = (t) => `${t < 0 ? "−" : ""}${Math.abs(t).toFixed(3)} s`;
function cursor() {
  const { context: g, width, height } = fitCanvas(byId("cursor")), found = item?.picture;
  g.clearRect(0, 0, width, height);
  if (!found) { byId("clock").textContent = ""; return; }
  const playing = player.voice && player.key === item.key, at = playing ? player.position() : item.at, deep = height - FLOOR;
  if (item.span) {
    const [xa, xb] = item.span.map((t) => across(t, width));
    g.fillStyle = g.strokeStyle = token("--accent");
    g.globalAlpha = 0.16;
    g.fillRect(xa, 0, xb - xa, deep);
    g.globalAlpha = 1;
    g.lineWidth = 1.5;
    g.strokeRect(xa, 0.75, xb - xa, deep - 1.5);
  }
  if (playing || at > 0) {
    const x = across(at, width);
    g.fillStyle = token("--bg");
    g.fillRect(x - 2, 0, 4, deep);
    g.fillStyle = token("--text");
    g.fillRect(x - 0.75, 0, 1.5, deep);
  }
  const own = at - home(found);
  byId("clock").textContent = item.span ? `${clockText(item.span[0] - home(found))} to ${clockText(item.span[1] - home(found))}` : `${clockText(own)} of ${seconds(found).toFixed(2)} s`;
  const slider = byId("view");
  slider.setAttribute("aria-valuemax", seconds(found).toFixed(2));
  slider.setAttribute("aria-valuenow", at.toFixed(2));
  slider.setAttribute("aria-valuetext", `${own.toFixed(2)} seconds`);
}
function markSpan(span) {
  if (!item) return;
  item.span = span && span[1] - span[0] >= 0.01 ? span : null;
  byId("span").hidden = !item.span || item.row < 0;
  state.span = item.span ? item.span.map((t) => (t - home(item.picture)).toFixed(3)).join(" ") : "";
  cursor();
}
function markEdge(which) { // [ and ]: a span by keyboard, from where the playhead stands
  if (!item?.picture) return;
  const long = seconds(item.picture), at = player.voice && player.key === item.key ? player.position() : item.at;
  const [a, b] = item.span ?? [0, long];
  markSpan(which ? [Math.min(a, at), at] : [at, Math.max(b, at)]);
  say(item.span ? `Span ${byId("clock").textContent}` : "No span: its end must lie behind its start.");
}
let dragged = null;
const timeAt = (event) => {
  const rest = byId("view").getBoundingClientRect();
  return Math.min(1, Math.max(0, (event.clientX - rest.left - GUTTER) / (rest.width - GUTTER))) * seconds(item.picture);
};
byId("view").addEventListener("pointerdown", (event) => {
  if (!item?.picture) return;
  byId("view").setPointerCapture(event.pointerId);
  dragged = { from: timeAt(event), x: event.clientX, moved: false };
});
byId("view").addEventListener("pointermove", (event) => {
  if (!dragged || !item?.picture || (!dragged.moved && Math.abs(event.clientX - dragged.x) < 4)) return;
  dragged.moved = true;
  const to = timeAt(event);
  markSpan([Math.min(dragged.from, to), Math.max(dragged.from, to)]);
});
byId("view").addEventListener("pointerup", (event) => {
  if (dragged && !dragged.moved && item?.picture) { markSpan(null); seek(timeAt(event), true); }
  dragged = null;
});
byId("view").addEventListener("pointercancel", () => { dragged = null; });
