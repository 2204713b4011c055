// Plays the sound of a finding, or what follows a place, with a playhead over the lanes.
import { byId, signal, state } from "../../core/html/base.js";
import { player, soundChanged, soundMoved } from "../../pages/shared/player.js";
import { choice, choiceChanged, say } from "./choice.js";
import { soundFrom, soundOf, whyNot } from "./sounds.js";
import { lanes, left, px, rate, segments } from "./view.js";

const PLACE = "place"; // key of a sound that is of no finding
const head = byId("head");
let start = 0; // first sample of the sound

export const playing = () => (player.voice && player.key !== PLACE ? Number(player.key) : -1); // place in segments
export const position = () => (player.voice ? start + player.position() * rate : null); // sample that is heard
export const headMoved = signal(); // with the sample that is heard; null at the end

// Plays a finding, or stops it if it plays.
export async function play(n) {
  const cut = soundOf(n);
  if (n < 0 || playing() === n) player.stop();
  else if (cut) await begin(cut, String(n));
  else {
    player.stop();
    say(`${segments[n].label}: this finding has no sound in this page; ${whyNot()}`);
  }
}
// Plays what follows a sample, where the page is served.
export async function playFrom(sample) {
  const cut = soundFrom(sample);
  if (cut) await begin(cut, PLACE);
}
async function begin(cut, key) {
  try {
    player.stop();
    ({ start } = cut);
    await player.play(cut.sound, key);
  } catch (error) { say(error.message); }
}
soundMoved.on(() => {
  const sample = position(), x = px(sample, lanes.clientWidth);
  head.hidden = x < left() || x > lanes.clientWidth;
  head.style.transform = `translateX(${x}px)`;
  state.head = Math.round(sample);
  headMoved.emit(sample);
});
soundChanged.on(() => {
  mark();
  if (player.voice) return;
  head.hidden = true;
  headMoved.emit(null);
});
function mark() {
  byId("play").disabled = choice.selected < 0 && !player.voice;
  byId("play").firstChild.textContent = player.voice ? "Stop " : "Play ";
}
choiceChanged.on(mark);
export const playOrStop = () => (player.voice ? player.stop() : play(choice.selected));
byId("play").addEventListener("click", playOrStop);
