// Plays the clips of the map, which are stored in the page.
import { byId, read, state } from "../../core/html/base.js";
import { player } from "../shared/player.js";
import { stored } from "../shared/stored.js";
import { points, selection } from "./points.js";

const sounds = read("sounds");
byId("sounds").remove(); // frees the text of the block
const HOVER_MS = 90; // a pointer that only crosses the map should not start every clip on its way
let timer = 0, latest = -1; // latest: the point that was started last

export const hovering = { plays: false };
export const playing = () => (player.voice ? latest : -1); // its place in the columns
export const progress = () => player.position() / player.voice.buffer.duration;
// The decoded sound of a clip as a promise; null where it was not played yet.
export const decoded = (i) => player.decoded.get(points.clip[i])?.promise ?? null;

export async function ready() {
  await player.ready();
  state.sound = player.context.state;
}
export async function play(i) {
  stop();
  latest = i;
  const clip = points.clip[i];
  if (clip < 0) { byId("say").textContent = "This clip has no sound."; return; }
  try { await player.play(stored(clip, sounds[clip][1]), points.id[i]); } catch (error) {
    byId("say").textContent = byId("count").textContent = `${points.id[i]}: ${error.message}`;
  }
}
export function playSoon(i) {
  clearTimeout(timer);
  timer = setTimeout(() => { if (selection.hovered === i) play(i); }, HOVER_MS);
}
export function stop() {
  clearTimeout(timer);
  player.stop();
}
