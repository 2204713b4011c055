// One clip at the right: its facts and reasons, waveform and spectrogram of a slice of it, and its sound.
import { byId, element, fillFacts, fitCanvas, read, state, token } from "../../core/html/base.js";
import { ask, guarded, say } from "../shared/asking.js";
import { levelsImage } from "../shared/levels.js";
import { player, soundChanged, soundMoved } from "../shared/player.js";
import { served } from "../shared/served.js";
import { MARKS, clipChosen, currentClip, list, review } from "./queue.js";

export const about = read("about");
export const slice = { start: 0, low: false, picture: null }; // first sample, scale up to 1 kHz, the server's answer
let turn = 0;

export function open(place) {
  player.stop();
  review.current = place;
  slice.start = 0;
  const clip = currentClip();
  byId("clip").hidden = !clip;
  byId("none").hidden = Boolean(clip);
  state.clip = clip?.name ?? "";
  if (!clip) { list(); return; }
  byId("name").textContent = clip.name;
  byId("clip-facts").replaceChildren();
  fillFacts(byId("clip-facts"), [["category", clip.category || "none"], ["source", clip.source], ["length", `${clip.seconds.toFixed(2)} s`],
    ["rate", `${clip.rate.toLocaleString("en")} Hz`], ["channels", String(clip.channels)], ...clip.facts]);
  byId("reasons").replaceChildren(...clip.reasons.map(([name, text, urgency, rejects]) =>
    element("li", { className: urgency >= 1 && rejects ? "hard" : "", title: urgency >= 1 && rejects ? "beyond the limit of automatic rejection" : "" },
      element("strong", { textContent: name }), text)));
  byId("note").value = clip.note;
  byId("slices").hidden = clip.seconds <= about.slice;
  mark();
  list();
  say(`${clip.name}. ${clip.reasons.map(([, text]) => text).join("; ")}.`);
  draw();
}
clipChosen.on(open);

function mark() {
  const clip = currentClip();
  for (const name of ["keep", "reject"]) byId(name).setAttribute("aria-pressed", String(clip.decision === name));
  byId("mark").textContent = clip.decision ? `${MARKS[clip.decision]} ${clip.decision} (${clip.by})` : "undecided";
  byId("mark").className = clip.decision;
}

// ---- picture -----------------------------------------------------------------------------------------------------
const address = (what) => `api/clips/${currentClip().id}/${what}?start=${slice.start}`;
const draw = guarded(async () => {
  const mine = ++turn;
  state.drawn = "";
  slice.picture = null;
  paint();
  const picture = await ask(`${address("picture")}&scale=${slice.low ? "low" : "linear"}`);
  if (mine !== turn) return; // another clip was opened meanwhile
  slice.picture = picture;
  paint();
  state.drawn = currentClip().name;
});
export function paint() {
  const wave = fitCanvas(byId("wave")), spectrum = fitCanvas(byId("spectrogram")), { picture } = slice;
  wave.context.clearRect(0, 0, wave.width, wave.height);
  spectrum.context.clearRect(0, 0, spectrum.width, spectrum.height);
  byId("axis").replaceChildren();
  cursor();
  if (!picture) return;
  paintWave(wave, picture);
  spectrum.context.imageSmoothingEnabled = true;
  spectrum.context.drawImage(levelsImage(picture, token("--panel")), 0, 0, spectrum.width, spectrum.height);
  const top = picture.top_hz, tick = [50, 100, 250, 500, 1000, 2000, 4000, 5000, 10000, 20000].find((hz) => top / hz <= 8) ?? top;
  for (let hz = tick; hz < top * 0.97; hz += tick) {
    const line = element("li", { textContent: top <= 2000 ? `${hz} Hz` : `${hz / 1000} kHz` });
    line.style.top = `${100 * (1 - hz / top)}%`;
    byId("axis").append(line);
  }
}
function paintWave({ context: g, width, height }, picture) {
  const reach = Math.max(1, ...picture.high, ...picture.low.map((v) => -v)), half = height / 2, step = width / picture.low.length;
  g.strokeStyle = token("--line"); // full scale, if the waveform exceeds it
  for (const y of [half - half / reach, half, half + half / reach]) { g.beginPath(); g.moveTo(0, y); g.lineTo(width, y); g.stroke(); }
  g.fillStyle = token("--accent");
  picture.low.forEach((bottom, n) => {
    const above = half - (picture.high[n] / reach) * half, below = half - (bottom / reach) * half;
    g.fillRect(n * step, above, Math.max(1, step - 0.25), Math.max(1, below - above));
  });
}
function cursor() {
  const { context: g, width, height } = fitCanvas(byId("cursor")), clip = currentClip(), { picture } = slice;
  g.clearRect(0, 0, width, height);
  if (!clip) return;
  const length = picture ? picture.samples / picture.rate : Math.min(clip.seconds, about.slice), offset = slice.start / clip.rate;
  const at = player.position();
  if (player.voice) { g.fillStyle = token("--text"); g.fillRect((at / length) * width - 0.75, 0, 1.5, height); }
  byId("clock").textContent = `${(offset + at).toFixed(2)} s (${offset.toFixed(1)} – ${(offset + length).toFixed(1)} of ${clip.seconds.toFixed(1)})`;
}
export function moveSlice(by) {
  const clip = currentClip(), length = Math.round(about.slice * clip.rate), to = slice.start + by * length;
  if (to < 0 || to >= Math.round(clip.seconds * clip.rate)) return;
  player.stop();
  slice.start = to;
  draw();
}
export function rescale() { slice.low = !slice.low; byId("scale").setAttribute("aria-pressed", String(slice.low)); draw(); }

// ---- sound -------------------------------------------------------------------------------------------------------
export const play = guarded(async (from = null) => {
  if (player.voice && from === null) player.stop();
  else await player.play(served(address("audio")), currentClip().name, { from: from ?? 0 });
});
soundChanged.on(cursor);
soundMoved.on(cursor);
