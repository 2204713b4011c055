// The current place, its sound, and what is said of it.
import { byId, signal, state } from "../../core/html/base.js";
import { plural } from "../../pages/shared/counts.js";
import { player, soundChanged, soundMoved } from "../../pages/shared/player.js";
import { stored } from "../../pages/shared/stored.js";
import { clock, faults, fileShown, files, placeShown, severityText } from "./data.js";

export const current = { place: null, playing: null };
export const currentChanged = signal(); // of place or playing
export const headMoved = signal(); // with the file and the second that is heard; null at the end

export function say(text) {
  byId("said").hidden = !text;
  byId("said").textContent = text;
}
export function describe(place) {
  const file = files[place.file], fault = faults[place.fault];
  const facts = fault.measured ? `measured ${place.value}` : `severity ${severityText(place.severity)}`;
  return `${fault.name} at ${clock(place.start)}, ${(place.stop - place.start).toFixed(1)} s, ${facts}, in ${file.name}${place.sound < 0 ? "; its sound is not in this page, see its timeline" : ""}`;
}
export function choose(place) {
  current.place = place;
  state.place = place ? `${place.file} ${place.rank}` : "";
  say(place ? describe(place) : "");
  currentChanged.emit();
}
// Plays a place and makes it the current one; stops it if it plays.
export async function play(place) {
  if (!place || current.playing === place) { player.stop(); return; }
  choose(place);
  if (place.sound < 0) { player.stop(); return; }
  try { await player.play(stored(`sound${place.sound}`), state.place); } catch (error) { say(error.message); }
}
soundChanged.on(() => {
  const [file, rank] = player.key.split(" ").map(Number);
  current.playing = player.voice ? files[file].places.find((place) => place.rank === rank) : null;
  if (!player.voice) headMoved.emit(null);
  currentChanged.emit();
});
soundMoved.on(() => headMoved.emit(current.playing, current.playing.from + player.position()));

// The next or previous place that is shown, in the order of the page.
export function step(by) {
  const shown = files.filter(fileShown).flatMap((file) => file.places.filter(placeShown));
  if (!shown.length) { say("No place passes the filter."); return; }
  const at = shown.indexOf(current.place);
  choose(shown[at < 0 ? 0 : Math.min(Math.max(at + by, 0), shown.length - 1)]);
}
// The worst place of the next or previous recording that is shown.
export function stepFile(by) {
  const shown = files.filter((file) => fileShown(file) && file.places.some(placeShown));
  if (!shown.length) { say("No recording with a place passes the filter."); return; }
  const at = shown.findIndex((file) => file.n === current.place?.file);
  const file = shown[at < 0 ? 0 : Math.min(Math.max(at + by, 0), shown.length - 1)];
  choose(file.places.filter(placeShown).reduce((worst, place) => (place.rank < worst.rank ? place : worst)));
}
export function soundFacts(bytes, limit) {
  const all = files.flatMap((file) => file.places), silent = all.filter((place) => place.sound < 0).length, mega = (n) => `${(n / 1e6).toFixed(1)} MB`;
  if (!all.length) return "";
  const rest = silent ? `; ${plural(silent, "place")} can be heard on the timelines only: there is room for ${mega(limit)}, the worst places first` : "";
  return `Sound of ${plural(all.length - silent, "place")} is in this page (${mega(bytes)})${rest}.`;
}
