// Playing and showing the item on the panel: version, context, frequency scale, loop, position.
import { byId, state } from "../../core/html/base.js";
import { ask, busy, guarded, say } from "../shared/asking.js";
import { Place } from "../shared/place.js";
import { player } from "../shared/player.js";
import { page, plural, playback } from "./page.js";
import { cursor, markSpan, paintLevels, paintPicture, playhead, playing, seconds, timeAt } from "./picture.js";

const PADS = [0, 2, 10]; // seconds of context

const address = (what, name = page.item.version) => (page.item.row >= 0 ? `${page.item.base}/${what}?version=${name}&pad=${page.item.pad}` : `${page.item.base}/${what}?`);

export function controls() {
  const { item } = page;
  for (const name of ["damaged", "clean"]) byId(name).setAttribute("aria-pressed", String(item.version === name));
  byId("pad").textContent = `± ${item.pad} s`;
  byId("pad").setAttribute("aria-pressed", String(item.pad > 0));
  byId("scale").setAttribute("aria-pressed", String(item.scale === "low"));
  byId("loop").setAttribute("aria-pressed", String(playback.loop));
}

// ---- picture -----------------------------------------------------------------------------------------------------
export const picturePlace = new Place(byId("picture-note"), () => {
  if (page.item) page.item.picture = page.item.image = null;
  state.picture = byId("picture-text").textContent = "";
  paintPicture();
});
export function drawPicture() {
  return picturePlace.fill((options) => ask(`${address("picture")}&scale=${page.item.scale}`, undefined, options), showPicture);
}
function showPicture(picture) {
  page.item.picture = picture;
  paintLevels();
  paintPicture();
  state.picture = page.item.key;
  const first = picture.segments[0];
  const changed = first ? `${plural(picture.segments.length, "segment")} changed by the artifact, the first at ${((first[0] - picture.span[0]) / picture.rate).toFixed(2)} seconds` : "no segment is known to be changed by an artifact";
  byId("picture-text").textContent = `Waveform and spectrogram of ${seconds(picture).toFixed(2)} seconds, 0 to ${Math.round(picture.top_hz)} hertz; ${changed}.`;
}
function redraw() { controls(); drawPicture(); prefetch(); }
export function prefetch() { // both versions, so that A and B switch at once
  const mine = page.item, hasClean = mine?.row >= 0 && mine.info?.has_clean;
  if (!mine || (mine.row >= 0 && !hasClean && mine.version === "clean")) return;
  for (const name of hasClean ? ["damaged", "clean"] : [mine.version]) player.buffer(address("audio", name)).catch(() => {}); // playing it shows the error
}

// ---- sound -------------------------------------------------------------------------------------------------------
// Plays the item from `from` seconds, or stops it; without `from`, its span or from the playhead.
export async function sound(from = null) {
  const { item } = page;
  if (!item) return;
  if (playing() && from === null) { item.at = 0; player.stop(); return; }
  const { span } = item, start = from ?? span?.[0] ?? item.at;
  await player.play(address("audio"), item.key, { from: start, to: span?.[1] ?? null, loop: playback.loop, version: item.version });
}
const seek = guarded(async (at, start) => {
  page.item.at = at;
  if (start || playing()) await sound(at);
  cursor();
});
let versionTurn = 0;
// A version is shown once it is heard: if it cannot be read, the other one stays.
export const version = guarded(async (name) => {
  const { item } = page, turn = ++versionTurn;
  if (!item?.info?.has_clean) { say("There is no clean version."); return; }
  if (playing()) await busy(`Reading the ${name} version…`, () => player.change(address("audio", name), name));
  if (page.item !== item || turn !== versionTurn || item.version === name) return;
  item.version = playback.version = name;
  controls();
  say(name);
  drawPicture();
  state.version = name;
});
export function rescale() {
  const { item } = page;
  if (!item) return;
  item.scale = playback.scale = item.scale === "low" ? "linear" : "low";
  redraw();
}
export function changePad() {
  const { item } = page;
  if (!item?.info?.can_pad) return;
  player.stop();
  item.pad = playback.pad = PADS[(PADS.indexOf(item.pad) + 1) % PADS.length];
  item.at = 0;
  markSpan(null);
  redraw();
  say(`${item.pad} seconds of context`);
}
export function toggleLoop() {
  playback.loop = !playback.loop;
  byId("loop").setAttribute("aria-pressed", String(playback.loop));
  if (playing()) guarded(sound)(player.position());
}

byId("play").addEventListener("click", guarded(() => sound()));
byId("damaged").addEventListener("click", () => version("damaged"));
byId("clean").addEventListener("click", () => version("clean"));
byId("loop").addEventListener("click", toggleLoop);
byId("pad").addEventListener("click", changePad);
byId("scale").addEventListener("click", rescale);

// ---- pointer and arrow keys on the picture -----------------------------------------------------------------------
const picture = byId("view");
picture.addEventListener("keydown", (event) => {
  const by = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity }[event.key];
  if (!by || !page.item?.picture || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  event.stopPropagation();
  const long = seconds(page.item.picture);
  seek(Math.min(long, Math.max(0, playhead() + by * (event.shiftKey ? long / 10 : long / 100))), false);
});
let dragged = null;
picture.addEventListener("pointerdown", (event) => {
  if (!page.item?.picture) return;
  picture.setPointerCapture(event.pointerId);
  dragged = { from: timeAt(event), x: event.clientX, moved: false };
});
picture.addEventListener("pointermove", (event) => {
  if (!dragged || !page.item?.picture || (!dragged.moved && Math.abs(event.clientX - dragged.x) < 4)) return;
  dragged.moved = true;
  const to = timeAt(event);
  markSpan([Math.min(dragged.from, to), Math.max(dragged.from, to)]);
});
picture.addEventListener("pointerup", (event) => {
  if (dragged && !dragged.moved && page.item?.picture) { markSpan(null); seek(timeAt(event), true); }
  dragged = null;
});
picture.addEventListener("pointercancel", () => { dragged = null; });
