// Plays the sound of a finding, with a playhead over the lanes.
import { byId, read, signal, state } from "../../core/html/base.js";
import { playSound, soundPosition, stopSound } from "../../pages/shared/sound.js";
import { choice, choiceChanged, say } from "./choice.js";
import { data, lanes, left, px, rate, segments } from "./view.js";

export const playing = { n: -1 }; // place in segments
export const playingChanged = signal();
const head = byId("head");

// Plays a finding, or stops it if it plays.
export async function play(n) {
  if (n < 0 || playing.n === n) { stopSound(); return; }
  const { sound, label } = segments[n];
  if (sound < 0) { stopSound(); say(`${label}: this finding has no sound in this page; ${whyNot()}`); return; }
  try {
    if (!await playSound(sound, read(`sound${sound}`), ended)) return;
    playing.n = n;
    state.playing = n;
    playingChanged.emit();
    requestAnimationFrame(() => move(sound));
  } catch (error) {
    stopSound();
    say(`This browser cannot play the sound (${error.name}).`);
  }
}
function ended() {
  playing.n = -1;
  state.playing = "";
  head.hidden = true;
  playingChanged.emit();
}
function move(sound) {
  const position = soundPosition();
  if (position === null || playing.n < 0 || segments[playing.n].sound !== sound) return;
  const x = px(data.sounds[sound][0] + position * rate, lanes.clientWidth);
  head.hidden = x < left() || x > lanes.clientWidth;
  head.style.transform = `translateX(${x}px)`;
  state.head = Math.round(data.sounds[sound][0] + position * rate);
  requestAnimationFrame(() => move(sound));
}
export const whyNot = () => (data.sounds.length ? `room is for ${megabytes(data.limit_bytes)} of sound, the most severe findings first.` : "the recording was not in its place when the page was made.");
const megabytes = (count) => `${(count / 1e6).toFixed(count < 1e7 ? 1 : 0)} MB`;
// What the page says of its sounds.
export function soundFacts() {
  const silent = segments.filter((s) => s.sound < 0).length, stored = data.sounds.reduce((sum, [, , count]) => sum + count, 0);
  if (!segments.length) return "";
  if (!data.sounds.length) return `No finding has sound: ${whyNot()}`;
  const rest = silent ? `; ${silent.toLocaleString("en")} have none (–): ${whyNot()}` : "";
  const around = `with ${data.context_s} s around each, the first ${data.longest_s} s of longer ones`;
  return `Sound of ${(segments.length - silent).toLocaleString("en")} findings, ${around}: ${megabytes(stored)} in this page${rest}${rest ? "" : "."}`;
}
function mark() {
  const n = choice.selected;
  byId("play").disabled = n < 0;
  byId("play").firstChild.textContent = playing.n >= 0 ? "Stop " : "Play ";
}
playingChanged.on(mark);
choiceChanged.on(mark);
byId("play").addEventListener("click", () => play(playing.n >= 0 ? -1 : choice.selected));
